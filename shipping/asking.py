"""What a person may ask of WeChat about an order: the rows the pages write and read."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from merchants.models import User

from .models import Order, OrderBody, OrderErrand
from .wake import wake

# One public client stops there, of its own caution (store-api 1.9).
LONGEST_NOTE = 450
SKU_CHANGE_WAITS = 3
TOLD_FOR = timedelta(minutes=10)
PLACE = ("user_name", "tel_number", "province_name", "city_name", "county_name", "detail_info")


def ask(*, order: Order, kind: str, user: User, notes: str = "") -> OrderErrand | None:
    """Write what is asked and wake a worker; None when another question of this order is still open."""
    try:
        with transaction.atomic():
            errand = OrderErrand.objects.create(
                order=order, kind=kind, notes=notes, asked_by=user, seen_hash=order.address_hash
            )
            wake("run_order_errand", str(errand.pk))
    except IntegrityError:
        return None
    return errand


@dataclass(frozen=True)
class SkuChange:
    """A line whose buyer wants another sku; the new one is known by its id only."""

    title: str
    attrs: str
    old_sku_id: str
    new_sku_id: str


@dataclass(frozen=True)
class Asked:
    """What waits for an answer at an order, and what became of the last question."""

    new_address: str = ""
    sku_changes: tuple[SkuChange, ...] = ()
    errand: OrderErrand | None = None


def asked_of(order: Order) -> Asked:
    """From the raw body, masked as it came; what the body does not hold is left blank."""
    body = OrderBody.objects.filter(order=order).first()
    detail = ((body.body.get("order") or body.body) if body else {}).get("order_detail") or {}
    return Asked(_new_address(order, detail), _sku_changes(order, detail), _to_tell(order))


def _new_address(order: Order, detail: dict[str, Any]) -> str:
    wanted = (detail.get("delivery_info") or {}).get("address_under_review") or {}
    parts = (str(wanted.get(name) or "") for name in PLACE) if isinstance(wanted, dict) else ()
    return " ".join(filter(None, parts)) if order.address_under_review else ""


def _sku_changes(order: Order, detail: dict[str, Any]) -> tuple[SkuChange, ...]:
    attrs = {line.sku_id: line.sku_attrs for line in order.lines.all()}
    found = []
    for line in detail.get("product_infos") or () if order.sku_change_waiting else ():
        change = line.get("change_sku_info") or {}
        if str(change.get("preshipment_change_sku_state")) == str(SKU_CHANGE_WAITS):
            old, new = (str(change.get(name) or "") for name in ("old_sku_id", "new_sku_id"))
            found.append(SkuChange(str(line.get("title") or ""), attrs.get(old, ""), old, new))
    return tuple(found)


def _to_tell(order: Order) -> OrderErrand | None:
    """The last question: open, failed, or just done."""
    last = order.errands.select_related("asked_by").first()
    is_done = last is not None and last.status == OrderErrand.Status.DONE
    is_old = bool(last and last.ended_at and last.ended_at < timezone.now() - TOLD_FOR)
    return None if is_done and is_old else last
