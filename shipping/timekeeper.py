"""The one schedule: which task is enqueued how often; each entry is taken by conditional update."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from django.utils.module_loading import import_string

from merchants.delivering import hand_out as hand_out_messages

from .alerts.watch import watch
from .batches.steps import wake_stuck
from .digests import wake_due as wake_digests
from .dispatch.sweeping import sweep
from .dispatch.waiting import is_work_due
from .errands import hand_out
from .figures import wake_due as wake_figures
from .following import sync_due
from .health import ask_again, ask_for_life
from .models import Schedule
from .rereading import wake_overdue
from .services import catch_up

# name -> seconds between two runs
SCHEDULE = {
    "sweep": 10,
    "sync_due": 5,
    "wake_stuck": 30,
    "order_errands": 10,
    "wake_overdue": 10,
    "messages": 10,
    "ask_for_life": 30,
    "ask_again": 300,
    "watch": 60,
    "count_up": 30,
    "renew_tokens": 60,
    "read_allowances": 60,
    "figures": 60,
    "digests": 60,
    "catch_up": 600,
    "prune_tasks": 3600,
    "remove_old_bodies": 86400,
    "archive_attempts": 86400,
}
# Handed out while work is due, so that a lost ticket loses nothing.
TICKET = "ticket"
EVERY = {**SCHEDULE, TICKET: 2}
TASKS = {TICKET: "send_ticket"}
# What only looks into the database; the rest is enqueued.
AT_ONCE: dict[str, Callable[[], object]] = {
    "wake_stuck": wake_stuck,
    "sweep": sweep,
    "sync_due": sync_due,
    "order_errands": hand_out,
    "wake_overdue": wake_overdue,
    "figures": wake_figures,
    "digests": wake_digests,
    "messages": hand_out_messages,
    "ask_for_life": ask_for_life,
    "ask_again": ask_again,
    "watch": watch,
    "catch_up": catch_up,
}


def tick() -> None:
    """Run what is due; called every second by the worker's timekeeper, harmless from several."""
    ran, now = dict(Schedule.objects.values_list("name", "last_run_at")), timezone.now()
    for name, seconds in EVERY.items():
        if name not in ran or ran[name] <= now - timedelta(seconds=seconds):
            run_if_due(name)


def run_if_due(name: str) -> None:
    """Run one entry unless somebody did in its time; Celery beat, with the same entries, calls it, too."""
    if (name != TICKET or is_work_due()) and _take(name, EVERY[name]):
        _run(name)


def _take(name: str, seconds: int) -> bool:
    now = timezone.now()
    Schedule.objects.get_or_create(name=name)
    due = Schedule.objects.filter(name=name, last_run_at__lte=now - timedelta(seconds=seconds))
    return due.update(last_run_at=now) == 1


def _run(name: str) -> None:
    if name in AT_ONCE:
        AT_ONCE[name]()
    else:
        import_string(f"shipping.tasks.{TASKS.get(name, name)}").enqueue()
