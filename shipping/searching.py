"""The search of the order list: whole numbers first, then whatever begins with what was typed."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from merchants.models import User

from .lists import AT_MOST, stores_asked
from .models import Order, OrderLine, Package, Parcel, SerialUse
from .unions import Prepared, prepared, rows_of_each

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
    stores = stores_asked(user, {})
    found = {key for (key,) in _exact(tuple(stores)).rows({TYPED: code})}
    exact = sorted(found, reverse=True)[:size]
    if exact or (typed.isascii() and len(typed) < SHORTEST_PREFIX):
        return exact
    ways = [*_by_id(stores, code), *_by_waybill(stores, code)]
    return _newest([*ways, *_by_goods(stores, typed, code), *_by_phone(stores, code)], size)


def order_id_of(user: User, key: int) -> str:
    """Of an order that a search of this person's found."""
    ((order_id,),) = _order_id(tuple(stores_asked(user, {}))).rows({FOUND: key})
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
