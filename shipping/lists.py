"""The pages of the order list and the search: keyset paging, bounded counts, no OFFSET.

A page is walked along an index, one store and status at a time, and put together here: over several stores at
once a database would have to sort everything it finds before it can cut a page off.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for, stores_of

from . import states
from .around import open_holds
from .asked import moment, whole
from .models import LAST_DAY, Hold, Order, OrderLine, Package, PackageItem, Parcel, Printing, bring
from .queries import can_ship, orders_for, packages_for
from .unions import counting, finding, rows_of_each

Orders = QuerySet[Order]
TO_SHIP, SHIPPED, WAITS_BY_NATURE = (20, 21), (30, 100), (12, 13)
DUE_SOON, INTERCEPT_WITHIN = timedelta(hours=24), timedelta(hours=48)
# A count goes no further: nobody needs it, and a list must not crawl for it.
AT_MOST = 1000
NEXT_LOOKS = 30
READ_TAKES = timedelta(minutes=1)


def day_ends() -> datetime:
    """The midnight that today ends with."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def without_held(rows: Orders) -> Orders:
    return rows.filter(~Exists(open_holds(OuterRef("pk"))))


def in_trouble(packages: QuerySet[Package]) -> QuerySet[Package]:
    """Packages that need hands: refused and not corrected yet, unknown, in conflict."""
    return packages.filter(in_trouble=True, corrected_at=None)


def _with_trouble(rows: Orders, user: User) -> Orders:
    packages = Package.objects.filter(merchant__in=merchants_for(user))
    return rows.filter(pk__in=in_trouble(packages).values("order"))


def _my_trouble(rows: Orders, user: User) -> Orders:
    packages = Package.objects.filter(sent_by=user, merchant__in=merchants_for(user))
    return rows.filter(pk__in=in_trouble(packages).values("order"))


def _to_intercept(rows: Orders) -> Orders:
    """Left in the last two days, and an aftersale or another address since: the parcel should be caught."""
    since = timezone.now() - INTERCEPT_WITHIN
    left = Package.objects.filter(
        order=OuterRef("pk"), status=states.SHIPPED, status_at__gte=since, status_at__lte=OuterRef("alarm_at")
    )
    rows = rows.filter(Q(alarm_done_at=None) | Q(alarm_done_at__lt=F("alarm_at")), alarm_at__gte=since)
    return rows.filter(Exists(left))


# tab -> its orders among those of some stores that have one of its STATUSES, whoever asks
SHARED: dict[str, Callable[[Orders], Orders]] = {
    "todo": without_held,
    "partly": without_held,
    "due": lambda rows: without_held(rows.filter(due_at__lt=timezone.now() + DUE_SOON)),
    "today": lambda rows: without_held(rows.filter(due_at__lt=day_ends())),
    "held": lambda rows: rows.filter(Q(status__in=WAITS_BY_NATURE) | Q(Exists(open_holds(OuterRef("pk"))))),
    "intercept": _to_intercept,
    "shipped": lambda rows: rows,
    "all": lambda rows: rows,
}
# tab -> the same, where it matters who asks: few orders, found by their packages, then sorted
OWN: dict[str, Callable[[Orders, User], Orders]] = {"trouble": _with_trouble, "mine": _my_trouble}
TABS = (*SHARED, *OWN)
# tab -> the statuses its orders have; without any it is walked whole
STATUSES: dict[str, tuple[int, ...]] = {
    "todo": TO_SHIP,
    "partly": (21,),
    "due": TO_SHIP,
    "today": TO_SHIP,
    "held": (*TO_SHIP, *WAITS_BY_NATURE),
    "shipped": SHIPPED,
}
# Few orders are in it: found by their alarms in all stores at once, then sorted.
PICKED = "intercept"
NEWEST_FIRST = ("shipped", "all")
# One's own trouble is shown whole, whatever store and kind one was looking at.
UNFILTERED = ("mine",)
# filter -> the column that says so; models.KINDS gives each an index
KINDS = {
    "virtual": "is_virtual",
    "subsidy": "is_subsidy",
    "presale": "is_presale",
    "gift": "is_present",
    "city": "is_intra_city",
    "dropship": "is_dropship",
    "inspect": "is_inspected",
    "notes": "has_notes",
}


# A question put together is asked again for so long: the "now" in it is a little old, what it finds is not.
ASKED_AGAIN = 5


def _tick() -> float:
    return timezone.now().timestamp() // ASKED_AGAIN


