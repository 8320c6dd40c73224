"""Platform orders into rows: one order by id, or everything that changed (store-api 1.1, 1.3, 2.3, 2.8)."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, prefetch_related_objects
from django.utils import timezone
from pypinyin import Style, lazy_pinyin

from merchants import events, lines
from merchants.models import Merchant
from wechat.endpoints import (
    ADDRESS_GET,
    ADDRESS_LIST,
    COURIERS_NEW,
    COURIERS_OLD,
    ORDER_GET,
    ORDER_LIST,
    Endpoint,
)
from wechat.orders import MalformedOrder, OrderData, ParcelData, flag, parse_order
from wechat.outcomes import read_outcome
from wechat.payload import (
    address_get_body,
    address_list_body,
    couriers_new_body,
    order_get_body,
    order_list_body,
)
from wechat.replies import Reply

from .drafts import Problem
from .erasing import PERSONAL
from .models import Courier, Order, OrderBody, OrderLine, Parcel, Reading
from .pauses import may_not_read
from .serials import release_returned

WINDOW = timedelta(days=7)
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


@dataclass
class SyncResult:
    """What one merchant's sync did; `error` is empty when it went through."""

    merchant: str
    read: int = 0
    changed: int = 0
    failed: int = 0
    error: str = ""


def moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds else None


def explain(reply: Reply) -> str:
    """Why a reading call brought nothing, in one line; an answer of 0 held no order we can read."""
    reason = str(reply.errcode) if reply.errcode else reply.slug or "facts_unreadable"
    return f"{reason} {reply.errmsg}".strip() if reply.errcode != 0 else reason


# --- one order ----------------------------------------------------------------------------------------


def find_order(merchant: Merchant, order_id: str) -> tuple[Order | None, Problem | None]:
    """The stored order; one never read is read now, if the store allows it. Only 100002 proves absence."""
    rows = Order.objects.select_related("merchant")
    known = rows.filter(merchant=merchant, order_id=order_id).first()
    if known is not None and (known.read_at is not None or may_not_read(merchant.pk)):
        return known, None
    order, reply = read_order(merchant, order_id)
    if order is None and reply.errcode == 100002:
        return None, Problem("order", errcode=100002)
    # Not read: the rules warn, and the worker reads again before it sends.
    return order or rows.get_or_create(merchant=merchant, order_id=order_id)[0], None


def read_order(merchant: Merchant, order_id: str) -> tuple[Order | None, Reply]:
    """Read one order from the platform and store it; (None, reply) when that was not possible."""
    began = timezone.now()
    reply = lines.read(merchant, ORDER_GET, order_get_body(order_id))
    return store_reply(merchant, order_id, reply, began), reply


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
    rows = Order.objects.filter(merchant=merchant, order_id=data.order_id)
    # Two reads of one order are written one after the other: what differs is compared with what stands.
    rows.update(revision=F("revision"))
    order, _ = rows.select_related("merchant").get_or_create(merchant=merchant, order_id=data.order_id)
    if _is_stale(order, data, began):
        return order
    if order.erased_at:
        data = replace(data, **BUYER)
    # Most reads show nothing new: what is known is read once, and only what differs is written.
    prefetch_related_objects([order], "lines", "parcels")
    refunded = _refunded_since(order, data)
    _write_order(order, data, began)
    _replace_lines(order, data)
    release_returned(order, refunded)
    _replace_parcels(order, data)
    if not order.erased_at:
        _keep_body(order, raw, began)
    _answer_the_event(order, began)
    return order


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
    sent = order.attempts.filter(sent_at__isnull=False).order_by("-id")
    last = sent.values_list("ended_at", flat=True)[:1]
    return any(ended_at is None or ended_at > began for ended_at in last)


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


# --- one merchant -------------------------------------------------------------------------------------


def sync_merchant(merchant: Merchant, days: int = 7) -> SyncResult:
    """Read the orders changed in the last `days`, then couriers and the default return address."""
    result = SyncResult(merchant.appid)
    try:
        for order_id in list_order_ids(merchant, days):
            sync_order(merchant, order_id, result)
    except ReadFailed as failure:
        result.error = str(failure)
    sync_couriers(merchant)
    sync_return_address(merchant)
    if not result.error and not result.failed:
        Merchant.objects.filter(pk=merchant.pk).update(orders_read_at=timezone.now())
    return result


