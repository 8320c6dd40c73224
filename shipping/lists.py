"""The pages of the order list and the search: keyset paging, bounded counts, no OFFSET.

A page is walked along an index, one store and status at a time, and put together here: over several stores at
once a database would have to sort everything it finds before it can cut a page off.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
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
from .models import LAST_DAY, Hold, Order, OrderLine, Package, PackageItem, Parcel, Printing, SerialUse, bring
from .queries import can_ship, orders_for, packages_for
from .unions import Prepared, counts_of_each, prepared, rows_of_each

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


def _to_intercept(rows: Orders, user: User) -> Orders:
    """Left in the last two days, and an aftersale or another address since: the parcel should be caught."""
    since = timezone.now() - INTERCEPT_WITHIN
    left = Package.objects.filter(
        order=OuterRef("pk"), status=states.SHIPPED, status_at__gte=since, status_at__lte=OuterRef("alarm_at")
    )
    rows = rows.filter(Q(alarm_done_at=None) | Q(alarm_done_at__lt=F("alarm_at")), alarm_at__gte=since)
    return rows.filter(Exists(left))


# tab -> its orders of those a person may see that have one of its STATUSES
TABS: dict[str, Callable[[Orders, User], Orders]] = {
    "todo": lambda rows, user: without_held(rows),
    "partly": lambda rows, user: without_held(rows),
    "due": lambda rows, user: without_held(rows.filter(due_at__lt=timezone.now() + DUE_SOON)),
    "today": lambda rows, user: without_held(rows.filter(due_at__lt=day_ends())),
    "held": lambda rows, user: rows.filter(
        Q(status__in=WAITS_BY_NATURE) | Q(Exists(open_holds(OuterRef("pk"))))
    ),
    "trouble": _with_trouble,
    "intercept": _to_intercept,
    "shipped": lambda rows, user: rows,
    "mine": _my_trouble,
    "all": lambda rows, user: rows,
}
# tab -> the statuses its orders have; without any it is walked whole
STATUSES: dict[str, tuple[int, ...]] = {
    "todo": TO_SHIP,
    "partly": (21,),
    "due": TO_SHIP,
    "today": TO_SHIP,
    "held": (*TO_SHIP, *WAITS_BY_NATURE),
    "shipped": SHIPPED,
}
# Few orders are in these: found by their packages or alarms, then sorted.
PICKED = ("trouble", "intercept", "mine")
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


def order_page(user: User, tab: str, asked: Mapping[str, str], size: int) -> list[Order]:
    """One page of a tab, filtered by store and kind, begun after the mark of the page before."""
    is_newest, mark = tab in NEWEST_FIRST, asked.get("after", "")
    columns = ("pk",) if is_newest else ("due_at", "pk")
    parts = [_after(part, tab, mark) for part in _parts(user, tab, {} if tab in UNFILTERED else asked)]
    places = sorted(rows_of_each(part.values_list(*columns)[:size] for part in parts), reverse=is_newest)
    return in_order(user, [pk for *_, pk in places[:size]])


def _parts(user: User, tab: str, asked: Mapping[str, str]) -> list[Orders]:
    """A tab in pieces that an index walks in the order of the page."""
    stores = _stores(user, asked)
    if tab in PICKED:
        return [TABS[tab](_of_kind(Order.objects.filter(merchant__in=stores), asked), user)]
    rows = [_of_kind(Order.objects.filter(merchant=store), asked) for store in stores]
    # The newest of a kind have an index of their own, which knows no status.
    if tab not in STATUSES or (tab in NEWEST_FIRST and asked.get("kind", "") in KINDS):
        return [_of_tab(tab, part, user) for part in rows]
    return [TABS[tab](part.filter(status=status), user) for part in rows for status in STATUSES[tab]]


def _of_tab(tab: str, rows: Orders, user: User) -> Orders:
    return TABS[tab](rows.filter(status__in=STATUSES[tab]) if tab in STATUSES else rows, user)


def _stores(user: User, asked: Mapping[str, str]) -> list[int]:
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


def _filtered(user: User, asked: Mapping[str, str]) -> Orders:
    return _of_kind(Order.objects.filter(merchant__in=_stores(user, asked)), asked)


def _of_kind(rows: Orders, asked: Mapping[str, str]) -> Orders:
    column = KINDS.get(asked.get("kind", ""))
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


def tab_counts(user: User, asked: Mapping[str, str]) -> dict[str, int]:
    """Orders behind each tab, and packages shipped today; each counted to AT_MOST + 1."""
    rows, packages = _filtered(user, asked), _packages(user, asked)
    trouble = in_trouble(packages)
    counted: dict[str, QuerySet[Any, Any]] = {
        **{tab: _of_tab(tab, rows, user).values("pk") for tab in COUNTED_TABS},
        # Counted by their packages, which are at hand: their orders would be looked up first, all of them.
        "trouble": trouble.values("order").distinct(),
        "unclear": trouble.filter(status__in=(states.UNKNOWN, states.CONFLICT)).values("pk"),
        "today": _shipped_today(packages).values("pk"),
    }
    bounded = [part.order_by()[: AT_MOST + 1] for part in counted.values()]
    return dict(zip(counted, counts_of_each(bounded), strict=True))


def _packages(user: User, asked: Mapping[str, str]) -> QuerySet[Package]:
    packages = Package.objects.filter(merchant__in=_stores(user, asked))
    kind = _of_kind(Order.objects.filter(pk=OuterRef("order")), asked)
    return packages.filter(Exists(kind)) if asked.get("kind") else packages


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
    stores = _stores(user, {})
    total = rows.filter(merchant__in=stores).order_by()[:AT_MOST].count()
    moments = rows_of_each(_newest_moment(rows.filter(merchant=store)) for store in stores if total)
    at, newest = max(moments, default=(None, 0))
    mark = int(at.timestamp() * 1000) if at else 0
    is_new = seen is not None and mark > seen
    return Trouble(total, mark, packages_for(user).filter(pk=newest).first() if is_new else None)


def _newest_moment(rows: QuerySet[Package]) -> QuerySet[Any, Any]:
    return rows.order_by("-status_at", "-pk").values_list("status_at", "pk")[:1]


# --- search -------------------------------------------------------------------------------------------

# Two letters are on half of all orders; two Chinese characters are a word.
SHORTEST_PREFIX = 3
LAST_SIGN = "\U0010ffff"
# Stands for what is typed, which has no such sign in it.
TYPED = "\0"
# Stands for the key of what was found: no row has it.
FOUND = -1


def search(user: User, typed: str, code: str, size: int) -> list[int]:
    """Keys of orders whose id, waybill, goods or phone begin with what was typed; `code` is it normalised.

    An exact order id, waybill or number of a device comes alone.
    """
    stores = _stores(user, {})
    found = {key for (key,) in _exact(tuple(stores)).rows({TYPED: code})}
    exact = sorted(found, reverse=True)[:size]
    if exact or (typed.isascii() and len(typed) < SHORTEST_PREFIX):
        return exact
    ways = [*_by_id(stores, code), *_by_waybill(stores, code)]
    return _newest([*ways, *_by_goods(stores, typed, code), *_by_phone(stores, code)], size)


def order_id_of(user: User, key: int) -> str:
    """Of an order that a search of this person's found."""
    ((order_id,),) = _order_id(tuple(_stores(user, {}))).rows({FOUND: key})
    return str(order_id)