def order_page(user: User, tab: str, asked: Mapping[str, str], size: int) -> list[Order]:
    """One page of a tab, filtered by store and kind, begun after the mark of the page before."""
    asked = {} if tab in UNFILTERED else asked
    stores, kind, mark = tuple(stores_asked(user, asked)), asked.get("kind", ""), asked.get("after", "")
    if tab in OWN:
        find = _finding(tab, _of_person(tab, stores, kind, user), mark, size)
    else:
        find = _finding_shared(tab, stores, kind, mark, size, _tick())
    places = sorted(find(), reverse=tab in NEWEST_FIRST)
    return in_order(user, [pk for *_, pk in places[:size]])


@lru_cache(maxsize=256)
def _finding_shared(
    tab: str, stores: tuple[int, ...], kind: str, mark: str, size: int, _tick: float
) -> Callable[[], list[Any]]:
    return _finding(tab, list(_parts(tab, stores, kind)), mark, size)


def _finding(tab: str, parts: list[Orders], mark: str, size: int) -> Callable[[], list[Any]]:
    columns = ("pk",) if tab in NEWEST_FIRST else ("due_at", "pk")
    return finding(_after(part, tab, mark).values_list(*columns)[:size] for part in parts)


def _of_person(tab: str, stores: tuple[int, ...], kind: str, user: User) -> list[Orders]:
    return [OWN[tab](_of_kind(Order.objects.filter(merchant__in=stores), kind), user)]


def _parts(tab: str, stores: tuple[int, ...], kind: str) -> Iterator[Orders]:
    """A tab in pieces that an index walks in the order of the page."""
    if tab == PICKED:
        yield SHARED[tab](_of_kind(Order.objects.filter(merchant__in=stores), kind))
        return
    for store in stores:
        rows = _of_kind(Order.objects.filter(merchant=store), kind)
        # The newest of a kind have an index of their own, which knows no status.
        if tab not in STATUSES or (tab in NEWEST_FIRST and kind in KINDS):
            yield _of_tab(tab, rows)
        else:
            yield from (SHARED[tab](rows.filter(status=status)) for status in STATUSES[tab])


def _of_tab(tab: str, rows: Orders) -> Orders:
    return SHARED[tab](rows.filter(status__in=STATUSES[tab]) if tab in STATUSES else rows)


def stores_asked(user: User, asked: Mapping[str, str]) -> list[int]:
    """Keys of a person's stores, or of the one asked for."""
    appid = asked.get("merchant", "")
    return [pk for pk, store in stores_of(user).items() if appid in ("", store.merchant.appid)]


def in_order(user: User, keys: list[int]) -> list[Order]:
    """The orders with these keys that this person may see, in their order, with what a row shows."""
    stores = stores_of(user)
    rows = Order.objects.filter(pk__in=keys, merchant__in=list(stores)).select_related("reading")
    found = rows.defer(*UNSEEN).in_bulk()
    _with_what_a_row_shows(found)
    for order in found.values():
        order.merchant = stores[order.merchant_id].merchant
    return [found[key] for key in keys if key in found]


def read_since(user: User, shown: Iterable[int], since: datetime) -> list[Order]:
    """Which of the orders shown were read meanwhile, or wait for it; a read is dated by its beginning."""
    is_new = Q(read_at__gt=since - READ_TAKES) | Q(reading__isnull=False)
    return in_order(user, list(orders_for(user).filter(is_new, pk__in=shown).values_list("pk", flat=True)))


def next_to_ship(user: User, tab: str, asked: Mapping[str, str], done: Order) -> Order | None:
    """The next order of a list that can be shipped, after the one just done; then from its beginning."""
    places = (mark_of(done, tab), "")
    pages = (order_page(user, tab, {**asked, "after": place}, NEXT_LOOKS) for place in places)
    return next((o for page in pages for o in page if o.pk != done.pk and can_ship(o)), None)


def _of_kind(rows: Orders, kind: str) -> Orders:
    column = KINDS.get(kind)
    return rows.filter(**{column: True}) if column else rows


def _after(rows: Orders, tab: str, mark: str) -> Orders:
    if tab in NEWEST_FIRST:
        rows = rows.order_by("-pk")
        last = whole(mark)
        return rows if last is None else rows.filter(pk__lt=last)
    rows = rows.order_by("due_at", "pk")
    deadline, _, pk = mark.rpartition("_")
    due, last = moment(deadline), whole(pk)
    if due is None or last is None:
        return rows
    # The first term is a range for the index; an OR alone would be read from the beginning.
    return rows.filter(Q(due_at__gt=due) | Q(pk__gt=last), due_at__gte=due)


