"""What an answer means for the packages of an attempt: the code table read, one function per word of it."""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from merchants.once import forget, knowing, once
from merchants.services import pause_merchant
from shipping import drafts, states
from shipping.models import Attempt, Package, Shipment
from shipping.pauses import CALLS, SEND, may_not_read
from shipping.services import move
from shipping.strange import note_unknown
from shipping.wake import wake
from wechat.errcodes import Code, meaning
from wechat.outcomes import Outcome
from wechat.replies import Reply, ReplyKind

from .pacing import requeue_at, table_wait, until
from .sending import end, put_back, sending
from .tempo import slow_down

NO_CLOUD_CALL = "not_in_cloud"
# No right to the call, or a cloud that does not let it pass: of a side call, no reason to stop sending.
OF_THE_CALL = (48001, 85107)
NO_ANSWER = ("unclear", "worker_died")


def record(attempt: Attempt, outcome: Outcome) -> None:
    """Write what a call's answer means. Any answer but 0 to several packages is settled by a read."""
    then = outcome.then
    if then == "ask" and not outcome.code.listed:
        note_unknown(attempt, outcome.reply)
    if once(("over", attempt.pk), lambda: attempt.pk in _over([attempt])):
        note_late(attempt, outcome)
        return
    if then == "not_sent" and outcome.reply.slug == NO_CLOUD_CALL:
        _refuse_for_good(attempt, outcome.reply)
        return
    if then == "not_sent":
        put_back(attempt, slug=outcome.reply.slug, reply=outcome.reply)
        return
    packages = sending(attempt)
    if then != "accepted" and (len(packages) > 1 or then in ("ask", "unclear")):
        to_unknown(attempt, then, outcome.reply)
        return
    with transaction.atomic(savepoint=False):
        apply(packages, attempt, then, outcome.code, outcome.reply)
        end(attempt, then=then, reply=outcome.reply)


def see_who_is_over(attempts: Collection[Attempt]) -> None:
    """Which of these attempts others have ended meanwhile, asked for all of them at once."""
    over = _over(attempts)
    for attempt in attempts:
        knowing(("over", attempt.pk), attempt.pk in over)


def read_again(attempts: Collection[Attempt]) -> None:
    """An answer holds nothing but 0: only a read shows an order's new status and parcels.

    One task for all that a commit shipped of a store: a row a parcel, and a lock to write each, are too many.
    """
    shipped: dict[int, list[str]] = defaultdict(list)
    for attempt in attempts:
        if attempt.then == "accepted" and not may_not_read(attempt.merchant_id):
            shipped[attempt.merchant_id].append(attempt.order.order_id)
    for store, order_ids in shipped.items():
        wake("read_shipped", str(store), timezone.now().isoformat(), *order_ids)


def _over(attempts: Collection[Attempt]) -> set[int]:
    rows = Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts], ended_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


@transaction.atomic
def _refuse_for_good(attempt: Attempt, reply: Reply) -> None:
    """The way this store is called has no such call, and waiting does not bring it."""
    for package in sending(attempt):
        move(package, states.REJECTED, who=states.WORKER, attempt=attempt, reason=reply.slug,
             errcode=None, slug=reply.slug, errmsg="", rid="")  # fmt: skip
    end(attempt, then="not_sent", reply=reply)


def note_late(attempt: Attempt, outcome: Outcome) -> None:
    """We had been taken for dead: the packages are another's to settle, with our answer if there is one."""
    if outcome.then in ("not_sent", "unclear"):
        return
    still = Attempt.objects.filter(pk=attempt.pk, closed_at=None)
    still.update(
        then=outcome.then, **answer(outcome.reply),
        elapsed_ms=outcome.reply.elapsed_ms, next_read_at=timezone.now(),
    )  # fmt: skip


@transaction.atomic
def to_unknown(attempt: Attempt, then: str, reply: Reply) -> None:
    """Nobody knows yet: keep the answer, read at once."""
    for package in sending(attempt):
        move(package, states.UNKNOWN, who=states.WORKER, attempt=attempt, reason=reply.slug or then,
             errcode=reply.errcode, slug=reply.slug, errmsg=reply.errmsg, rid=reply.rid)  # fmt: skip
    end(attempt, then=then, reply=reply)
    Attempt.objects.filter(pk=attempt.pk, closed_at=None).update(next_read_at=timezone.now())


def apply(packages: list[Package], attempt: Attempt, then: str, code: Code, reply: Reply) -> None:
    """Move the packages of one call, from sending or unknown, as the table says for a listed answer."""
    if then != "renew_token":
        note_token(attempt.shipment, is_renewed=False)
    APPLY[then](packages, attempt, code, reply)


