"""Unknown outcomes: ask the platform what it has, and believe only that (HOUSE states, RELIABILITY rules)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from merchants.models import Merchant, platform_host
from merchants.queries import open_pauses
from shipping import states
from shipping.drafts import CORRECTION, SEND
from shipping.models import Attempt, Order, Package, Shipment
from shipping.pauses import READ
from shipping.services import close_attempt_if_settled, move
from shipping.storing import store_reply
from wechat.errcodes import meaning
from wechat.outcomes import read_outcome
from wechat.replies import Reply

from .matching import CLOSED_STATUSES, SHIPPED_STATUSES, Match, are_goods_gone, is_old_shown, match
from .pacing import requeue_at, until
from .pausing import MAY_NOT_READ, note_refusal
from .recording import NO_ANSWER, apply, grace, kept_reply, was_listed_answer

MAX_RESENDS = 2
IN_HAND = timedelta(seconds=30)
# Reads that are refused for good -> why a manager must look.
UNREADABLE = {100002: "order_unreadable", MAY_NOT_READ: "orders_not_ours_to_read"}
ENOUGH_READS = 8
SLOWEST = timedelta(minutes=5)
# Longer than a run that ends when idle waits: an admin must act first.
STALLED = timedelta(minutes=11)


def to_settle(only: Collection[int] | None = None) -> QuerySet[Attempt]:
    """Attempts with a read to come; a merchant made for another host is not called at this one."""
    rows = Attempt.objects.filter(closed_at=None, ended_at__isnull=False, next_read_at__isnull=False)
    # Neither joined nor a list of stores: those would be walked first, and all attempts of each.
    rows = rows.filter(Exists(Merchant.objects.filter(pk=OuterRef("merchant"), api_host=platform_host())))
    # By order: another shipment's open attempt stands in the way of ours.
    orders = Shipment.objects.filter(pk__in=only or ()).values("order")
    return rows if only is None else rows.filter(order__in=orders)


def take_due(limit: int, only: Collection[int] | None = None) -> list[Attempt]:
    """Attempts whose next read is due, each taken by moving its `next_read_at` out of others' sight."""
    now = timezone.now()
    due = to_settle(only).filter(next_read_at__lte=now).order_by("next_read_at")
    taken = [
        pk
        for pk, next_read_at in due.values_list("pk", "next_read_at")[:limit]
        if Attempt.objects.filter(pk=pk, next_read_at=next_read_at).update(next_read_at=now + IN_HAND)
    ]
    rows = Attempt.objects.select_related("merchant", "order", "shipment")
    return list(rows.filter(pk__in=taken).order_by("pk")) if taken else []


def wake_stalled() -> None:
    """Reads that waited for a pause are due once it is over, whoever ended it."""
    now, standing = timezone.now(), open_pauses().filter(call__in=("", READ))
    stalled = to_settle().filter(next_read_at__gt=now + SLOWEST)
    stalled.exclude(merchant__in=standing.values("merchant")).update(next_read_at=now)


@transaction.atomic
def settle(attempt: Attempt, reply: Reply, began: datetime) -> None:
    """Decide what a read says about each unknown package of an attempt."""
    # Someone else may have read meanwhile.
    attempt.refresh_from_db(fields=["reads", "misses", "last_miss_at", "then", "errcode", "closed_at"])
    if attempt.closed_at:
        return
    attempt.reads += 1
    order = store_reply(attempt.merchant, attempt.order.order_id, reply, began)
    if order is not None and order.read_at == began:
        attempt.order = order
        _judge(attempt, order, began)
    else:
        # A read that was not stored is older than what we have: it proves nothing.
        note_refusal(attempt.merchant, reply, began)
        _unread(attempt, reply)
    attempt.next_read_at = _next_read(attempt, reply)
    attempt.save(update_fields=["reads", "misses", "last_miss_at", "next_read_at"])
    # Last: a closed attempt cannot be written any more.
    close_attempt_if_settled(attempt, timezone.now())


def _unknown(attempt: Attempt) -> list[Package]:
    rows = attempt.packages.filter(status=states.UNKNOWN)
    return list(rows.prefetch_related("items").order_by("position"))


