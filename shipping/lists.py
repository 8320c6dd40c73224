"""The pages of the order list, the search and the history: keyset paging, bounded counts, no OFFSET."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from merchants.models import Role, User
from merchants.queries import merchants_for

from . import states
from .asked import day, moment, whole
from .models import Order, OrderLine, Package, Printing
from .queries import can_ship, open_holds, orders_for, packages_for

Orders = QuerySet[Order]
TROUBLE = (states.REJECTED, states.UNKNOWN, states.CONFLICT)
TO_SHIP, SHIPPED, WAITS_BY_NATURE = (20, 21), (30, 100), (12, 13)
DUE_SOON, INTERCEPT_WITHIN = timedelta(hours=24), timedelta(hours=48)
LAST_DAY = datetime(9999, 1, 1, tzinfo=UTC)
# A count goes no further: nobody needs it, and a list must not crawl for it.
AT_MOST = 1000
NEXT_LOOKS = 30


def _unheld(rows: Orders) -> Orders:
    return rows.filter(~Exists(open_holds(OuterRef("pk"))))


def in_trouble(packages: QuerySet[Package]) -> QuerySet[Package]:
    """Packages that need hands: refused and not corrected yet, unknown, in conflict."""
    return packages.filter(status__in=TROUBLE, shipment__corrections=None)


def _with_trouble(rows: Orders, user: User) -> Orders:
    return rows.filter(Exists(in_trouble(Package.objects.filter(order=OuterRef("pk")))))


def _my_trouble(rows: Orders, user: User) -> Orders:
    mine = Package.objects.filter(order=OuterRef("pk"), shipment__created_by=user)
    return rows.filter(Exists(in_trouble(mine)))


def _to_intercept(rows: Orders, user: User) -> Orders:
    """Left in the last two days, and an aftersale or another address since: the parcel should be caught."""
    since = timezone.now() - INTERCEPT_WITHIN
    left = Package.objects.filter(
        order=OuterRef("pk"), status=states.SHIPPED, status_at__gte=since, status_at__lte=OuterRef("alarm_at")
    )
    rows = rows.filter(Q(alarm_done_at=None) | Q(alarm_done_at__lt=F("alarm_at")), alarm_at__gte=since)
    return rows.filter(Exists(left))


# tab -> its orders of those a person may see
TABS: dict[str, Callable[[Orders, User], Orders]] = {
    "todo": lambda rows, user: _unheld(rows.filter(status__in=TO_SHIP)),
    "partly": lambda rows, user: _unheld(rows.filter(status=21)),
    "due": lambda rows, user: _unheld(
        rows.filter(status__in=TO_SHIP, deadline_at__lt=timezone.now() + DUE_SOON)
    ),
    "held": lambda rows, user: rows.filter(
        Q(Exists(open_holds(OuterRef("pk"))), status__in=TO_SHIP) | Q(status__in=WAITS_BY_NATURE)
    ),
    "trouble": _with_trouble,
    "intercept": _to_intercept,
    "shipped": lambda rows, user: rows.filter(status__in=SHIPPED),
    "mine": _my_trouble,
    "all": lambda rows, user: rows,
}
NEWEST_FIRST = ("shipped", "all")
# One's own trouble is shown whole, whatever store and kind one was looking at.
UNFILTERED = ("mine",)
# filter -> the orders of that kind
KINDS: dict[str, Q] = {
    "virtual": Q(deliver_method__in=(1, 3)),
    "subsidy": Q(is_subsidy=True),
    "presale": Q(is_presale=True),
    "gift": Q(is_present=True),
    "city": Q(is_intra_city=True),
    "dropship": Q(is_dropship=True),
    "inspect": Q(quality_inspect_type__gt=0),
    "notes": ~Q(customer_notes="") | ~Q(merchant_notes=""),
}


def order_page(user: User, tab: str, asked: Mapping[str, str], size: int) -> list[Order]:
    """One page of a tab, filtered by store and kind, begun after the mark of the page before."""
    rows = TABS[tab](orders_for(user) if tab in UNFILTERED else _filtered(user, asked), user)
    return list(with_everything(_after(rows, tab, asked.get("after", "")))[:size])


def next_to_ship(user: User, tab: str, asked: Mapping[str, str], done: Order) -> Order | None:
    """The next order of a list that can be shipped, after the one just done; then from its beginning."""
    places = (mark_of(done, tab), "")
    pages = (order_page(user, tab, {**asked, "after": place}, NEXT_LOOKS) for place in places)
    return next((o for page in pages for o in page if o.pk != done.pk and can_ship(o)), None)


def _filtered(user: User, asked: Mapping[str, str]) -> Orders:
    rows = orders_for(user)
    if appid := asked.get("merchant", ""):
        rows = rows.filter(merchant__appid=appid)
    kind = KINDS.get(asked.get("kind", ""))
    return rows.filter(kind) if kind is not None else rows


def _after(rows: Orders, tab: str, mark: str) -> Orders:
    if tab in NEWEST_FIRST:
        rows = rows.order_by("-pk")
        last = whole(mark)
        return rows if last is None else rows.filter(pk__lt=last)
    rows = rows.annotate(due=Coalesce("deadline_at", Value(LAST_DAY))).order_by("due", "pk")
    deadline, _, pk = mark.rpartition("_")
    due, last = moment(deadline), whole(pk)
    if due is None or last is None:
        return rows
    return rows.filter(Q(due__gt=due) | Q(due=due, pk__gt=last))


def mark_of(order: Order, tab: str) -> str:
    """Where a page ends, so that the next one begins behind it."""
    return (
        str(order.pk) if tab in NEWEST_FIRST else f"{(order.deadline_at or LAST_DAY).isoformat()}_{order.pk}"
    )


def with_everything(rows: Orders) -> Orders:
    """What a row of the list shows, in a handful of queries."""
    packages = Package.objects.select_related("shipment__created_by").order_by("pk")
    packages = packages.prefetch_related("items", "shipment__corrections")
    printings = Prefetch("printings", Printing.objects.select_related("by"))
    return rows.prefetch_related("lines", "parcels", "holds", Prefetch("packages", packages), printings)


# --- counts -------------------------------------------------------------------------------------------

COUNTED_TABS = ("todo", "partly", "due", "held", "trouble", "intercept")


def tab_counts(user: User, asked: Mapping[str, str]) -> dict[str, int]:
    """Orders behind each tab, and packages shipped today; each counted to AT_MOST + 1."""
    rows = _filtered(user, asked)
    counts = {tab: _bounded(TABS[tab](rows, user)) for tab in COUNTED_TABS}
    packages = packages_for(user).filter(order__in=rows) if asked.get("kind") else _packages(user, asked)
    unclear = packages.filter(status__in=(states.UNKNOWN, states.CONFLICT))
    return counts | {"unclear": _bounded(unclear), "today": _bounded(_shipped_today(packages))}


def _packages(user: User, asked: Mapping[str, str]) -> QuerySet[Package]:
    appid = asked.get("merchant", "")
    return packages_for(user).filter(merchant__appid=appid) if appid else packages_for(user)


def _shipped_today(packages: QuerySet[Package]) -> QuerySet[Package]:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return packages.filter(status=states.SHIPPED, status_at__gte=midnight)


def _bounded(rows: QuerySet[Any]) -> int:
    return rows.order_by()[: AT_MOST + 1].count()


def my_trouble(user: User) -> QuerySet[Package]:
    """The packages this person sent that need hands, the newest first."""
    mine = in_trouble(packages_for(user).filter(shipment__created_by=user))
    return mine.order_by("-status_at", "-pk")


class Trouble(NamedTuple):
    """How many packages of one's own need hands, and the newest of them if it was not seen yet.

    `mark` is when that one went wrong, in milliseconds; 0 without any.
    """

    total: int
    mark: int
    newest: Package | None


def trouble_of(user: User, seen: int | None) -> Trouble:
    """`seen`: the mark of what this person was shown before, None when nothing was."""
    rows = my_trouble(user)
    newest = rows.first()
    mark = int(newest.status_at.timestamp() * 1000) if newest else 0
    is_new = seen is not None and mark > seen
    return Trouble(rows[:AT_MOST].count(), mark, newest if is_new else None)


# --- search -------------------------------------------------------------------------------------------

# Two letters are on half of all orders; two Chinese characters are a word.
SHORTEST_PREFIX = 3
LAST_SIGN = "\U0010ffff"


def search(user: User, typed: str, code: str, size: int) -> list[Order]:
    """Orders whose id, waybill, goods or phone begin with what was typed; `code` is it normalised.

    An exact order id or waybill comes alone.
    """
    exact = _newest(user, [Q(order_id=code), *_by_waybill(code, exact=True)], size)
    if exact or (typed.isascii() and len(typed) < SHORTEST_PREFIX):
        return exact
    ways = [_begins("order_id", code), *_by_waybill(code, exact=False), *_by_goods(typed, code)]
    if len(code) == 4 and code.isdigit():
        ways.append(Q(phone_last4=code))
    return _newest(user, ways, size)


def _begins(column: str, text: str) -> Q:
    """A prefix as a range: LIKE would not use the index."""
    return Q(**{f"{column}__gte": text, f"{column}__lt": text + LAST_SIGN})


def _by_waybill(code: str, *, exact: bool) -> list[Q]:
    columns = ("packages__waybill_id", "parcels__waybill_id")
    return [Q(**{column: code}) if exact else _begins(column, code) for column in columns]


def _by_goods(typed: str, code: str) -> list[Q]:
    """Merchant codes are mostly in upper case, and typed in lower."""
    rows = OrderLine.objects.filter(order=OuterRef("pk"))
    asked = [("title", typed), ("sku_code", typed), ("sku_code", code), ("product_id", code)]
    return [Q(Exists(rows.filter(_begins(name, text)))) for name, text in dict.fromkeys(asked) if text]


def _newest(user: User, ways: list[Q], size: int) -> list[Order]:
    """Each way is a query of its own, so that each can use its index."""
    found: dict[int, None] = {}
    for way in ways:
        keys = orders_for(user).filter(way).order_by("-pk").values_list("pk", flat=True)
        found |= dict.fromkeys(keys[:size])
    rows = orders_for(user).filter(pk__in=sorted(found, reverse=True)[:size]).order_by("-pk")
    return list(with_everything(rows))


# --- history ------------------------------------------------------------------------------------------

HISTORY_FILTERS = {
    "merchant": "merchant__appid",
    "status": "status",
    "person": "shipment__created_by__username",
}


def history_page(user: User, asked: Mapping[str, str], size: int) -> list[Package]:
    """Packages of the manager's stores, newest first; unknown filter values show nothing of others."""
    rows = packages_for(user).filter(merchant__in=merchants_for(user, Role.MANAGER)).order_by("-pk")
    if not asked.get("status"):
        rows = rows.exclude(status=states.DRAFT)
    for name, column in HISTORY_FILTERS.items():
        if value := asked.get(name, "").strip():
            rows = rows.filter(**{column: value})
    for name, column in (("since", "status_at__date__gte"), ("until", "status_at__date__lte")):
        if date := day(asked.get(name, "")):
            rows = rows.filter(**{column: date})
    if (last := whole(asked.get("before", ""))) is not None:
        rows = rows.filter(pk__lt=last)
    code = asked.get("code", "").strip()
    if (number := whole(code.removeprefix("-"))) is not None:
        rows = rows.filter(errcode=-number if code.startswith("-") else number)
    return list(rows.prefetch_related("shipment__attempts")[:size])
