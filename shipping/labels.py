"""What an order said when the tracking number of its label was first entered, imported or printed."""

from collections.abc import Collection
from hashlib import sha256
from typing import Any

from wechat.waybills import normalise

from . import states
from .drafts import Noted
from .models import Order, Printing, Shipment, Typed
from .queries import address_of


def noted_of(order: Order) -> Noted:
    """What is to be remembered of an order while its label is being used; goods only once they were read."""
    lines = order.lines.all() if order.read_at else ()
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
    entered = corrects or _shipment_with(order, waybills) or _typed_with(order, waybills)
    printing = _printing_for_this(order)
    at = entered.noted_at if entered else None
    if printing and (at is None or printing.at > at):
        return read_noted(printing.noted)
    return read_noted(entered.noted) if entered else None


def noted_at_label(order: Order, waybills: Collection[str]) -> Noted:
    return noted_before(order, waybills) or noted_of(order)


def _shipment_with(order: Order, waybills: Collection[str]) -> Shipment | None:
    """Also one that was withdrawn or put back to draft: the label on the parcel is the same.

    The latest: a person who confirmed a change has looked since.
    """
    rows = order.shipments.filter(packages__waybill_id__in=[*filter(None, waybills)], noted__isnull=False)
    return rows.order_by("-id").first()


def _typed_with(order: Order, waybills: Collection[str]) -> Typed | None:
    """Whoever typed it first: a parcel that one person leaves another may finish."""
    rows = order.typed.filter(noted__isnull=False).order_by("noted_at")
    wanted = set(filter(None, waybills))
    return next((row for row in rows if {normalise(str(v)) for v in row.fields.values()} & wanted), None)


def _printing_for_this(order: Order) -> Printing | None:
    """The latest slip, if it was printed for the parcel now being packed."""
    printing = order.printings.order_by("-id").first()
    shipped = order.packages.filter(status=states.SHIPPED).order_by("-status_at").first()
    is_for_this = printing and (shipped is None or printing.at > shipped.status_at)
    return printing if is_for_this else None