def _judge(attempt: Attempt, order: Order, began: datetime) -> None:
    _count_miss(attempt, began)
    absent = []
    for package in _unknown(attempt):
        found = match(order, package)
        if found is Match.OURS:
            move(package, states.SHIPPED, who=states.WORKER, attempt=attempt, reason="read",
                 errcode=None, slug="", errmsg="", rid="")  # fmt: skip
        elif found is Match.OTHER_GOODS:
            _conflict(package, attempt, "same_waybill_other_goods")
        else:
            absent.append(package)
    if absent:
        _settle_absent(absent, attempt, order)


def _count_miss(attempt: Attempt, began: datetime) -> None:
    """A read counts as a miss only when begun a full grace after the call, and apart from the last one."""
    ended = attempt.ended_at or began
    apart = attempt.last_miss_at is None or began - attempt.last_miss_at >= grace() / 12
    if began - ended >= grace() and apart:
        attempt.misses += 1
        attempt.last_miss_at = began


def _settle_absent(packages: list[Package], attempt: Attempt, order: Order) -> None:
    code = meaning(attempt.errcode)
    if was_listed_answer(attempt):
        apply(packages, attempt, code.then, code, kept_reply(attempt))
    elif attempt.misses >= 2 and attempt.then not in NO_ANSWER:
        apply(packages, attempt, "rejected", code, kept_reply(attempt))
    elif attempt.misses >= 2:
        for package in packages:
            _resend_or_ask(package, attempt, order)


def _resend_or_ask(package: Package, attempt: Attempt, order: Order) -> None:
    if obstacle := _obstacle(package, order):
        _conflict(package, attempt, obstacle)
    else:
        _resend(package, attempt)


def _obstacle(package: Package, order: Order) -> str:
    """Why a lost call is not simply made again, "" when nothing speaks against it."""
    if order.status in CLOSED_STATUSES:
        return "order_closed_meanwhile"
    if package.kind == SEND and (order.status in SHIPPED_STATUSES or are_goods_gone(order, package)):
        return "someone_else_shipped"
    if package.kind == CORRECTION and not is_old_shown(order, package):
        return "parcel_went_missing"
    return "sent_twice_unconfirmed" if package.lost_calls >= MAX_RESENDS else ""


def _resend(package: Package, attempt: Attempt) -> None:
    move(package, states.QUEUED, who=states.WORKER, attempt=attempt, reason="two reads lack it",
         lost_calls=package.lost_calls + 1)  # fmt: skip
    requeue_at(attempt.shipment, timezone.now())


def _unread(attempt: Attempt, reply: Reply) -> None:
    """No usable read. One that was refused for good, or keeps making no sense, is a manager's case."""
    is_late = attempt.reads >= ENOUGH_READS and not _steps(attempt)
    makes_sense_later = read_outcome(reply).then in ("not_sent", "unclear", "later", "pause_merchant")
    if reply.errcode in UNREADABLE or (is_late and not makes_sense_later):
        for package in _unknown(attempt):
            _conflict(package, attempt, UNREADABLE.get(reply.errcode or 0, "order_unreadable"))


def _conflict(package: Package, attempt: Attempt, slug: str) -> None:
    move(package, states.CONFLICT, who=states.WORKER, attempt=attempt, reason=slug, slug=slug)


def _steps(attempt: Attempt) -> list[datetime]:
    """Reads still to come within the grace: soon for a quick yes, the last when the grace is over."""
    now, ended = timezone.now(), attempt.ended_at or timezone.now()
    steps = (grace() / 40, grace() / 8, grace() / 2, grace())
    return [ended + step for step in steps if ended + step > now]


def _next_read(attempt: Attempt, reply: Reply) -> datetime | None:
    """None when settled. After the grace a twelfth of it apart, failing reads up to five minutes."""
    if not _unknown(attempt):
        return None
    now, outcome = timezone.now(), read_outcome(reply)
    if outcome.then == "pause_merchant" or _waits_for_admin(attempt, reply):
        return now + STALLED
    if ends := until(outcome.code, now):
        return ends
    if steps := _steps(attempt):
        return steps[0]
    doublings = 0 if reply.ok else min(10, max(0, attempt.reads - ENOUGH_READS // 2))
    apart = min(grace() / 12 * int(2**doublings), SLOWEST)
    return now + max(apart, timedelta(seconds=0.1))


def _waits_for_admin(attempt: Attempt, reply: Reply) -> bool:
    """No token to read with, and the pause that says why has no end of its own."""
    pauses = open_pauses().filter(merchant=attempt.merchant, call="", until=None)
    return reply.slug == "no_token" and pauses.exists()
