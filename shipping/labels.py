"""What an order said when the tracking number of its label was first entered, imported or printed."""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

from wechat.waybills import normalise

from . import states
from .drafts import Noted
from .models import Order, Package, Printing, Shipment, Typed
from .queries import address_of

NONE_CORRECTED: Mapping[int, Shipment] = {}


def noted_of(order: Order) -> Noted:
    """What is to be remembered of an order while its label is being used; goods only once they were read."""
    lines = order.all_lines if order.read_at else ()
    pairs = dict.fromkeys((line.product_id, line.sku_id) for line in lines)
    return Noted(order.address_hash, address_of(order), tuple(pairs))


def noted_by(shipment: Shipment) -> Noted | None:
    """What was noted when the label of a shipment came into use; None for one from before that was kept."""
    return read_noted(shipment.noted)


def read_noted(kept: dict[str, Any] | None) -> Noted | None:
    if not kept:
        return None
    goods = tuple((str(product), str(sku)) for product, sku in kept["goods"])
    return Noted(kept["address_hash"], kept["address"], goods)


def looked_at(noted: Noted) -> str:
    """A short word for what a page showed, so that a confirmation counts for that and nothing newer."""
    return sha256(repr((noted.address_hash, sorted(noted.goods))).encode()).hexdigest()[:16]


def noted_before(order: Order, waybills: Collection[str], corrects: Shipment | None = None) -> Noted | None:
    """What was noted when these tracking numbers were first entered, or their slip was printed.

    A slip printed later than that shows the order as it was then. None: nothing was noted yet.
    """
    return noted_of_many([order], {order.pk: waybills}, {order.pk: corrects} if corrects else {})[order.pk]


def noted_of_many(
    orders: Collection[Order],
    waybills: Mapping[int, Collection[str]],
    corrects: Mapping[int, Shipment] = NONE_CORRECTED,
) -> dict[int, Noted | None]:
    """`noted_before` of many orders in a few queries; numbers, and the shipment corrected, by order."""
    shipments, typed, printed = _shipments(orders, waybills), _typed(orders, waybills), _printings(orders)
    found: dict[int, Noted | None] = {}
    for order in orders:
        entered = corrects.get(order.pk) or shipments.get(order.pk) or typed.get(order.pk)
        printing = printed.get(order.pk)
        at = entered.noted_at if entered else None
        is_newer = printing is not None and (at is None or printing.at > at)
        kept = printing if is_newer else entered
        found[order.pk] = read_noted(kept.noted) if kept else None
    return found


def noted_at_label(order: Order, waybills: Collection[str]) -> Noted:
    return noted_before(order, waybills) or noted_of(order)


def _shipments(orders: Collection[Order], waybills: Mapping[int, Collection[str]]) -> dict[int, Shipment]:
    """Also one that was withdrawn or put back to draft: the label on the parcel is the same.

    The latest: a person who confirmed a change has looked since.
    """
    rows = Shipment.objects.filter(order__in=[order.pk for order in orders], noted__isnull=False).order_by(
        "id"
    )
    numbered = rows.exclude(packages__waybill_id="").values_list("pk", "order__pk", "packages__waybill_id")
    latest = {key: pk for pk, key, number in numbered if number in waybills.get(key, ())}
    return {shipment.order_id: shipment for shipment in rows.filter(pk__in=latest.values())}


def _typed(orders: Collection[Order], waybills: Mapping[int, Collection[str]]) -> dict[int, Typed]:
    """Whoever typed it first: a parcel that one person leaves another may finish."""
    found: dict[int, Typed] = {}
    for row in Typed.objects.filter(order__in=[order.pk for order in orders], noted__isnull=False).order_by(
        "noted_at"
    ):
        wanted = set(filter(None, waybills.get(row.order_id, ())))
        if wanted & {normalise(str(value)) for value in row.fields.values()}:
            found.setdefault(row.order_id, row)
    return found


def _printings(orders: Collection[Order]) -> dict[int, Printing]:
    """The latest slip of each, if it was printed for the parcel now being packed."""
    latest = {
        row.order_id: row
        for row in Printing.objects.filter(order__in=[order.pk for order in orders]).order_by("id")
    }
    shipped = Package.objects.filter(order__in=list(latest), status=states.SHIPPED).order_by("status_at")
    left = dict(shipped.values_list("order__pk", "status_at")) if latest else {}
    return {key: row for key, row in latest.items() if key not in left or row.at > left[key]}
