"""What stops a merchant besides the answer to a send: no token, a read that was refused."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from merchants import lines
from merchants.models import Merchant
from merchants.services import pause_merchant
from shipping.pauses import READ
from wechat.outcomes import read_outcome
from wechat.replies import Reply

from .pacing import until
from .tempo import slow_down

MAY_NOT_READ = 48001


def pause_for_token(merchant: Merchant, reply: Reply | None = None) -> None:
    """Pause when no token can be had or `reply` refused one; a call without an answer is only retried."""
    if stop := lines.obstacle(merchant):
        pause_merchant(merchant=merchant, **stop)
    elif reply is not None and read_outcome(reply).then in ("pause_merchant", "renew_token"):
        pause_merchant(merchant=merchant, errcode=reply.errcode, errmsg=reply.errmsg, rid=reply.rid)


def note_refusal(merchant: Merchant, reply: Reply, asked_at: datetime | None = None) -> None:
    """48001 and a quota on order/get stop that call only; what stops the whole merchant stops it here too."""
    outcome = read_outcome(reply)
    words: dict[str, Any] = {"errcode": reply.errcode, "errmsg": reply.errmsg, "rid": reply.rid}
    if reply.errcode == MAY_NOT_READ:
        pause_merchant(merchant=merchant, call=READ, **words)
    elif outcome.then == "pause_merchant":
        pause_merchant(merchant=merchant, **words)
    elif outcome.code.scope == "merchant_call":
        if outcome.code.until == "next_minute":
            slow_down(merchant, READ, asked_at or timezone.now())
        pause_merchant(merchant=merchant, call=READ, until=until(outcome.code, timezone.now()), **words)