def mark_of(order: Order, tab: str) -> str:
    """Where a page ends, so that the next one begins behind it."""
    return (
        str(order.pk) if tab in NEWEST_FIRST else f"{(order.deadline_at or LAST_DAY).isoformat()}_{order.pk}"
    )


# What no row shows: text that may be long, and moments, which take the longest to read.
UNSEEN = (
    "openid", "customer_notes", "merchant_notes", "placed_at", "platform_updated_at", "due_at",
    "alarm_done_at", "erased_at", "created_at",
)  # fmt: skip
UNSEEN_OF_PACKAGE = ("status_at", "errmsg", "rid", "in_trouble")


def _with_what_a_row_shows(found: dict[int, Order]) -> None:
    bring(found, "lines", OrderLine.objects.all(), "order")
    bring(found, "parcels", Parcel.objects.all(), "order")
    bring(found, "holds", Hold.objects.all(), "order")
    bring(found, "printings", Printing.objects.select_related("by"), "order")
    packages = bring(found, "packages", Package.objects.defer(*UNSEEN_OF_PACKAGE).order_by("pk"), "order")
    # Only of what waits for its shipment pieces are counted.
    counted = {p.pk: p for p in packages if found[p.order_id].status in TO_SHIP}
    bring(counted, "items", PackageItem.objects.all(), "package")


def with_everything(rows: Orders) -> Orders:
    """What a packing slip shows, in a handful of queries."""
    packages = Package.objects.select_related("shipment__created_by").order_by("pk")
    packages = packages.prefetch_related("items")
    printings = Prefetch("printings", Printing.objects.select_related("by"))
    rows = rows.select_related("merchant", "reading")
    return rows.prefetch_related("lines", "parcels", "holds", Prefetch("packages", packages), printings)


# --- counts -------------------------------------------------------------------------------------------

COUNTED_TABS = ("todo", "partly", "due", "held", "intercept")
COUNTED = (*COUNTED_TABS, "trouble", "unclear", "today")


def tab_counts(user: User, asked: Mapping[str, str]) -> dict[str, int]:
    """Orders behind each tab, and packages shipped today; each counted to AT_MOST + 1."""
    count = _counting(tuple(stores_asked(user, asked)), asked.get("kind", ""), _tick())
    return dict(zip(COUNTED, count(), strict=True))


@lru_cache(maxsize=256)
def _counting(stores: tuple[int, ...], kind: str, _tick: float) -> Callable[[], list[int]]:
    rows, packages = _of_kind(Order.objects.filter(merchant__in=stores), kind), _packages(stores, kind)
    trouble = in_trouble(packages)
    counted: list[QuerySet[Any, Any]] = [
        *(_of_tab(tab, rows).values("pk") for tab in COUNTED_TABS),
        # Counted by their packages, which are at hand: their orders would be looked up first, all of them.
        trouble.values("order").distinct(),
        trouble.filter(status__in=(states.UNKNOWN, states.CONFLICT)).values("pk"),
        _shipped_today(packages).values("pk"),
    ]
    return counting([part.order_by()[: AT_MOST + 1] for part in counted])


def _packages(stores: Collection[int], kind: str) -> QuerySet[Package]:
    packages = Package.objects.filter(merchant__in=stores)
    of_kind = _of_kind(Order.objects.filter(pk=OuterRef("order")), kind)
    return packages.filter(Exists(of_kind)) if kind else packages


def _shipped_today(packages: QuerySet[Package]) -> QuerySet[Package]:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return packages.filter(status=states.SHIPPED, status_at__gte=midnight)


class Trouble(NamedTuple):
    """How many packages of one's own need hands, and the newest of them if it was not seen yet.

    `mark` is when that one went wrong, in milliseconds; 0 without any.
    """

    total: int
    mark: int
    newest: Package | None


def trouble_of(user: User, seen: int | None) -> Trouble:
    """`seen`: the mark of what this person was shown before, None when nothing was."""
    rows = in_trouble(Package.objects.filter(sent_by=user))
    stores = stores_asked(user, {})
    total = rows.filter(merchant__in=stores).order_by()[:AT_MOST].count()
    moments = rows_of_each(_newest_moment(rows.filter(merchant=store)) for store in stores if total)
    at, newest = max(moments, default=(None, 0))
    mark = int(at.timestamp() * 1000) if at else 0
    is_new = seen is not None and mark > seen
    return Trouble(total, mark, packages_for(user).filter(pk=newest).first() if is_new else None)


def _newest_moment(rows: QuerySet[Package]) -> QuerySet[Any, Any]:
    return rows.order_by("-status_at", "-pk").values_list("status_at", "pk")[:1]
