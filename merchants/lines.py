"""A merchant's line to the platform: the client, its token, and reading calls that heal themselves.

Sending calls do not go through `read`: they are made once, by the dispatcher, and never repeated here.
"""

import time
from collections.abc import Mapping
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


def client() -> Client:
    """A client of the operator's WECHAT_API_URL."""
    return Client(settings.WECHAT_API_URL, Timeouts(*settings.WECHAT_TIMEOUT))


def is_reachable(merchant: Merchant) -> bool:
    """A merchant made for one host is never called at another."""
    return merchant.api_host == platform_host()


def read(merchant: Merchant, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply:
    """Make a reading call with the merchant's token; renew it once, repeat what is safe to repeat.

    48001 pauses this call of this merchant only.
    """
    if not is_reachable(merchant):
        return Reply(ReplyKind.NOT_SENT, slug="wrong_host")
    reply = Reply(ReplyKind.NOT_SENT, slug="no_token")
    for number in range(READ_TRIES):
        held = tokens.ensure(client(), merchant)
        if held is None:
            return reply
        reply = client().call(endpoint, body, token=held.token)
        then = read_outcome(reply).then
        if then == "renew_token":
            tokens.discard(merchant, held.version)
        elif then not in ("unclear", "later"):
            break
        else:
            time.sleep(0.3 * 2**number)
    if reply.errcode == 48001:
        pause_merchant(
            merchant=merchant, call=endpoint.name, errcode=48001, errmsg=reply.errmsg, rid=reply.rid
        )
    return reply