@lru_cache(maxsize=256)
def _order_id(stores: tuple[int, ...]) -> Prepared:
    return prepared([Order.objects.filter(pk=FOUND, merchant__in=stores).values_list("order_id")])


@lru_cache(maxsize=256)
def _exact(stores: tuple[int, ...]) -> Prepared:
    """Whoever types a whole number waits for nothing else: only what was typed is new in this question."""
    same_id = Order.objects.filter(merchant__in=stores, order_id=TYPED).values_list("pk", flat=True)
    ours = Package.objects.filter(merchant__in=stores, waybill_id=TYPED).order_by()
    shown = Parcel.objects.filter(_of_stores(stores), waybill_id=TYPED).values_list("order_id", flat=True)
    by_device = with_device(TYPED, stores).values_list("package__order__pk", flat=True)
    ways = (same_id, ours.values_list("order_id", flat=True), shown, by_device)
    return prepared([way[:AT_MOST] for way in ways])


Ways = Iterable[QuerySet[Any, int]]


def begins(column: str, text: str) -> Q:
    """A prefix as a range: LIKE would not use the index."""
    return Q(**{f"{column}__gte": text, f"{column}__lt": text + LAST_SIGN})


def _by_id(stores: list[int], code: str) -> Ways:
    rows = Order.objects.filter(begins("order_id", code)).order_by("-order_id").values_list("pk", flat=True)
    return (rows.filter(merchant=store) for store in stores)


def _by_waybill(stores: list[int], code: str) -> Ways:
    """Of our packages, and of what others registered."""
    wanted, order = begins("waybill_id", code), "waybill_id"
    ours = Package.objects.filter(wanted).order_by(order).values_list("order_id", flat=True)
    shown = Parcel.objects.filter(wanted, _of_stores(stores)).order_by(order)
    return (*(ours.filter(merchant=store) for store in stores), shown.values_list("order_id", flat=True))


def _by_goods(stores: list[int], typed: str, code: str) -> Ways:
    """Merchant codes are mostly in upper case, and typed in lower."""
    asked = [("title", typed), ("sku_code", typed), ("sku_code", code), ("product_id", code)]
    for name, text in dict.fromkeys(asked):
        if text:
            rows = OrderLine.objects.filter(begins(name, text), _of_stores(stores)).order_by(name)
            yield rows.values_list("order_id", flat=True)


def _by_phone(stores: list[int], code: str) -> Ways:
    if len(code) != 4 or not code.isdigit():
        return ()
    rows = Order.objects.filter(phone_last4=code).order_by("-pk").values_list("pk", flat=True)
    return (rows.filter(merchant=store) for store in stores)


def with_device(number: str, stores: Collection[int]) -> QuerySet[SerialUse]:
    """Where a number of a device is or was used in these stores: asked of each row found."""
    theirs = Exists(Package.objects.filter(pk=OuterRef("package"), merchant__in=stores))
    return SerialUse.objects.filter(theirs, number=number).order_by()


def _of_stores(stores: Collection[int]) -> Exists:
    """The row's order is of one of these: asked of each row found, so that the row's own index leads."""
    return Exists(Order.objects.filter(pk=OuterRef("order"), merchant__in=stores))


def _newest(ways: Ways, size: int) -> list[int]:
    """Each way goes along its own index; the newest of the first thousand it meets."""
    found = {key for (key,) in rows_of_each(way[:AT_MOST] for way in ways)}
    return sorted(found, reverse=True)[:size]
