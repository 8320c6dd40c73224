"""Reads an order again because an event was pushed or a person asked, and says what came of it."""

import logging
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from merchants import events, lines
from merchants.models import Merchant, User
from merchants.queries import open_pauses
from wechat.endpoints import ORDER_GET
from wechat.outcomes import read_outcome
from wechat.payload import order_get_body
from wechat.replies import Reply

from .dispatch.pausing import note_refusal
from .models import Order, Reading
from .pauses import READ, is_stopped
from .services import resume_sending
from .storing import store_reply
from .syncing import ENDS_A_SYNC, read_order, sync_return_address
from .wake import wake

log = logging.getLogger(__name__)
# The answers after which another try may fare better; store and line are the same for the next one.
WORTH_ANOTHER = ("later", "unclear", "not_sent")
MOST_TRIES = 8
SLOWEST = timedelta(minutes=5)
# A task that has not begun after this long was lost.
LOST = timedelta(seconds=15)
FORGOTTEN_AFTER = timedelta(days=1)
AT_ONCE = 50


def reread(order_pk: int) -> None:
    """Read one order that is waiting for it; harmless when it was read meanwhile."""
    rows = Reading.objects.select_related("order__merchant", "asked_by")
    reading = rows.filter(order=order_pk, due_at__lte=timezone.now()).first()
    if reading is None:
        return
    began = timezone.now()
    order, reply = read_order(reading.order.merchant, reading.order.order_id)
    if order is not None and order.read_at is not None and order.read_at >= began:
        _finish(reading, order, began)
    else:
        _put_off(reading, reply)


def wake_overdue() -> None:
    """Enqueue one run for all that were to be read and were not."""
    if Reading.objects.filter(due_at__lte=timezone.now() - LOST).exists():
        wake("read_overdue")


def reread_overdue() -> None:
    """The oldest first; each is put off or gone afterwards, so the next run has others."""
    late = Reading.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    for order_pk in late.values_list("order_id", flat=True)[:AT_ONCE]:
        try:
            reread(order_pk)
        except Exception:
            log.exception("order=%s: fault of our own", order_pk)
            Reading.objects.filter(order=order_pk).update(due_at=timezone.now() + SLOWEST)


def reread_shipped(merchant: Merchant, order_ids: Collection[str], since: datetime) -> None:
    """Read those of these orders that nobody has read since, and store them by one commit.

    It ends at the first answer that says nothing about its order: the next would get the same. What is left
    out is found by the reading that runs by the clock.
    """
    if is_stopped(merchant.pk, READ):
        return
    rows = Order.objects.filter(merchant=merchant, order_id__in=order_ids, read_at__gte=since)
    known = set(rows.values_list("order_id", flat=True))
    read = list(_read_while_it_goes(merchant, [each for each in order_ids if each not in known]))
    with transaction.atomic():
        for order_id, began, reply in read:
            _store_alone(merchant, order_id, reply, began)


def _read_while_it_goes(
    merchant: Merchant, order_ids: Collection[str]
) -> Iterator[tuple[str, datetime, Reply]]:
    for order_id in order_ids:
        began = timezone.now()
        reply = lines.read(merchant, ORDER_GET, order_get_body(order_id))
        if read_outcome(reply).then in (*ENDS_A_SYNC, "unclear"):
            note_refusal(merchant, reply, began)
            return
        yield order_id, began, reply


def _store_alone(merchant: Merchant, order_id: str, reply: Reply, began: datetime) -> None:
    """One that we stumble over takes none of the others along."""
    try:
        with transaction.atomic():
            store_reply(merchant, order_id, reply, began)
    except Exception:
        log.exception("order=%s: fault of our own", order_id)


def forget_refused() -> None:
    """Whoever asked has seen by now that it was refused."""
    old = timezone.now() - FORGOTTEN_AFTER
    Reading.objects.filter(due_at=None, asked_at__lt=old).delete()


def _finish(reading: Reading, order: Order, began: datetime) -> None:
    if reading.asked_by is not None:
        _look_around(order.merchant, reading.asked_by)
    Reading.objects.filter(pk=reading.pk, asked_at=reading.asked_at).delete()
    events.handled(order.merchant, order.order_id, began)


def _look_around(merchant: Merchant, by: User) -> None:
    """What else stood in the order's way: a return address that was missing, a pause whose reason is over."""
    if merchant.has_return_address is not True:
        sync_return_address(merchant)
        merchant.refresh_from_db(fields=["has_return_address"])
    # The order was read, so the line works; what else paused the store only a person knows.
    proofs = {"read": True, "return_address": merchant.has_return_address is True, "": False}
    for pause in open_pauses().filter(merchant=merchant, call__in=("", READ)):
        if pause.call or proofs[pause.reason.proof]:
            resume_sending(pause=pause, user=by)


def _put_off(reading: Reading, reply: Reply) -> None:
    """Nothing was learned: tried again, later and later, where that may help; the rest waits for a person."""
    again = reply.ok or read_outcome(reply).then in WORTH_ANOTHER
    wait = min(timedelta(seconds=5 * 2**reading.tries), SLOWEST)
    due_at = timezone.now() + wait if again and reading.tries < MOST_TRIES else None
    same = Reading.objects.filter(pk=reading.pk, asked_at=reading.asked_at)
    is_same = same.update(
        tries=reading.tries + 1, due_at=due_at, errcode=reply.errcode or None,
        slug=reply.slug or ("order_busy" if reply.ok else ""), errmsg=reply.errmsg[:300],
    )  # fmt: skip
    if is_same and due_at is None:
        events.handled(reading.order.merchant, reading.order.order_id, reading.asked_at)
