"""Platform orders, read: one by id, or everything that changed (store-api 1.1, 1.3, 2.3, 2.8)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from pypinyin import Style, lazy_pinyin

from merchants import lines
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
from wechat.orders import flag
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
from .models import Courier, Order
from .pauses import may_not_read
from .storing import store_reply

WINDOW = timedelta(days=7)


@dataclass
class SyncResult:
    """What one merchant's sync did; `error` is empty when it went through."""

    merchant: str
    read: int = 0
    changed: int = 0
    failed: int = 0
    error: str = ""


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
    # No longer than the columns hold.
    names = {str(row["delivery_id"])[:64]: str(row.get("delivery_name") or "")[:120] for row in rows}
    if names:
        _store_couriers(merchant, names)
    return bool(names)


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
