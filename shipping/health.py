"""Whether the desk can do its work: what the readiness probe answers, and the workers' sign of life.

Each queue's worker runs a tiny task twice a minute, ahead of all others, and so shows that it takes tasks;
the timekeeper is seen by its sweeps. All of it is in the rows of the schedule.
"""

from datetime import datetime, timedelta
from functools import cache

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from merchants.fields import SecretUnreadable
from merchants.models import Credential

from .models import Schedule
from .wake import wake_on

OK = "ok"
CHECKS = ("database", "migrations", "worker", "keys")
# The schedule's entry that the timekeeper runs most often without a reason.
TIMEKEEPER = "sweep"


def readiness() -> dict[str, str]:
    """One word for each of CHECKS: ok, failed, pending, late, never, unreadable or unknown."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        migrations = _migrations()
        if migrations != OK:
            return {"database": OK, "migrations": migrations, "worker": "unknown", "keys": "unknown"}
        return {"database": OK, "migrations": OK, "worker": _worker(), "keys": _keys()}
    except DatabaseError:
        return dict.fromkeys(CHECKS, "unknown") | {"database": "failed"}


@cache
def _ours() -> frozenset[tuple[str, str]]:
    """The migrations of this code."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _migrations() -> str:
    return OK if _ours() <= set(MigrationRecorder(connection).applied_migrations()) else "pending"


def _keys() -> str:
    """The keys are keys, and open what is stored of one store."""
    try:
        for key in settings.CREDENTIAL_KEYS:
            Fernet(key)
        Credential.objects.values_list("app_secret", "access_token", "refresh_token").first()
    except (SecretUnreadable, ValueError):
        return "unreadable"
    return OK


# --- workers ------------------------------------------------------------------------------------------


def last_seen() -> dict[str, datetime | None]:
    """When the timekeeper and the worker of each queue last showed themselves; None: never."""
    rows = dict(Schedule.objects.filter(name__in=list(_names().values())).values_list("name", "last_run_at"))
    return {who: rows.get(name) for who, name in _names().items()}


def _names() -> dict[str, str]:
    return {"timekeeper": TIMEKEEPER} | {queue: _seen(queue) for queue in settings.QUEUES}


def _seen(queue: str) -> str:
    return f"alive {queue}"


def _worker() -> str:
    seen = last_seen().values()
    late = timezone.now() - timedelta(seconds=settings.WORKER_SEEN_SECONDS)
    if None in seen:
        return "never"
    return "late" if any(at < late for at in seen if at) else OK


def ask_for_life() -> None:
    """Have each queue's worker show itself; who has not answered yet is not asked twice."""
    for queue in settings.QUEUES:
        since = _asked(queue)
        if since is None or _has_answered(queue, since):
            Schedule.objects.update_or_create(name=f"asked {queue}", defaults={"last_run_at": timezone.now()})
            wake_on(queue, "alive", queue)


def ask_again() -> None:
    """A question may have been lost; asked seldom, for it may also be waiting in its queue."""
    for queue in silent(timedelta(0)):
        wake_on(queue, "alive", queue)


def silent(for_long: timedelta) -> list[str]:
    """The queues whose worker was asked so long ago and has not shown itself since."""
    asked = {queue: _asked(queue) for queue in settings.QUEUES}
    before = timezone.now() - for_long
    return [q for q, since in asked.items() if since and since <= before and not _has_answered(q, since)]


def _asked(queue: str) -> datetime | None:
    """When the question was put that is not answered, or the last one that was."""
    return Schedule.objects.filter(name=f"asked {queue}").values_list("last_run_at", flat=True).first()


def _has_answered(queue: str, since: datetime) -> bool:
    return Schedule.objects.filter(name=_seen(queue), last_run_at__gte=since).exists()


def show_life(queue: str) -> None:
    """The worker of this queue takes tasks."""
    Schedule.objects.update_or_create(name=_seen(queue), defaults={"last_run_at": timezone.now()})
