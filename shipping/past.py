"""The managers' history: every package and every call, walked along an index one store at a time.

Of the filters the rarest leads, by an index of its own; the others are asked of each row it meets.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from merchants.models import Membership, Role, User
from merchants.queries import merchants_for
from wechat.waybills import normalise

from . import states
from .asked import day, moment, whole
from .lists import AT_MOST
from .models import Attempt, Courier, Order, Package
from .queries import packages_for
from .searching import SHORTEST_PREFIX, begins, with_device

Asked = Mapping[str, str]
# What is listed -> its rows, and the moment they are sorted by.
PACKAGES, CALLS = "packages", "calls"
MODELS: dict[str, type[Package] | type[Attempt]] = {PACKAGES: Package, CALLS: Attempt}
MOMENTS = {PACKAGES: "status_at", CALLS: "started_at"}
FILTERS = (
    "q", "merchant", "status", "code", "courier", "person", "batch", "since", "until",
    "purpose", "first", "took",
)  # fmt: skip
# Of a call these are asked of its packages, one by one: without a day to begin at it looks back this far.
OF_ITS_PACKAGES = ("status", "courier", "person", "batch", "purpose", "first", "took")
LOOKS_BACK = timedelta(days=31)
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
# A search by a beginning goes no further: who has more of the number types it.
FOUND_AT_MOST = 200
# Of a year: what is longer was never paid, or never read.
LONGEST_TAKEN = 60 * 24 * 366
# No row has them: a person nobody is, a batch that is no number, no code at all.
NOBODY, NO_CODE = 0, -(10**12)
# Columns in the order they lead in; packages that were shipped are many, all others few.
LEADS = ("errcode", "batch", "person", "delivery_id", "status")
RARE_FIRST = ("errcode", "batch", "status", "person", "delivery_id")
# Asked of each row only: no index leads to them.
NEVER_LEAD = ("slug", "kind")
NOTHING = {
    "errcode": NO_CODE - 1,
    "slug": "",
    "kind": "",
    "batch": NOBODY - 1,
    "person": NOBODY - 1,
    "delivery_id": "?",
    "status": "",
}
KEYS = {"batch": "batch_id", "person": "person_id"}


def asked_of(given: Mapping[str, str]) -> dict[str, str]:
    """The filters of a page, and of calls the day to begin at where they need one."""
    asked = {name: text for name in FILTERS if (text := given.get(name, "").replace("\x00", "").strip())}
    of_packages = any(name in asked for name in OF_ITS_PACKAGES) or _is_word(asked.get("code", ""))
    must_begin = given.get("show") == CALLS and of_packages
    if must_begin and not asked.get("q"):
        asked.setdefault("since", f"{timezone.localdate() - LOOKS_BACK:%Y-%m-%d}")
    return asked


# --- pages --------------------------------------------------------------------------------------------


def package_page(user: User, asked: Asked, before: str, size: int) -> list[Package]:
    """Packages of the manager's stores, last moved first."""
    keys = _page(user, PACKAGES, asked, before, size)
    found = with_what_a_row_shows(packages_for(user).filter(pk__in=keys)).in_bulk()
    return [found[key] for key in keys if key in found]


def with_what_a_row_shows(rows: QuerySet[Package]) -> QuerySet[Package]:
    return rows.select_related("person", "shipment__archive").prefetch_related("shipment__attempts")


def call_page(user: User, asked: Asked, before: str, size: int) -> list[Attempt]:
    """Calls for the manager's stores, the newest first, each with the packages it was for."""
    keys = _page(user, CALLS, asked, before, size)
    found = calls_for(user).filter(pk__in=keys).in_bulk()
    return [found[key] for key in keys if key in found]


def calls_for(user: User, role: str = Role.MANAGER) -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(merchant__in=merchants_for(user, role)).defer("request")
    rows = rows.select_related("merchant", "order", "shipment__created_by", "shipment__packer")
    return rows.prefetch_related("shipment__packages")


def mark_of(row: Package | Attempt) -> str:
    """Where a page ends, so that the next one begins behind it."""
    at = row.status_at if isinstance(row, Package) else row.started_at
    return f"{at.isoformat()}_{row.pk}"


def _page(user: User, what: str, asked: Asked, before: str, size: int) -> list[int]:
    column = MOMENTS[what]
    parts = (_after(rows_of(what, store, asked), column, before) for store in stores_of(user, asked))
    places = (place for part in parts for place in part.values_list(column, "pk")[:size])
    return [pk for _, pk in sorted(places, reverse=True)[:size]]


