"""What other rows say about orders: packages under way, holds, numbers used elsewhere; many at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from merchants.once import once
from wechat.orders import parse_order
from wechat.waybills import normalise

from . import states
from .drafts import Pair, SerialHolder
from .models import Courier, Hold, Order, OrderBody, Package, Shipment
from .serials import holders

# Codes that tell something about goods which no field of the order does.
MET_BEFORE, NEEDS_EWAYBILL, COURIER_REFUSED = (606037, 268545006), 606046, 606061
NO_MORE_CORRECTIONS = 606041
Numbers = Mapping[int, Collection[str]]
Met = frozenset[tuple[int, str, str]]


@dataclass
class Around:
    """What stands around one order; couriers None: the store's list was never read."""

    ours: list[Package] = field(default_factory=list)
    hold: Hold | None = None
    elsewhere: dict[str, str] = field(default_factory=dict)
    serials_used: dict[str, SerialHolder] = field(default_factory=dict)
    subsidised: set[Pair] = field(default_factory=set)
    needs_ewaybill: bool = False
    no_more_corrections: bool = False
    # Parcels of the store are saved and wait; told to preflight only.
    is_paused: bool = False
    couriers: dict[str, str] | None = None
    initials: dict[str, str] = field(default_factory=dict)
    met_before: Met = frozenset()


class Carrier(NamedTuple):
    """An order that a number is on."""

    store: int
    order: int
    order_id: str
    openid: str
    address_hash: str

    def is_of(self, order: Order) -> bool:
        """Whether it is this order, or one of the same buyer at the same address."""
        same_buyer = (self.openid, self.address_hash) == (order.openid, order.address_hash)
        return self.order == order.pk or same_buyer


def open_holds(order: Any, now: datetime | None = None) -> QuerySet[Hold]:
    """Holds in force: not released, their time not come. `order`: one, or what a query names."""
    return _in_force(Hold.objects.filter(order=order), now or timezone.now())


def _in_force(holds: QuerySet[Hold], now: datetime) -> QuerySet[Hold]:
    runs = Q(until=None) | Q(until__gt=now)
    return holds.filter(runs, released_at=None).select_related("held_by")


def look_around(
    orders: Collection[Order],
    *,
    waybills: Numbers,
    serials: Numbers,
    excluding: Collection[Shipment] = (),
    stores: Collection[int] = (),
) -> dict[int, Around]:
    """Order -> what stands around it, in a handful of queries however many there are.

    `waybills` and `serials`: by order, looked for on other orders, of the same store and of `stores`.
    `excluding` leaves out the shipments being checked. The orders' lines are best prefetched.
    """
    found = {order.pk: Around() for order in orders}
    _add_packages(found, excluding)
    for hold in _in_force(Hold.objects.filter(order__in=found), timezone.now()):
        found[hold.order_id].hold = found[hold.order_id].hold or hold
    _add_couriers(found, orders)
    _add_subsidies(found, orders)
    _add_met(found, orders)
    _add_numbers(found, orders, waybills, stores)
    _add_serials(found, orders, serials, stores, excluding)
    return found


def _add_packages(found: dict[int, Around], excluding: Collection[Shipment]) -> None:
    holds, own = Q(status__in=states.HOLDS_GOODS), {shipment.pk for shipment in excluding}
    told = Q(errcode__in=(NEEDS_EWAYBILL, NO_MORE_CORRECTIONS))
    rows = Package.objects.filter((holds & ~Q(shipment__in=own)) | told, order__in=found)
    for package in rows.prefetch_related("items"):
        around = found[package.order_id]
        if package.status in states.HOLDS_GOODS and package.shipment_id not in own:
            around.ours.append(package)
        around.needs_ewaybill |= package.errcode == NEEDS_EWAYBILL
        around.no_more_corrections |= package.errcode == NO_MORE_CORRECTIONS


def _add_couriers(found: dict[int, Around], orders: Collection[Order]) -> None:
    stores = frozenset(order.merchant_id for order in orders)
    listed = once(("couriers", stores), lambda: _couriers(stores))
    for order in orders:
        store, around = order.merchant, found[order.pk]
        names, around.initials = listed.get(store.pk, ({}, {}))
        around.couriers = names if store.couriers_read_at else None


