"""What needs a person now. Each finder asks the database a few questions that an index answers.

A cause is found as long as it lasts; that it is told once is `watch`'s business.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from merchants.models import Merchant, Pause, platform_host
from merchants.queries import open_pauses
from shipping import states
from shipping.around import open_holds
from shipping.freshness import MARGIN
from shipping.gauges import UNKNOWN_TOO_LONG
from shipping.health import silent
from shipping.models import Allowance, Attempt, Package, SyncCursor
from shipping.pauses import BY_NATURE
from wechat.errcodes import meaning

# Named in a message; there may be thousands.
NAMED = 3
MAY_NOT_READ = 48001
QUOTA = Q(errcode=45009) | Q(slug="quota_reserved")
# A tenth of the day's calls.
NEARLY_ALL = 10
SYNC_TOO_LONG = timedelta(minutes=15)
CODE_SEEN = timedelta(hours=1)
STUCK, MOVING, LATE_IN_THE_DAY = timedelta(minutes=15), timedelta(minutes=5), timedelta(hours=2)


class Cause(NamedTuple):
    """`merchant`: None for the whole desk. `facts`: JSON, for the words."""

    merchant: int | None
    name: str
    detail: str = ""
    facts: dict[str, Any] = {}

    @property
    def key(self) -> str:
        return f"{self.merchant or 0} {self.name} {self.detail}"


def stores() -> list[int]:
    """The stores that ship here."""
    rows = Merchant.objects.filter(is_active=True, api_host=platform_host())
    return list(rows.values_list("pk", flat=True))


# --- what stands still --------------------------------------------------------------------------------


def paused() -> Iterator[Cause]:
    """Pauses that only a person ends; not that a store never could read its orders, which is no trouble."""
    for pause in _pauses().filter(until=None).exclude(BY_NATURE):
        facts = {"call": pause.call, "errcode": pause.errcode, "slug": pause.slug, "errmsg": pause.errmsg}
        yield Cause(pause.merchant_id, "paused", f"{pause.call} {pause.errcode or pause.slug}", facts)


def quota() -> Iterator[Cause]:
    """A call whose day is used up, or nine tenths of it."""
    found = {
        (pause.merchant_id, pause.call): (0, 0) for pause in _pauses().filter(QUOTA, until__isnull=False)
    }
    today = _midnight(timezone.now()) - timedelta(days=1)
    for row in Allowance.objects.filter(merchant__in=stores(), day_limit__gt=0, read_at__gte=today):
        if row.day_left * NEARLY_ALL <= row.day_limit:
            found[row.merchant_id, row.call] = (row.day_left, row.day_limit)
    for (merchant, call), (left, limit) in found.items():
        yield Cause(merchant, "quota", call, {"call": call, "left": left, "limit": limit})


def _pauses() -> QuerySet[Pause]:
    return open_pauses().filter(merchant__in=stores())


def sync() -> Iterator[Cause]:
    """Stores whose orders have not been read for long, where nothing that is told of anyway explains it."""
    if not settings.SYNC_EVERY:
        return
    longest = max(SYNC_TOO_LONG, timedelta(seconds=3 * settings.SYNC_EVERY) + MARGIN)
    before = timezone.now() - longest
    told = {cause.merchant for cause in (*paused(), *quota())}
    late = SyncCursor.objects.filter(merchant__in=stores(), lease_until__lt=before)
    for cursor in late.filter(Q(succeeded_at=None) | Q(succeeded_at__lt=before)):
        if cursor.merchant_id not in told and not cursor.error.startswith(str(MAY_NOT_READ)):
            since = cursor.succeeded_at.isoformat() if cursor.succeeded_at else ""
            yield Cause(cursor.merchant_id, "sync", "", {"since": since, "error": cursor.error})


def worker() -> Iterator[Cause]:
    """Queues that nobody works off, seen by a timekeeper that still lives."""
    for queue in silent(timedelta(seconds=settings.WORKER_SEEN_SECONDS)):
        yield Cause(None, "worker", queue, {"queue": queue})


# --- packages -----------------------------------------------------------------------------------------


def unknown() -> Iterator[Cause]:
    """Packages of which nobody has known for half an hour whether they left."""
    yield from _packages("unknown", states.UNKNOWN, status_at__lte=timezone.now() - UNKNOWN_TOO_LONG)


def conflict() -> Iterator[Cause]:
    """Packages on which our records and WeChat's disagree."""
    yield from _packages("conflict", states.CONFLICT)


def _packages(name: str, status: str, **more: Any) -> Iterator[Cause]:
    rows = Package.objects.filter(merchant__in=stores(), status=status, **more).order_by()
    yield from _counted(name, rows)


def _counted(name: str, rows: QuerySet[Package]) -> Iterator[Cause]:
    """One cause for each store: how many, and the orders of the oldest few."""
    for merchant, count in list(rows.values_list("merchant").annotate(Count("pk"))):
        oldest = rows.filter(merchant=merchant).order_by("status_at", "pk")
        orders = list(oldest.values_list("order__order_id", flat=True)[:NAMED])
        yield Cause(merchant, name, "", {"count": count, "orders": orders})


def due() -> Iterator[Cause]:
    """Packages that must leave before midnight and have not moved for a quarter of an hour.

    A store that is shipping gets on by itself, until late in the day.
    """
    now = timezone.now()
    midnight = _midnight(now)
    waiting = Package.objects.filter(
        merchant__in=stores(), status__in=(states.QUEUED, states.UNKNOWN, states.CONFLICT),
        shipment__created_at__lte=now - STUCK, order__deadline_at__lte=midnight,
        order__deadline_at__gte=now - timedelta(days=1),
    )  # fmt: skip
    if midnight - now > LATE_IN_THE_DAY:
        waiting = waiting.exclude(status=states.QUEUED, merchant__in=_moving(now))
    yield from _counted("due", waiting.exclude(Exists(open_holds(OuterRef("order")))).order_by())


def _moving(now: datetime) -> list[int]:
    """The stores of which something has left in the last minutes."""
    left = Attempt.objects.filter(merchant__in=stores(), started_at__gte=now - MOVING, then="accepted")
    return list(left.order_by().values_list("merchant", flat=True).distinct())


def _midnight(now: datetime) -> datetime:
    local = timezone.localtime(now) + timedelta(days=1)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def code() -> Iterator[Cause]:
    """Answers of the last hour that are a fault of ours, or that nobody has described."""
    calls = Attempt.objects.filter(merchant__in=stores(), started_at__gte=timezone.now() - CODE_SEEN)
    counted = calls.filter(errcode__isnull=False).exclude(errcode=0).order_by()
    for merchant, errcode, count, last in counted.values_list("merchant", "errcode").annotate(
        Count("pk"), Max("pk")
    ):
        row = meaning(errcode)
        if not row.listed or row.fixed_by == "developer":
            call = Attempt.objects.get(pk=last)
            facts = {"errcode": errcode, "count": count, "errmsg": call.errmsg, "rid": call.rid}
            yield Cause(merchant, "code", str(errcode), facts)


FINDERS: dict[str, Callable[[], Iterator[Cause]]] = {
    finder.__name__: finder for finder in (paused, quota, sync, worker, unknown, conflict, due, code)
}
