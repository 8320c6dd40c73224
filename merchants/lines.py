"""A merchant's line to the platform: the client, its token, and reading calls that heal themselves.

Sending calls do not go through `read`: they are made once, by the dispatcher, and never repeated here.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings

from wechat.client import Client, Timeouts
from wechat.endpoints import Endpoint
from wechat.outcomes import read_outcome
from wechat.replies import Reply, ReplyKind

from . import tokens
from .models import Merchant, platform_host
from .services import pause_merchant

READ_TRIES = 3
SHORTEST = 0.05
_end: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def until(end: float) -> Iterator[None]:
    """No call made inside outlives `end` of the monotonic clock: someone was promised an answer by then."""
    before = _end.set(end)
    try:
        yield
    finally:
        _end.reset(before)


def seconds_left() -> float:
    end = _end.get()
    return float("inf") if end is None else end - time.monotonic()


def client() -> Client:
    """A client of the operator's WECHAT_API_URL."""
    left = max(SHORTEST, seconds_left())
    return Client(settings.WECHAT_API_URL, Timeouts(*(min(part, left) for part in settings.WECHAT_TIMEOUT)))


def is_reachable(merchant: Merchant) -> bool:
    """A merchant made for one host is never called at another."""
    return merchant.api_host == platform_host()


def read(merchant: Merchant, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply:
    """Make a reading call with the merchant's token; renew it once, repeat what is safe to repeat.

    48001 pauses this call of this merchant only.
    """
    if not is_reachable(merchant):
        return Reply(ReplyKind.NOT_SENT, slug="wrong_host")
    reply = Reply(ReplyKind.NOT_SENT, slug="connect_timeout")
    for number in range(READ_TRIES):
        if seconds_left() <= 0:
            break
        time.sleep(min(_pause_before(number, reply), max(0.0, seconds_left())))
        reply = _read_once(merchant, endpoint, body)
        if not _may_change(merchant, reply):
            break
    if reply.errcode == 48001:
        pause_merchant(
            merchant=merchant, call=endpoint.name, errcode=48001, errmsg=reply.errmsg, rid=reply.rid
        )
    return reply


def _pause_before(number: int, last: Reply) -> float:
    return 0.0 if number == 0 or read_outcome(last).then == "renew_token" else 0.15 * 2**number


def _read_once(merchant: Merchant, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply:
    held = tokens.ensure(client(), merchant)
    if held is None:
        row = tokens.last_failure(merchant)
        reason = f"{row.failed_errcode or ''} {row.failed_reason}".strip() if row else ""
        return Reply(ReplyKind.NOT_SENT, slug="no_token", errmsg=reason)
    reply = client().call(endpoint, body, token=held.token)
    if read_outcome(reply).then == "renew_token":
        tokens.discard(merchant, held.version)
    return reply


def _may_change(merchant: Merchant, reply: Reply) -> bool:
    """Whether the same call may fare better in a moment; a used-up quota will not."""
    outcome = read_outcome(reply)
    if reply.slug == "no_token":
        row = tokens.last_failure(merchant)
        return row is not None and not tokens.was_refused(row.failed_errcode)
    is_quota = outcome.code.scope == "merchant_call"
    return outcome.then in ("unclear", "renew_token") or (outcome.then == "later" and not is_quota)
