"""The one schedule: which task is enqueued how often; each entry is taken by conditional update."""

from datetime import timedelta

from django.utils import timezone
from django.utils.module_loading import import_string

from .dispatch.sweeping import sweep
from .dispatch.waiting import is_work_due
from .errands import hand_out
from .following import sync_due
from .models import Schedule
from .rereading import wake_overdue

# name -> seconds between two runs
SCHEDULE = {
    "sweep": 10,
    "sync_due": 5,
    "order_errands": 10,
    "wake_overdue": 10,
    "renew_tokens": 60,
    "read_allowances": 60,
    "prune_tasks": 3600,
    "remove_old_bodies": 86400,
}
# What only looks into the database; the rest is enqueued.
AT_ONCE = {"sweep": sweep, "sync_due": sync_due, "order_errands": hand_out, "wake_overdue": wake_overdue}


def tick() -> None:
    """Run what is due; called every second by the worker's timekeeper, harmless from several."""
    for name, seconds in SCHEDULE.items():
        if _take(name, seconds):
            _run(name)
    if is_work_due():
        _hand_out_ticket()


def _take(name: str, seconds: int) -> bool:
    now = timezone.now()
    Schedule.objects.get_or_create(name=name)
    due = Schedule.objects.filter(name=name, last_run_at__lte=now - timedelta(seconds=seconds))
    return due.update(last_run_at=now) == 1


def _run(name: str) -> None:
    if name in AT_ONCE:
        AT_ONCE[name]()
    else:
        import_string(f"shipping.tasks.{name}").enqueue()


def _hand_out_ticket() -> None:
    """A lost ticket loses nothing: while work is due, another is handed out every two seconds."""
    if _take("ticket", 2):
        import_string("shipping.tasks.send_ticket").enqueue()
