"""What the board shows beside its sums: the race against midnight, what went wrong, what needs a person."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from merchants.models import Merchant, Pause, Role, User
from merchants.queries import merchants_for

from . import states
from .drafts import SEND
from .figures import midnight
from .freshness import Freshness, freshness
from .lists import AT_MOST, TO_SHIP, day_ends, in_trouble, without_held
from .lists import SHIPPED as SHIPPED_ORDERS
from .models import BoardVisit, Order, Package
from .queries import packages_for

# No count of the board goes further.
MOST = 20_000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A forecast later than so long before midnight is tight.
TIGHT = timedelta(hours=1)
# Who comes back sooner is still at the same visit.
VISIT = timedelta(minutes=30)
FIRST_VISIT = timedelta(days=1)
# What has stood still for longer is looked for in the list of orders.
LOOKS_BACK = timedelta(days=30)
NAMED = 12


def stores_of(user: User, appid: str) -> list[Merchant]:
    """The stores this person manages, or the one of them that was picked."""
    rows = merchants_for(user, Role.MANAGER).order_by("name", "pk")
    return list(rows.filter(appid=appid) if appid else rows)


# --- today --------------------------------------------------------------------------------------------


class Race(NamedTuple):
    """One store, or all (`store` None): orders due today and those that wait, packages that left, the pace.

    `pace`: orders that left within the last hour. `ends_at`: when the last one leaves at that pace; None
    without anything left, or without a pace.
    """

    store: Merchant | None
    done: int
    left: int
    late: int
    shipped: int
    pace: int
    ends_at: datetime | None

    @property
    def due(self) -> int:
        return self.done + self.left

    @property
    def is_idle(self) -> bool:
        return not self.due and not self.shipped

    @property
    def percent(self) -> int:
        return 100 * self.done // self.due if self.due else 0

    @property
    def state(self) -> str:
        """none (nothing is due), done, still (nothing leaves), missed (after midnight), tight, in_time."""
        if not self.left:
            return "done" if self.due else "none"
        if self.ends_at is None:
            return "still"
        to_spare = day_ends() - self.ends_at
        return "missed" if to_spare < timedelta(0) else "tight" if to_spare < TIGHT else "in_time"


def races(stores: Sequence[Merchant]) -> list[Race]:
    """Each store's day, the most to do first, and of several the sum of them before."""
    each = sorted((_race(store) for store in stores), key=lambda race: -race.left)
    return [_together(each), *each] if len(each) > 1 else each


def _race(store: Merchant) -> Race:
    now, midnight_ = timezone.now(), day_ends()
    open_orders = [Order.objects.filter(merchant=store, status=status) for status in TO_SHIP]
    gone = [Order.objects.filter(merchant=store, status=status) for status in SHIPPED_ORDERS]
    left = sum(_count(without_held(rows.filter(due_at__lt=midnight_))) for rows in open_orders)
    late = sum(_count(without_held(rows.filter(due_at__lt=now))) for rows in open_orders) if left else 0
    done = sum(_count(rows.filter(due_at__gte=midnight_ - DAY, due_at__lt=midnight_)) for rows in gone)
    pace = len(set(_shipped(store, now - HOUR).values_list("order", flat=True)[:MOST]))
    shipped = _count(_shipped(store, midnight(timezone.localdate())))
    return Race(store, done, left, late, shipped, pace, _ends_at(left, pace))


def _together(each: Sequence[Race]) -> Race:
    done, left, late, shipped, pace = (
        sum(getattr(race, name) for race in each) for name in Race._fields[1:6]
    )
    return Race(None, done, left, late, shipped, pace, _ends_at(left, pace))


def _shipped(store: Merchant, since: datetime) -> QuerySet[Package]:
    return Package.objects.filter(
        merchant=store, status=states.SHIPPED, status_at__gte=since, kind=SEND
    ).order_by()


def _ends_at(left: int, pace: int) -> datetime | None:
    return timezone.now() + HOUR * (left / pace) if left and pace else None


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[: MOST + 1].count()


def data_from(user: User, appid: str) -> Freshness | None:
    """The store whose orders were read longest ago, of those that may be read; None without any."""
    read = [store for store in freshness(user, appid) if not store.may_not_read]
    return min(read, key=lambda store: (store.read_at is not None, store.read_at), default=None)


# --- since the last visit -----------------------------------------------------------------------------


class Meanwhile(NamedTuple):
    """What went wrong since a moment: packages by status, and stores that were stopped."""

    since: datetime
    is_first_visit: bool
    packages: Counter[str]
    pauses: list[Pause]

    @property
    def is_quiet(self) -> bool:
        return not self.packages and not self.pauses


def note_visit(user: User) -> None:
    """Remember that this person looks at the board now; within half an hour it is the same visit."""
    now = timezone.now()
    visit, is_new = BoardVisit.objects.get_or_create(user=user, defaults={"seen_at": now})
    if is_new:
        return
    same = BoardVisit.objects.filter(pk=visit.pk, seen_at=visit.seen_at)
    same.update(seen_at=now, **({"since": visit.seen_at} if now - visit.seen_at > VISIT else {}))


def meanwhile(user: User, stores: Sequence[Merchant]) -> Meanwhile:
    """What happened since the visit before this one, or in the last day for who comes first."""
    visit = BoardVisit.objects.filter(user=user).first()
    before = visit.since if visit else None
    since = before or timezone.now() - FIRST_VISIT
    packages: Counter[str] = Counter()
    for store in stores:
        rows = Package.objects.filter(merchant=store, in_trouble=True, status_at__gt=since)
        packages.update(rows.order_by("status_at").values_list("status", flat=True)[: AT_MOST + 1])
    pauses = Pause.objects.filter(merchant__in=stores, started_at__gt=since).select_related("merchant")
    return Meanwhile(since, before is None, packages, list(pauses.order_by("started_at")[:NAMED]))


# --- what needs a person ------------------------------------------------------------------------------


class Needed(NamedTuple):
    """Packages that wait for a person, the oldest first; how many there are and what their orders are worth.

    `money` in fen; `unpriced`: orders among them whose price was never read; `since`: of the oldest.
    """

    packages: list[Package]
    since: datetime | None
    total: int
    money: int
    unpriced: int


def needed(stores: Sequence[Merchant], user: User | None = None) -> Needed:
    """Refused and not put right while the order still waits, or in conflict: nothing happens by itself.

    The packages themselves only for a `user`, who sees those of the own stores.
    """
    found: list[tuple[datetime, int, int, int | None]] = []
    for store in stores:
        columns = ("status_at", "pk", "order", "order__order_price")
        found += _waiting(store).order_by("status_at", "pk").values_list(*columns)[: AT_MOST + 1]
    found.sort(key=lambda row: row[:2])
    prices = {order: price for _, _, order, price in found}
    keys = [pk for _, pk, _, _ in found[:NAMED]]
    rows = packages_for(user).filter(pk__in=keys).in_bulk() if user else {}
    money = sum(price or 0 for price in prices.values())
    unpriced = sum(price is None for price in prices.values())
    since = found[0][0] if found else None
    return Needed([rows[pk] for pk in keys if pk in rows], since, len(found), money, unpriced)


def _waiting(store: Merchant) -> QuerySet[Package]:
    since = timezone.now() - LOOKS_BACK
    rows = in_trouble(Package.objects.filter(merchant=store, status_at__gte=since))
    waits = Q(order__status__in=TO_SHIP) | Q(order__status=None) | ~Q(kind=SEND)
    return rows.filter(Q(status=states.CONFLICT) | Q(waits, status=states.REJECTED))
