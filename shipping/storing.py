"""One order as the platform answered it, into rows (store-api 1.3): what differs is written, never older."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, prefetch_related_objects
from django.utils import timezone

from merchants import events
from merchants.models import Merchant
from merchants.once import knowing, once
from wechat.orders import MalformedOrder, OrderData, ParcelData, parse_order
from wechat.replies import Reply

from .erasing import PERSONAL
from .models import Attempt, Order, OrderBody, OrderLine, Parcel, Reading
from .serials import release_returned

SAME_NAME = (
    "status", "deliver_method", "openid", "address_hash", "receiver", "phone", "region", "customer_notes",
    "merchant_notes", "order_price", "on_aftersale", "address_under_review", "sku_change_waiting",
    "is_subsidy", "is_present", "is_presale", "is_dropship", "is_intra_city", "has_risk",
    "quality_inspect_type", "inspect_status",
)  # fmt: skip
LINE_NAMES = (
    "product_id", "sku_id", "sku_cnt", "on_aftersale_sku_cnt", "finish_aftersale_sku_cnt", "title",
    "thumb_img", "sku_code", "sku_attrs", "sale_price", "is_free_gift", "gift_of",
)  # fmt: skip
PARCEL_NAMES = ("delivery_id", "waybill_id", "deliver_type", "delivered_at", "items")


def moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds else None


def store_reply(merchant: Merchant, order_id: str, reply: Reply, began: datetime) -> Order | None:
    """Store an order/get answer begun at `began`; None if it holds no such order."""
    if not reply.ok:
        return None
    try:
        data = parse_order(reply.data)
    except MalformedOrder:
        return None
    if data.order_id != order_id:
        return None
    return apply_order(merchant, data, reply.data, began)


@transaction.atomic(savepoint=False)
def apply_order(merchant: Merchant, data: OrderData, raw: dict[str, Any], began: datetime) -> Order:
    """Write what was read; an older read, or one begun before our last call ended, changes nothing."""
    order = once(_question(merchant.pk, data.order_id), lambda: _take_up(merchant, data.order_id))
    if _is_stale(order, data, began):
        return order
    if order.erased_at:
        data = replace(data, **BUYER)
    # Most reads show nothing new: what is known is read once, and only what differs is written.
    refunded = _refunded_since(order, data)
    _write_order(order, data, began)
    _replace_lines(order, data)
    release_returned(order, refunded)
    _replace_parcels(order, data)
    if not order.erased_at:
        _keep_body(order, raw, began)
    _answer_the_event(order, began)
    return order


def take_up(orders: Collection[Order]) -> None:
    """Orders that are about to be written in this commit, read in a handful of queries for all of them."""
    taken = _read_locked(Order.objects.filter(pk__in=[order.pk for order in orders]))
    for order in taken:
        knowing(_question(order.merchant_id, order.order_id), order)


def _take_up(merchant: Merchant, order_id: str) -> Order:
    rows = Order.objects.filter(merchant=merchant, order_id=order_id)
    if known := _read_locked(rows):
        return known[0]
    rows.get_or_create(merchant=merchant, order_id=order_id)
    return _read_locked(rows)[0]


def _read_locked(rows: QuerySet[Order]) -> list[Order]:
    """With all that a read is compared with. Two reads of one order are written one after the other."""
    rows.update(revision=F("revision"))
    sent = Attempt.objects.filter(order=OuterRef("pk"), sent_at__isnull=False).order_by("-id")
    last = {"last_call": Subquery(sent.values("pk")[:1]), "last_end": Subquery(sent.values("ended_at")[:1])}
    orders = list(rows.select_related("merchant", "reading").annotate(**last))
    prefetch_related_objects(orders, "lines", "parcels")
    return orders


def _question(merchant_id: int, order_id: str) -> tuple[str, int, str]:
    return "order", merchant_id, order_id


def _write_order(order: Order, data: OrderData, began: datetime) -> None:
    fresh = {name: getattr(data, name) for name in SAME_NAME} | {
        "phone_last4": "".join(filter(str.isdigit, data.phone[-4:])) if len(data.phone) >= 7 else "",
        "placed_at": moment(data.create_time),
        "paid_at": moment(data.pay_time),
        "platform_updated_at": moment(data.update_time),
        "deadline_at": moment(data.deadline),
        "read_at": began,
        "alarm_at": timezone.now() if is_alarming(order, data) else order.alarm_at,
    }
    changed = {name: value for name, value in fresh.items() if getattr(order, name) != value}
    for name, value in changed.items():
        setattr(order, name, value)
    order.save(update_fields=changed)


def _keep_body(order: Order, raw: dict[str, Any], began: datetime) -> None:
    if not OrderBody.objects.filter(order=order).update(body=raw, read_at=began):
        OrderBody.objects.create(order=order, body=raw, read_at=began)


def _answer_the_event(order: Order, began: datetime) -> None:
    """Whoever read it: an event that came before is over. A person's wish is more, see `rereading`."""
    if getattr(order, "reading", None) is None:
        return
    asked = Reading.objects.filter(order=order, asked_at__lte=began, asked_by=None)
    if asked.delete()[0]:
        events.handled(order.merchant, order.order_id, began)