def _after(rows: QuerySet[Any], column: str, mark: str) -> QuerySet[Any]:
    at, _, pk = mark.rpartition("_")
    moved, last = moment(at), whole(pk)
    if moved is not None and last is not None:
        # The second term is a range for the index; an OR alone would be read from the beginning.
        rows = rows.filter(Q(**{f"{column}__lt": moved}) | Q(pk__lt=last), **{f"{column}__lte": moved})
    return rows.order_by(f"-{column}", "-pk")


def stores_of(user: User, asked: Asked) -> list[int]:
    """The stores asked for, of those this person manages."""
    rows, appid = merchants_for(user, Role.MANAGER), asked.get("merchant", "")
    return list((rows.filter(appid=appid) if appid else rows).order_by("pk").values_list("pk", flat=True))


# --- whole, for a file --------------------------------------------------------------------------------


def walk(what: str, store: int, asked: Asked, below: int | None) -> QuerySet[Any]:
    """All rows of a store behind `below`, the newest first by number, which no move of a package changes."""
    rows = rows_of(what, store, asked, is_led=False).order_by("-pk")
    return rows if below is None else rows.filter(pk__lt=below)


# --- filters ------------------------------------------------------------------------------------------


def rows_of(what: str, store: int, asked: Asked, *, is_led: bool = True) -> QuerySet[Any]:
    """The rows of one store that the filters let through; led by an index of theirs, or by none."""
    rows = _packages(store, asked, is_led) if what == PACKAGES else _calls(store, asked, is_led)
    if text := asked.get("q"):
        found = _found(store, text)
        key = "pk" if what == PACKAGES else "shipment"
        rows = rows.filter(**{f"{key}__in": found if what == PACKAGES else _shipments(found)})
    column = MOMENTS[what]
    if not is_led or asked.get("q"):
        rows, column = rows.alias(moment=Coalesce(F(column), F(column))), "moment"
    return _within(rows, column, asked.get("since", ""), asked.get("until", ""))


def _packages(store: int, asked: Asked, is_led: bool) -> QuerySet[Any]:
    rows, wanted = Package.objects.filter(merchant=store), _wanted(store, asked)
    if not asked.get("status"):
        rows = rows.exclude(status=states.DRAFT)
    leads = LEADS if wanted.get("status") == states.SHIPPED else RARE_FIRST
    columns = [column for column in leads if column in wanted]
    if columns and is_led and not asked.get("q"):
        lead = columns.pop(0)
        rows = rows.filter(**{lead: wanted[lead]})
    others = [*columns, *(column for column in NEVER_LEAD if column in wanted)]
    return _asked_of_the_board(_asked_of_each(rows, {column: wanted[column] for column in others}), asked)


def _calls(store: int, asked: Asked, is_led: bool) -> QuerySet[Any]:
    rows, wanted = Attempt.objects.filter(merchant=store), _wanted(store, asked)
    if (code := wanted.pop("errcode", None)) is not None:
        code_wanted = {"errcode": code}
        is_lead = is_led and not asked.get("q")
        rows = rows.filter(**code_wanted) if is_lead else _asked_of_each(rows, code_wanted)
    if not wanted and not _of_the_board(asked):
        return rows
    packages = _asked_of_each(Package.objects.filter(shipment=OuterRef("shipment")), wanted)
    return rows.filter(Exists(_asked_of_the_board(packages, asked)))


def _wanted(store: int, asked: Asked) -> dict[str, int | str]:
    """Column -> the value it must have; what names nothing is wanted all the same, and found nowhere."""
    readings = (
        ("status", "status", lambda text: text),
        ("errcode", "code", _number),
        ("kind", "purpose", lambda text: text),
        ("delivery_id", "courier", lambda text: _courier(store, text)),
        ("person", "person", lambda text: _person(store, text)),
        ("batch", "batch", lambda text: whole(text) or NOBODY),
    )
    wanted = {column: read(asked[name]) for column, name, read in readings if asked.get(name)}
    if _is_word(asked.get("code", "")):
        del wanted["errcode"]
        wanted["slug"] = asked["code"]
    return wanted


def _is_word(code: str) -> bool:
    """A refusal of our own has a word instead of a number."""
    return code.isidentifier() and code.isascii()


def _number(text: str) -> int:
    number = whole(text.removeprefix("-"))
    if number is None:
        return NO_CODE
    return -number if text.startswith("-") else number


def _courier(store: int, text: str) -> str:
    """A code or a name of the store's list; "-" is what goes without a courier."""
    if text == "-":
        return ""
    named = Courier.objects.filter(merchant=store, delivery_name=text)
    return named.values_list("delivery_id", flat=True).first() or normalise(text)