def sync_order(merchant: Merchant, order_id: str, result: SyncResult) -> bool:
    """Read one order and count it; False when it alone could not be read. Raises ReadFailed."""
    known = Order.objects.filter(merchant=merchant, order_id=order_id)
    before = known.values_list("platform_updated_at").first()
    order, reply = read_order(merchant, order_id)
    if order is None:
        result.failed += 1
        result.error = result.error or explain(reply)
        if read_outcome(reply).then in ENDS_A_SYNC:
            raise ReadFailed(result.error, ORDER_GET, reply)
        return False
    result.read += 1
    result.changed += before != (order.platform_updated_at,)
    return True


# Answers about the merchant or the line, not about one order: the next call would get the same.
ENDS_A_SYNC = ("pause_merchant", "renew_token", "later", "not_sent")


class ReadFailed(Exception):
    """A reading call was refused or not answered; str is a sentence for the log line."""

    def __init__(self, words: str, call: Endpoint | None = None, reply: Reply | None = None) -> None:
        super().__init__(words)
        self.call, self.reply = call, reply


def list_order_ids(merchant: Merchant, days: int) -> Iterator[str]:
    """Ids of orders updated in the last `days`, in windows of 7 days and pages of 100.

    An order that changes meanwhile, or at the border of two windows, comes twice.
    """
    end = int(time.time())
    start = end - days * 86400
    while start < end:
        stop = min(start + int(WINDOW.total_seconds()), end)
        next_key: str | None = ""
        while next_key is not None:
            page = list_page(merchant, start, stop, next_key)
            yield from page.ids
            next_key = page.next_key()
        start = stop


class Page(NamedTuple):
    """One page of a list of ids, and the key it was asked for with."""

    ids: list[str]
    key: str
    reply: Reply

    def next_key(self) -> str | None:
        """What the next page is asked for with, None at the end. Raises ReadFailed for a list cut short."""
        if not flag(self.reply.data.get("has_more")):
            return None
        following = str(self.reply.data.get("next_key") or "")
        if following in ("", self.key):
            raise ReadFailed("has_more without a next_key", ORDER_LIST, self.reply)
        return following


def list_page(merchant: Merchant, start: int, stop: int, next_key: str) -> Page:
    """Ids of orders updated from `start` to `stop`, unix seconds (store-api 1.1). Raises ReadFailed."""
    body = order_list_body(field="update_time_range", start=start, end=stop, next_key=next_key)
    reply = lines.read(merchant, ORDER_LIST, body)
    if not reply.ok:
        raise ReadFailed(explain(reply), ORDER_LIST, reply)
    ids = [str(order_id) for order_id in reply.data.get("order_id_list") or [] if order_id]
    return Page(ids, next_key, reply)


def sync_couriers(merchant: Merchant) -> bool:
    """Read the merchant's courier list, by the new call and else by the old one."""
    reply = lines.read(merchant, COURIERS_NEW, couriers_new_body())
    if not reply.ok:
        reply = lines.read(merchant, COURIERS_OLD, {})
    listed = reply.data.get("company_list") if reply.ok else None
    rows = [row for row in listed or [] if isinstance(row, dict) and row.get("delivery_id")]
    if rows:
        _store_couriers(merchant, {str(r["delivery_id"]): str(r.get("delivery_name") or "") for r in rows})
    return bool(rows)


@transaction.atomic
def _store_couriers(merchant: Merchant, names: dict[str, str]) -> None:
    for delivery_id, name in names.items():
        initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))[:60]
        values = {"delivery_name": name, "initials": initials, "is_listed": True}
        Courier.objects.update_or_create(merchant=merchant, delivery_id=delivery_id, defaults=values)
    Courier.objects.filter(merchant=merchant).exclude(delivery_id__in=names).update(is_listed=False)
    Merchant.objects.filter(pk=merchant.pk).update(couriers_read_at=timezone.now())


def sync_return_address(merchant: Merchant) -> None:
    """Learn whether the store has a default return address (606003); there is no call that says so."""
    has_default = _has_default_address(merchant)
    if has_default is not None:
        Merchant.objects.filter(pk=merchant.pk).update(
            has_return_address=has_default, return_address_read_at=timezone.now()
        )


def _has_default_address(merchant: Merchant) -> bool | None:
    listed = lines.read(merchant, ADDRESS_LIST, address_list_body(0, 100))
    if not listed.ok:
        return None
    for address_id in listed.data.get("address_id_list") or []:
        reply = lines.read(merchant, ADDRESS_GET, address_get_body(str(address_id)))
        if not reply.ok:
            return None
        if flag((reply.data.get("address_detail") or {}).get("default_recv")):
            return True
    return False