def _couriers(stores: Collection[int]) -> dict[int, tuple[dict[str, str], dict[str, str]]]:
    """Each store's list: the names and the initials by `delivery_id`."""
    listed: dict[int, tuple[dict[str, str], dict[str, str]]] = {}
    rows = Courier.objects.filter(merchant__in=stores, is_listed=True)
    for store, code, name, initials in rows.values_list(
        "merchant__pk", "delivery_id", "delivery_name", "initials"
    ):
        names, first_letters = listed.setdefault(store, ({}, {}))
        names[code], first_letters[code] = name, initials
    return listed


def _add_subsidies(found: dict[int, Around], orders: Collection[Order]) -> None:
    """The goods the subsidy is on, from the raw body; empty when only the order as a whole shows one."""
    marked = [order.pk for order in orders if order.is_subsidy]
    for kept in OrderBody.objects.filter(order__in=marked) if marked else ():
        lines = parse_order(kept.body).lines
        found[kept.order_id].subsidised = {(x.product_id, x.sku_id) for x in lines if x.is_subsidy}


def _add_met(found: dict[int, Around], orders: Collection[Order]) -> None:
    """What the platform refused earlier for these goods: (code, product, sku), for 606061 the courier."""
    products = {order.pk: {line.product_id for line in order.all_lines} for order in orders}
    stores = frozenset(order.merchant_id for order in orders)
    asked = frozenset[str]().union(*products.values())
    met = once(("met", stores, asked), lambda: _met(stores, asked))
    for order in orders:
        own = met.get(order.merchant_id, ())
        found[order.pk].met_before = frozenset(row for row in own if row[1] in products[order.pk])


def _met(stores: Collection[int], products: Collection[str]) -> dict[int, set[tuple[int, str, str]]]:
    rows = Package.objects.filter(
        merchant__in=stores, errcode__in=(*MET_BEFORE, COURIER_REFUSED), items__product_id__in=products
    ).values_list("merchant__pk", "errcode", "items__product_id", "items__sku_id", "delivery_id")
    met: dict[int, set[tuple[int, str, str]]] = defaultdict(set)
    for store, code, product, sku, courier in rows:
        met[store].add((int(code or 0), product, courier if code == COURIER_REFUSED else sku))
    return met


def _add_numbers(
    found: dict[int, Around], orders: Collection[Order], waybills: Numbers, stores: Collection[int]
) -> None:
    """Which of these numbers other buyers' orders carry."""
    asked = {number for numbers in waybills.values() for number in numbers}
    carriers = _carriers(asked, {*stores, *(order.merchant_id for order in orders)}) if asked else {}
    for order in orders:
        allowed = {order.merchant_id, *stores}
        found[order.pk].elsewhere = {
            number: other.order_id
            for number in waybills.get(order.pk, ())
            for other in carriers.get(number, ())
            if other.store in allowed and not other.is_of(order)
        }


def _carriers(numbers: Collection[str], stores: Collection[int]) -> dict[str, list[Carrier]]:
    rows = Package.objects.filter(merchant__in=stores, waybill_id__in=numbers, status__in=states.HOLDS_GOODS)
    whose = ("merchant__pk", "order__pk", "order__order_id", "order__openid", "order__address_hash")
    carriers: dict[str, list[Carrier]] = defaultdict(list)
    for number, *place in rows.values_list("waybill_id", *whose):
        carriers[number].append(Carrier(*place))
    return carriers


def _add_serials(
    found: dict[int, Around],
    orders: Collection[Order],
    serials: Numbers,
    stores: Collection[int],
    excluding: Collection[Shipment],
) -> None:
    """Which of these devices other packages hold, by the ledger."""
    asked = {normalise(number) for numbers in serials.values() for number in numbers if number}
    held = holders(asked, {*stores, *(order.merchant_id for order in orders)}, excluding) if asked else ()
    for order in orders:
        own, allowed = set(map(normalise, serials.get(order.pk, ()))), {order.merchant_id, *stores}
        found[order.pk].serials_used = {
            number: holder for store, number, holder in held if store in allowed and number in own
        }
