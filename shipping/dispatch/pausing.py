"""What stops a merchant besides the answer to a send: no token, a read that was refused."""

from typing import Any

from django.utils import timezone

from merchants import tokens
from merchants.models import Merchant
from merchants.services import pause_merchant
from shipping.pauses import READ
from wechat.outcomes import read_outcome
from wechat.replies import Reply

from .pacing import until

NO_SECRET = 41004
MAY_NOT_READ = 48001


def pause_for_token(merchant: Merchant, reply: Reply | None = None) -> None:
    """Pause when there is no secret or `reply` refused it; a token call without an answer is only retried."""
    if not tokens.has_secret(merchant):
        pause_merchant(merchant=merchant, errcode=NO_SECRET)
    elif reply is not None and read_outcome(reply).then in ("pause_merchant", "renew_token"):
        pause_merchant(merchant=merchant, errcode=reply.errcode, errmsg=reply.errmsg, rid=reply.rid)


def note_refusal(merchant: Merchant, reply: Reply) -> None:
    """48001 and a quota on order/get stop that call only; what stops the whole merchant stops it here too."""
    outcome = read_outcome(reply)
    words: dict[str, Any] = {"errcode": reply.errcode, "errmsg": reply.errmsg, "rid": reply.rid}
    if reply.errcode == MAY_NOT_READ:
        pause_merchant(merchant=merchant, call=READ, **words)
    elif outcome.then == "pause_merchant":
        pause_merchant(merchant=merchant, **words)
    elif outcome.code.scope == "merchant_call":
        pause_merchant(merchant=merchant, call=READ, until=until(outcome.code, timezone.now()), **words)
