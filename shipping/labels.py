"""What an order said when the tracking number of its label was first entered, imported or printed."""

from collections.abc import Collection
from typing import Any

from wechat.waybills import normalise

from . import states
from .drafts import Noted
from .models import Order, Shipment
from .queries import address_of


def noted_of(order: Order) -> Noted:
    """What is to be remembered of an order while its label is being used."""
    pairs = dict.fromkeys((line.product_id, line.sku_id) for line in order.lines.all())
    return Noted(order.address_hash, address_of(order), tuple(pairs))


def noted_by(shipment: Shipment) -> Noted | None:
    """What was noted when the label of a shipment came into use; None for one from before that was kept."""
    return read_noted(shipment.noted)


def read_noted(kept: dict[str, Any] | None) -> Noted | None:
    if not kept:
        return None
    goods = tuple((str(product), str(sku)) for product, sku in kept["goods"])
    return Noted(kept["address_hash"], kept["address"], goods)


def noted_before(order: Order, waybills: Collection[str]) -> Noted | None:
    """What was noted with these tracking numbers, or with the slip printed for the parcel being packed.

    The latest word counts: a person who confirmed a change has looked since.
    """
    numbers = [number for number in waybills if number]
    return _noted_in_shipment(order, numbers) or _noted_while_typed(order, numbers) or _noted_in_print(order)


def noted_at_label(order: Order, waybills: Collection[str] = ()) -> Noted:
    return noted_before(order, waybills) or noted_of(order)


def _noted_in_shipment(order: Order, waybills: list[str]) -> Noted | None:
    """Also of one that was withdrawn or put back to draft: the label on the parcel is the same."""
    rows = order.shipments.filter(packages__waybill_id__in=waybills, noted__isnull=False)
    latest = rows.order_by("-id").first()
    return noted_by(latest) if latest else None


def _noted_while_typed(order: Order, waybills: list[str]) -> Noted | None:
    """Whoever typed it first: a parcel that one person leaves another may finish."""
    rows = order.typed.filter(noted__isnull=False).order_by("noted_at")
    held = (row for row in rows if {normalise(str(text)) for text in row.fields.values()} & set(waybills))
    return next((read_noted(row.noted) for row in held), None)


def _noted_in_print(order: Order) -> Noted | None:
    printing = order.printings.order_by("-id").first()
    shipped = order.packages.filter(status=states.SHIPPED).order_by("-status_at").first()
    is_for_this = printing and (shipped is None or printing.at > shipped.status_at)
    return read_noted(printing.noted) if printing and is_for_this else None
