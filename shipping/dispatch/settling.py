"""Unknown outcomes: ask the platform what it has, and believe only that (HOUSE states, RELIABILITY rules)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from merchants.models import platform_host
from shipping import states
from shipping.models import Attempt, Order, Package, Shipment
from shipping.services import close_attempt_if_settled, move
from shipping.syncing import store_reply
from wechat.errcodes import meaning
from wechat.replies import Reply

from .matching import CLOSED_STATUSES, SHIPPED_STATUSES, Match, match
from .pacing import requeue_at
from .recording import NO_ANSWER, apply, grace, kept_reply, was_listed_answer

MAX_RESENDS = 2
IN_HAND = timedelta(seconds=30)
UNREADABLE = (100002, 48001)


def to_settle(only: Collection[int] | None = None) -> QuerySet[Attempt]:
    """Attempts with a read to come; a merchant made for another host is not called at this one."""
    rows = Attempt.objects.filter(closed_at=None, ended_at__isnull=False, next_read_at__isnull=False)
    rows = rows.filter(merchant__api_host=platform_host())
    # By order: another shipment's open attempt stands in the way of ours.
    orders = Shipment.objects.filter(pk__in=only or ()).values("order")
    return rows if only is None else rows.filter(order__in=orders)


def take_due(limit: int, only: Collection[int] | None = None) -> list[Attempt]:
    """Attempts whose next read is due, each taken by moving its `next_read_at` out of others' sight."""
    now, taken = timezone.now(), []
    rows = to_settle(only).filter(next_read_at__lte=now).select_related("merchant", "order", "shipment")
    for attempt in rows.order_by("next_read_at")[:limit]:
        same = Attempt.objects.filter(pk=attempt.pk, next_read_at=attempt.next_read_at)
        if same.update(next_read_at=now + IN_HAND):
            taken.append(attempt)
    return taken


@transaction.atomic
def settle(attempt: Attempt, reply: Reply, began: datetime) -> None:
    """Decide what a read says about each unknown package of an attempt."""
    attempt.reads += 1
    order = store_reply(attempt.merchant, attempt.order.order_id, reply, began)
    if order is not None:
        _count_miss(attempt, began)
    for package in attempt.packages.filter(status=states.UNKNOWN).prefetch_related("items"):
        _settle_one(package, attempt, order, reply)
    close_attempt_if_settled(attempt, timezone.now())
    attempt.next_read_at = _next_read(attempt)
    attempt.save(update_fields=["reads", "misses", "last_miss_at", "next_read_at"])


def _count_miss(attempt: Attempt, began: datetime) -> None:
    """A read counts as a miss only when begun a full grace after the call, and apart from the last one."""
    ended = attempt.ended_at or began
    apart = attempt.last_miss_at is None or began - attempt.last_miss_at >= grace() / 12
    if began - ended >= grace() and apart:
        attempt.misses += 1
        attempt.last_miss_at = began


def _settle_one(package: Package, attempt: Attempt, order: Order | None, reply: Reply) -> None:
    if order is None:
        if reply.errcode in UNREADABLE:
            _conflict(package, attempt, "order_unreadable")
        return
    found = match(order, package)
    if found is Match.OURS:
        move(package, states.SHIPPED, who=states.WORKER, attempt=attempt, reason="read",
             errcode=None, slug="", errmsg="", rid="")  # fmt: skip
    elif found is Match.OTHER_GOODS:
        _conflict(package, attempt, "same_waybill_other_goods")
    elif was_listed_answer(attempt):
        code = meaning(attempt.errcode)
        apply(package, attempt, code.then, code, kept_reply(attempt))
    elif attempt.misses >= 2:
        _settle_absent(package, attempt, order)


def _settle_absent(package: Package, attempt: Attempt, order: Order) -> None:
    if attempt.then not in NO_ANSWER:
        apply(package, attempt, "rejected", meaning(attempt.errcode), kept_reply(attempt))
    elif order.status in CLOSED_STATUSES:
        _conflict(package, attempt, "order_closed_meanwhile")
    elif order.status in SHIPPED_STATUSES:
        _conflict(package, attempt, "someone_else_shipped")
    elif package.lost_calls >= MAX_RESENDS:
        _conflict(package, attempt, "sent_twice_unconfirmed")
    else:
        _resend(package, attempt)


def _resend(package: Package, attempt: Attempt) -> None:
    move(package, states.QUEUED, who=states.WORKER, attempt=attempt, reason="two reads lack it",
         lost_calls=package.lost_calls + 1)  # fmt: skip
    requeue_at(attempt.shipment, timezone.now())


def _conflict(package: Package, attempt: Attempt, slug: str) -> None:
    move(package, states.CONFLICT, who=states.WORKER, attempt=attempt, reason=slug, slug=slug)


def _next_read(attempt: Attempt) -> datetime | None:
    """Soon for a quick yes; then once the grace is over; then a twelfth of it apart; None when settled."""
    if not attempt.packages.filter(status=states.UNKNOWN).exists():
        return None
    now, ended = timezone.now(), attempt.ended_at or timezone.now()
    steps = (grace() / 40, grace() / 8, grace() / 2, grace())
    later = [ended + step for step in steps if ended + step > now]
    return later[0] if later else now + max(grace() / 12, timedelta(seconds=0.1))
