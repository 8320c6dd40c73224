"""What an answer means for the packages of an attempt: the code table read, one function per word of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from merchants.services import pause_merchant
from shipping import states
from shipping.models import Attempt, Package
from shipping.services import move
from shipping.wake import wake
from wechat.errcodes import Code, meaning
from wechat.outcomes import Outcome
from wechat.replies import Reply, ReplyKind

from .claiming import SEND
from .pacing import requeue_at, table_wait, until
from .sending import end, put_back

NO_ANSWER = ("unclear", "worker_died")


def record(attempt: Attempt, outcome: Outcome) -> None:
    """Write what a call's answer means. Any answer but 0 to several packages is settled by a read."""
    then = outcome.then
    if then == "not_sent":
        put_back(attempt, slug=outcome.reply.slug, reply=outcome.reply)
        return
    packages = list(attempt.packages.filter(status=states.SENDING))
    if then != "accepted" and (len(packages) > 1 or then in ("ask", "unclear")):
        to_unknown(attempt, then, outcome.reply)
        return
    with transaction.atomic():
        for package in packages:
            apply(package, attempt, then, outcome.code, outcome.reply)
        end(attempt, then=then, reply=outcome.reply)


@transaction.atomic
def to_unknown(attempt: Attempt, then: str, reply: Reply) -> None:
    """Nobody knows yet: keep the answer, read at once."""
    for package in attempt.packages.filter(status=states.SENDING):
        move(package, states.UNKNOWN, who=states.WORKER, attempt=attempt, reason=reply.slug or then,
             errcode=reply.errcode, slug=reply.slug, errmsg=reply.errmsg, rid=reply.rid)  # fmt: skip
    end(attempt, then=then, reply=reply)
    Attempt.objects.filter(pk=attempt.pk).update(next_read_at=timezone.now())


def apply(package: Package, attempt: Attempt, then: str, code: Code, reply: Reply) -> None:
    """Move one package, from sending or unknown, as the table says for a listed answer."""
    APPLY[then](package, attempt, code, reply)


def answer(reply: Reply) -> dict[str, Any]:
    return {"errcode": reply.errcode, "slug": "", "errmsg": reply.errmsg, "rid": reply.rid}


def accept(package: Package, attempt: Attempt, code: Code, reply: Reply) -> None:
    move(package, states.SHIPPED, who=states.WORKER, attempt=attempt, **_cleared())
    # The answer holds nothing but 0: only a read shows the order's new status and parcels.
    wake("read_by_id", str(attempt.merchant_id), attempt.order.order_id)


def _cleared() -> dict[str, Any]:
    return {"errcode": None, "slug": "", "errmsg": "", "rid": ""}


def reject(package: Package, attempt: Attempt, code: Code, reply: Reply) -> None:
    move(package, states.REJECTED, who=states.WORKER, attempt=attempt, **answer(reply))


def try_later(package: Package, attempt: Attempt, code: Code, reply: Reply) -> None:
    shipment, now = attempt.shipment, timezone.now()
    if code.scope == "merchant_call":
        pause_merchant(
            merchant=attempt.merchant, call=SEND, errcode=reply.errcode, errmsg=reply.errmsg,
            rid=reply.rid, until=until(code, now),
        )  # fmt: skip
        return _back(package, attempt, reply, timedelta(0))
    if code.tries and shipment.tries + 1 >= code.tries:
        return reject(package, attempt, code, reply)
    shipment.tries += 1
    shipment.save(update_fields=["tries"])
    return _back(package, attempt, reply, table_wait(code, shipment.tries))


def pause(package: Package, attempt: Attempt, code: Code, reply: Reply) -> None:
    pause_merchant(merchant=attempt.merchant, errcode=reply.errcode, errmsg=reply.errmsg, rid=reply.rid)
    _back(package, attempt, reply, timedelta(0))


def renew(package: Package, attempt: Attempt, code: Code, reply: Reply) -> None:
    shipment = attempt.shipment
    if shipment.renewed_token:
        return pause(package, attempt, code, reply)
    shipment.renewed_token = True
    shipment.save(update_fields=["renewed_token"])
    return _back(package, attempt, reply, timedelta(0))


def _back(package: Package, attempt: Attempt, reply: Reply, wait: timedelta) -> None:
    move(
        package, states.QUEUED, who=states.WORKER, attempt=attempt, reason=str(reply.errcode), **answer(reply)
    )
    requeue_at(attempt.shipment, timezone.now() + wait)


APPLY: dict[str, Callable[[Package, Attempt, Code, Reply], None]] = {
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