def _person(store: int, text: str) -> int:
    """By login, or by the name of somebody who works at the store or did."""
    here = User.objects.filter(Exists(Membership.objects.filter(user=OuterRef("pk"), merchant=store)))
    known = here.filter(Q(username=text) | Q(display_name=text)).order_by("pk").first()
    known = known or User.objects.filter(username=text).first()
    return known.pk if known else NOBODY


def _asked_of_each(rows: QuerySet[Any], wanted: Mapping[str, int | str]) -> QuerySet[Any]:
    """Through an expression, which no index is made for: statistics tell averages, and would mislead."""
    for column, value in wanted.items():
        name = f"its_{column}"
        of_its_own = Coalesce(F(KEYS.get(column, column)), Value(NOTHING[column]))
        rows = rows.alias(**{name: of_its_own}).filter(**{name: value})
    return rows


def _of_the_board(asked: Asked) -> bool:
    return bool(asked.get("first") or asked.get("took"))


def _asked_of_the_board(rows: QuerySet[Any], asked: Asked) -> QuerySet[Any]:
    """Of packages: whether they were the first try, and how many minutes after the payment they left."""
    if asked.get("first"):
        rows = rows.filter(shipment__corrects=None)
    least, _, most = asked.get("took", "").partition("-")
    for name, minutes in (("gte", whole(least)), ("lt", whole(most))):
        if minutes is not None:
            paid = F("order__paid_at") + timedelta(minutes=min(minutes, LONGEST_TAKEN))
            rows = rows.alias(left_at=Coalesce(F("status_at"), F("status_at"))).filter(
                **{f"left_at__{name}": paid}
            )
    return rows


def _within(rows: QuerySet[Any], column: str, since: str, until: str) -> QuerySet[Any]:
    """By moments, since no index is sorted by dates; a day is meant whole, a moment ends before itself."""
    if begins_at := _midnight(begin) if (begin := day(since)) else _moment(since):
        rows = rows.filter(**{f"{column}__gte": begins_at})
    end = day(until)
    ends_at = _midnight(min(end, LAST_DAY) + timedelta(days=1)) if end else _moment(until)
    return rows.filter(**{f"{column}__lt": ends_at}) if ends_at else rows


def _moment(text: str) -> datetime | None:
    found = moment(text)
    return found if found and FIRST_DAY < found.date() < LAST_DAY else None


def _midnight(of: date) -> datetime:
    """A year that no calendar of a database reaches is the nearest one that it does."""
    return timezone.make_aware(datetime.combine(min(max(of, FIRST_DAY), LAST_DAY), time.min))


# --- search -------------------------------------------------------------------------------------------


def _found(store: int, text: str) -> list[int]:
    """Packages of an order, with a tracking number or with a device; begun with the text where none is it."""
    code = normalise(text)
    if exact := _keys(_exactly(store, code)):
        return exact
    return _keys(_beginning(store, code), FOUND_AT_MOST) if len(code) >= SHORTEST_PREFIX else []


def _exactly(store: int, code: str) -> Iterator[QuerySet[Any, int]]:
    orders = Order.objects.filter(merchant=store, order_id=code).values_list("pk", flat=True)
    packages = Package.objects.order_by().values_list("pk", flat=True)
    yield packages.filter(order__in=list(orders))
    yield packages.filter(merchant=store, waybill_id=code)
    yield with_device(code, [store]).values_list("package__pk", flat=True)


def _beginning(store: int, code: str) -> Iterator[QuerySet[Any, int]]:
    numbers = Package.objects.filter(begins("waybill_id", code), merchant=store).order_by("waybill_id")
    yield numbers.values_list("pk", flat=True)
    orders = Order.objects.filter(begins("order_id", code), merchant=store).order_by("-order_id")
    some = list(orders.values_list("pk", flat=True)[:FOUND_AT_MOST])
    yield Package.objects.filter(order__in=some).order_by().values_list("pk", flat=True)


def _keys(ways: Iterable[QuerySet[Any, int]], most: int = AT_MOST) -> list[int]:
    return sorted({key for way in ways for key in way[:most]})


def _shipments(packages: list[int]) -> list[int]:
    rows = Package.objects.filter(pk__in=packages).order_by()
    return sorted(set(rows.values_list("shipment__pk", flat=True)))


def couriers_used(user: User) -> dict[str, str]:
    """What a courier may be named by: code -> name, of the stores this person manages."""
    rows = Courier.objects.filter(merchant__in=merchants_for(user, Role.MANAGER)).order_by("delivery_id")
    return dict(rows.values_list("delivery_id", "delivery_name"))


def people_of(user: User) -> list[User]:
    """Who works or worked at the stores this person manages."""
    here = Membership.objects.filter(user=OuterRef("pk"), merchant__in=merchants_for(user, Role.MANAGER))
    return list(User.objects.filter(Exists(here)).order_by("username"))
