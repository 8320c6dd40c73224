"""What a person asked of WeChat about an order, called once by a worker.

A lost answer is settled by reading the order again, never by asking WeChat a second time.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Coalesce
from django.utils import timezone

from merchants import lines
from wechat.endpoints import (
    ADDRESS_ACCEPT,
    ADDRESS_REJECT,
    NOTES_UPDATE,
    SKU_APPROVE,
    SKU_REJECT,
    Endpoint,
)
from wechat.outcomes import read_outcome
from wechat.payload import notes_body, order_get_body
from wechat.replies import Reply, ReplyKind

from .models import Order, OrderBody, OrderErrand
from .syncing import read_order
from .wake import wake

log = logging.getLogger(__name__)
Kind, Status = OrderErrand.Kind, OrderErrand.Status
ENDPOINTS: dict[str, Endpoint] = {
    Kind.ADDRESS_ACCEPT: ADDRESS_ACCEPT,
    Kind.ADDRESS_REJECT: ADDRESS_REJECT,
    Kind.SKU_APPROVE: SKU_APPROVE,
    Kind.SKU_REJECT: SKU_REJECT,
    Kind.NOTES: NOTES_UPDATE,
}
TRIES, LONGEST_PAUSE = 3, 2.0
LOST_AFTER, FORGOTTEN_AFTER = timedelta(minutes=3), timedelta(seconds=30)
DONE, ELSEWHERE, OPEN = "done", "answered_elsewhere", "open"


def run(pk: int) -> None:
    """Call for an errand nobody has begun, or read once more for one in doubt; its page learns the end."""
    now = timezone.now()
    waiting = OrderErrand.objects.filter(pk=pk, status=Status.WAITING)
    if waiting.update(status=Status.RUNNING, begun_at=now):
        _begin(_load(pk))
    elif OrderErrand.objects.filter(pk=pk, status=Status.UNSURE, next_read_at__lte=now).update(
        next_read_at=now + FORGOTTEN_AFTER
    ):
        _settle(_load(pk))


def hand_out() -> None:
    """Wake a worker for what was not handed out, is due to be read again, or was left by one that died."""
    now, still = timezone.now(), OrderErrand.objects.filter(ended_at=None)
    # It may have waited for long; what another worker has just begun is not lost.
    begun = still.filter(status=Status.RUNNING).alias(begun=Coalesce("begun_at", "asked_at"))
    lost = begun.filter(begun__lt=now - LOST_AFTER)
    lost.filter(sent_at=None).update(status=Status.WAITING)
    lost.filter(sent_at__isnull=False).update(status=Status.UNSURE, next_read_at=now)
    waiting = still.filter(status=Status.WAITING, asked_at__lt=now - FORGOTTEN_AFTER)
    for errand in (*waiting, *still.filter(status=Status.UNSURE, next_read_at__lte=now)):
        wake("run_order_errand", str(errand.pk))


def _load(pk: int) -> OrderErrand:
    return OrderErrand.objects.select_related("order__merchant").get(pk=pk)


def _begin(errand: OrderErrand) -> None:
    try:
        reply = _call(errand)
    except Exception:
        log.exception("order errand=%s: fault of our own", errand.pk)
        reply = Reply(ReplyKind.NO_ANSWER if errand.sent_at else ReplyKind.NOT_SENT, slug="errand_failed")
    then = read_outcome(reply).then
    if then == "unclear":
        _doubt(errand, reply)
        return
    if then != "not_sent":
        # What it shows now: the answer says nothing but 0, and a refusal may mean that it had changed.
        read_order(errand.order.merchant, errand.order.order_id)
    _finish(errand, Status.DONE if then == "accepted" else Status.FAILED, reply)


def _call(errand: OrderErrand) -> Reply:
    """Once; again only after an answer that says nothing was done."""
    reply = Reply(ReplyKind.NOT_SENT, slug="no_token")
    for number in range(TRIES):
        if number:
            time.sleep(min(LONGEST_PAUSE, read_outcome(reply).code.wait))
        reply = _call_once(errand)
        outcome = read_outcome(reply)
        is_quota = outcome.code.scope == "merchant_call"
        if outcome.then not in ("later", "renew_token") or is_quota:
            break
    return reply


def _call_once(errand: OrderErrand) -> Reply:
    merchant = errand.order.merchant
    if not lines.is_reachable(merchant):
        return Reply(ReplyKind.NOT_SENT, slug="wrong_host")
    line = lines.ensure(merchant)
    if line is None:
        return Reply(ReplyKind.NOT_SENT, slug="no_token")
    errand.sent_at = timezone.now()
    errand.save(update_fields=["sent_at"])
    reply = line.call(ENDPOINTS[errand.kind], _body(errand))
    if read_outcome(reply).then == "renew_token":
        line.drop()
    return reply


def _body(errand: OrderErrand) -> dict[str, object]:
    order_id = errand.order.order_id
    return notes_body(order_id, errand.notes) if errand.kind == Kind.NOTES else order_get_body(order_id)


# --- in doubt -----------------------------------------------------------------------------------------


def _doubt(errand: OrderErrand, reply: Reply) -> None:
    """Keep what came instead of an answer, and read at once."""
    errand.status, errand.next_read_at = Status.UNSURE, timezone.now()
    errand.errcode, errand.slug = reply.errcode, reply.slug
    errand.errmsg, errand.rid = reply.errmsg, reply.rid
    errand.save()
    _settle(errand)


def _settle(errand: OrderErrand) -> None:
    """Only a read begun a full grace after the call, and a second one, say that it was not taken."""
    began = timezone.now()
    order, _ = read_order(errand.order.merchant, errand.order.order_id)
    verdict = _verdict(errand, order) if order and order.read_at and order.read_at >= began else ""
    if verdict == DONE:
        _finish(errand, Status.DONE)
    elif verdict == ELSEWHERE:
        _finish(errand, Status.FAILED, slug=ELSEWHERE)
    else:
        _miss(errand, began, is_read=bool(verdict))


def _miss(errand: OrderErrand, began: datetime, *, is_read: bool) -> None:
    grace = timedelta(seconds=settings.SETTLE_GRACE)
    ready = (errand.sent_at or began) + grace
    errand.misses += is_read and began >= ready
    if errand.misses >= 2:
        _finish(errand, Status.FAILED, slug="answer_not_taken")
        return
    errand.next_read_at = max(ready, began + grace / 12)
    errand.save(update_fields=["misses", "next_read_at"])


def _verdict(errand: OrderErrand, order: Order) -> str:
    """What a fresh read says of an errand whose answer was lost."""
    return VERDICTS[errand.kind](errand, order)


def _address(errand: OrderErrand, order: Order) -> str:
    if order.address_under_review:
        return OPEN
    is_known = bool(errand.seen_hash and order.address_hash)
    has_moved = order.address_hash != errand.seen_hash
    fits = has_moved == (errand.kind == Kind.ADDRESS_ACCEPT)
    return DONE if fits or not is_known else ELSEWHERE


def _sku(errand: OrderErrand, order: Order) -> str:
    """store-api 1.6: 4 approved, 5 rejected."""
    if order.sku_change_waiting:
        return OPEN
    wanted = "4" if errand.kind == Kind.SKU_APPROVE else "5"
    return DONE if wanted in _sku_states(order) else ELSEWHERE


def _sku_states(order: Order) -> set[str]:
    body = OrderBody.objects.filter(order=order).first()
    detail = ((body.body.get("order") or body.body) if body else {}).get("order_detail") or {}
    changes = (line.get("change_sku_info") or {} for line in detail.get("product_infos") or ())
    return {str(change.get("preshipment_change_sku_state", "")) for change in changes}


def _notes(errand: OrderErrand, order: Order) -> str:
    return DONE if order.merchant_notes.strip() == errand.notes.strip() else OPEN


VERDICTS: dict[str, Callable[[OrderErrand, Order], str]] = {
    Kind.ADDRESS_ACCEPT: _address,
    Kind.ADDRESS_REJECT: _address,
    Kind.SKU_APPROVE: _sku,
    Kind.SKU_REJECT: _sku,
    Kind.NOTES: _notes,
}


def _finish(errand: OrderErrand, status: str, reply: Reply | None = None, *, slug: str = "") -> None:
    errand.status, errand.ended_at, errand.next_read_at = status, timezone.now(), None
    errand.slug = slug or (reply.slug if reply else "")
    if reply is not None:
        errand.errcode, errand.errmsg, errand.rid = reply.errcode, reply.errmsg, reply.rid
    if slug:
        errand.errcode = None
    # Written or not, the order has its note; a copy here would have to be erased too.
    errand.notes = ""
    errand.save()