# What an answer says about its buyer; shipping.erasing removes it.
BUYER: dict[str, Any] = {name: "" for name in PERSONAL if name != "phone_last4"}


def is_alarming(order: Order, data: OrderData) -> bool:
    """Whether this read shows an aftersale or another address that the one before did not."""
    if order.read_at is None:
        return False
    is_new_aftersale = data.on_aftersale > order.on_aftersale
    is_moving = data.address_under_review and not order.address_under_review
    has_moved = bool(order.address_hash and data.address_hash) and order.address_hash != data.address_hash
    return is_new_aftersale or is_moving or has_moved or _came_back(order, data)


def _came_back(order: Order, data: OrderData) -> bool:
    """Whether an aftersale began and ended between the two reads."""
    known = sum(line.finish_aftersale_sku_cnt for line in order.lines.all())
    return not order.on_aftersale and sum(line.finish_aftersale_sku_cnt for line in data.lines) > known


def _refunded_since(order: Order, data: OrderData) -> set[tuple[str, str]]:
    """The goods of which more are refunded than at the read before."""
    known, fresh = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for line in order.lines.all():
        known[(line.product_id, line.sku_id)] += line.finish_aftersale_sku_cnt
    for line_data in data.lines:
        fresh[(line_data.product_id, line_data.sku_id)] += line_data.finish_aftersale_sku_cnt
    return set(fresh - known)


def _is_stale(order: Order, data: OrderData, began: datetime) -> bool:
    known, fresh = order.platform_updated_at, moment(data.update_time)
    if known and fresh and fresh < known:
        return True
    last_call, last_end = getattr(order, "last_call", None), getattr(order, "last_end", None)
    return last_call is not None and (last_end is None or last_end > began)


def _replace_lines(order: Order, data: OrderData) -> None:
    known = [
        {"position": line.position, **{name: getattr(line, name) for name in LINE_NAMES}}
        for line in sorted(order.lines.all(), key=lambda line: line.position)
    ]
    fresh = [
        {"position": position, **{name: getattr(line, name) for name in LINE_NAMES}}
        for position, line in enumerate(data.lines)
    ]
    if known == fresh:
        return
    _forget_kept(order, "lines")
    for values in fresh:
        OrderLine.objects.update_or_create(order=order, position=values["position"], defaults=values)
    order.lines.filter(position__gte=len(fresh)).delete()


def _replace_parcels(order: Order, data: OrderData) -> None:
    known = [{name: getattr(parcel, name) for name in PARCEL_NAMES} for parcel in order.parcels.all()]
    fresh = [_parcel_values(parcel) for parcel in data.parcels]
    if sorted(known, key=str) == sorted(fresh, key=str):
        return
    _forget_kept(order, "parcels")
    order.parcels.all().delete()
    Parcel.objects.bulk_create(Parcel(order=order, **values) for values in fresh)


def _parcel_values(parcel: ParcelData) -> dict[str, Any]:
    items = [list(item) for item in parcel.items]
    values = parcel.delivery_id, parcel.waybill_id, parcel.deliver_type, moment(parcel.delivery_time), items
    return dict(zip(PARCEL_NAMES, values, strict=True))


def _forget_kept(order: Order, name: str) -> None:
    """What is written anew is read anew by whoever goes on with this order."""
    getattr(order, "_prefetched_objects_cache", {}).pop(name, None)