def note_token(shipment: Shipment, *, is_renewed: bool) -> None:
    """Whether the call before this one was refused for its token: the second time in a row is a pause."""
    if shipment.renewed_token != is_renewed:
        shipment.renewed_token = is_renewed
        shipment.save(update_fields=["renewed_token"])


def note_token_refused(attempt: Attempt, reply: Reply) -> None:
    """A read before sending was refused for its token; twice in a row stops the merchant."""
    is_second = attempt.shipment.renewed_token
    note_token(attempt.shipment, is_renewed=not is_second)
    if is_second:
        pause_merchant(merchant=attempt.merchant, errcode=reply.errcode, errmsg=reply.errmsg, rid=reply.rid)


def answer(reply: Reply) -> dict[str, Any]:
    return {"errcode": reply.errcode, "slug": "", "errmsg": reply.errmsg, "rid": reply.rid}


def accept(packages: list[Package], attempt: Attempt, code: Code, reply: Reply) -> None:
    cleared: dict[str, Any] = {"errcode": None, "slug": "", "errmsg": "", "rid": ""}
    for package in packages:
        move(package, states.SHIPPED, who=states.WORKER, attempt=attempt, **cleared)


def reject(packages: list[Package], attempt: Attempt, code: Code, reply: Reply) -> None:
    for package in packages:
        move(package, states.REJECTED, who=states.WORKER, attempt=attempt, **answer(reply))
    # What goods were refused for is looked at before the next is sent.
    forget()


def try_later(packages: list[Package], attempt: Attempt, code: Code, reply: Reply) -> None:
    shipment, now = attempt.shipment, timezone.now()
    if code.until == "next_minute" and shipment.kind == drafts.SEND:
        slow_down(attempt.merchant, SEND, attempt.sent_at or now)
    if code.scope == "merchant_call":
        pause_merchant(
            merchant=attempt.merchant, call=CALLS[shipment.kind], errcode=reply.errcode, errmsg=reply.errmsg,
            rid=reply.rid, until=until(code, now),
        )  # fmt: skip
        return _back(packages, attempt, reply, timedelta(0))
    shipment.tries = shipment.tries + 1 if _answered_before(attempt) == code.errcode else 1
    shipment.save(update_fields=["tries"])
    if code.tries and shipment.tries >= code.tries:
        return reject(packages, attempt, code, reply)
    return _back(packages, attempt, reply, table_wait(code, shipment.tries))


def _answered_before(attempt: Attempt) -> int | None:
    """The code that the shipment's call before this one was answered with."""
    sent = attempt.shipment.attempts.filter(sent_at__isnull=False, pk__lt=attempt.pk)
    return sent.order_by("-pk").values_list("errcode", flat=True).first()


def pause(packages: list[Package], attempt: Attempt, code: Code, reply: Reply) -> None:
    if attempt.shipment.kind != drafts.SEND and reply.errcode in OF_THE_CALL:
        return reject(packages, attempt, code, reply)
    pause_merchant(merchant=attempt.merchant, errcode=reply.errcode, errmsg=reply.errmsg, rid=reply.rid)
    return _back(packages, attempt, reply, timedelta(0))


def renew(packages: list[Package], attempt: Attempt, code: Code, reply: Reply) -> None:
    note_token_refused(attempt, reply)
    _back(packages, attempt, reply, timedelta(0))


def _back(packages: list[Package], attempt: Attempt, reply: Reply, wait: timedelta) -> None:
    reason, words = str(reply.errcode), answer(reply)
    for package in packages:
        move(package, states.QUEUED, who=states.WORKER, attempt=attempt, reason=reason, **words)
    requeue_at(attempt.shipment, timezone.now() + wait)


APPLY: dict[str, Callable[[list[Package], Attempt, Code, Reply], None]] = {
    "accepted": accept,
    "rejected": reject,
    "ask": reject,
    "later": try_later,
    "pause_merchant": pause,
    "renew_token": renew,
}


def kept_reply(attempt: Attempt) -> Reply:
    """The answer an attempt got, as stored."""
    kind = ReplyKind.ANSWERED if attempt.errcode is not None else ReplyKind.NO_ANSWER
    return Reply(kind, slug=attempt.slug, errcode=attempt.errcode, errmsg=attempt.errmsg, rid=attempt.rid)


def was_listed_answer(attempt: Attempt) -> bool:
    """Whether the platform gave a code of the table, so that one read lacking our parcel decides."""
    if attempt.then in NO_ANSWER or attempt.errcode is None:
        return False
    return meaning(attempt.errcode).listed


def grace() -> timedelta:
    return timedelta(seconds=settings.SETTLE_GRACE)
