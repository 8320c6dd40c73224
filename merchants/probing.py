"""What an admin asks of a store's line: does it work, and how much of the day's calls is left.

Reading calls only, once each, and nothing is paused by their answers: a person reads them.
"""

from typing import Any, NamedTuple

from wechat.endpoints import (
    CLEAR_QUOTA,
    COURIERS_NEW,
    COURIERS_OLD,
    DELIVERY_SEND,
    ORDER_GET,
    ORDER_LIST,
    QUOTA_GET,
    Endpoint,
)
from wechat.errcodes import LOCAL
from wechat.payload import clear_quota_body, couriers_new_body, quota_get_body
from wechat.replies import Reply, ReplyKind

from . import component, lines
from .models import Credential, Merchant, Mode, Platform, TokenRow
from .queries import SHIPPING_SET, the_platform

# The calls whose quota a day of shipping uses.
COUNTED = (DELIVERY_SEND, ORDER_GET, ORDER_LIST, COURIERS_NEW)
PER_TOKEN, PER_PLATFORM, PER_CALL = "token", "platform", "call"


class Found(NamedTuple):
    """How it ended, and what the page shows: `step` that failed, or what was counted."""

    reply: Reply
    facts: dict[str, Any]


def test(merchant: Merchant) -> Found:
    """Fetch a token if one is due, then read the courier list, by the one call that this way has."""
    if stopped := _stopped(merchant):
        return Found(stopped, {})
    in_cloud = _mode(merchant) == Mode.CLOUD
    endpoint, body = (COURIERS_OLD, {}) if in_cloud else (COURIERS_NEW, couriers_new_body())
    reply = lines.probe(merchant, endpoint, body)
    if reply.slug == "no_token":
        return _no_token(merchant)
    facts = {"step": PER_CALL, "call": endpoint.name, "ms": reply.elapsed_ms, "couriers": _listed(reply)}
    return Found(_rights(merchant) or reply if reply.ok else reply, facts)


def _mode(merchant: Merchant) -> str:
    return Credential.objects.values_list("mode", flat=True).get(merchant=merchant)


def _listed(reply: Reply) -> int:
    listed = reply.data.get("company_list")
    return len(listed) if isinstance(listed, list) else 0


def _stopped(merchant: Merchant) -> Reply | None:
    """What keeps the line from being used before any call is made."""
    if not lines.is_reachable(merchant):
        return Reply(ReplyKind.NOT_SENT, slug="wrong_host")
    words = lines.obstacle(merchant)
    return Reply(ReplyKind.NOT_SENT, **words) if words else None


def _rights(merchant: Merchant) -> Reply | None:
    """Couriers may be read with other sets; without 131 nothing ships."""
    rows = Credential.objects.only("permission_sets").filter(
        merchant=merchant, mode=Mode.COMPONENT, authorized_at__isnull=False
    )
    row = rows.first()
    if row is None or SHIPPING_SET in row.permission_sets:
        return None
    return Reply(ReplyKind.NOT_SENT, slug="permission_set_missing")


def _no_token(merchant: Merchant) -> Found:
    """The last fetch's own answer tells more than that there is no token."""
    if stopped := _stopped(merchant):
        return Found(stopped, {})
    failed = _failed_last(merchant)
    if failed is None:
        is_waiting = _mode(merchant) == Mode.COMPONENT and not _has_ticket()
        return Found(Reply(ReplyKind.NOT_SENT, slug="no_verify_ticket" if is_waiting else "no_token"), {})
    return Found(_why(failed), {"step": PER_PLATFORM if isinstance(failed, Platform) else PER_TOKEN})


def _has_ticket() -> bool:
    platform = the_platform()
    return platform is not None and component.has_ticket(platform)


def _failed_last(merchant: Merchant) -> TokenRow | None:
    rows = [lines.last_failure(merchant)]
    rows += [component.last_failure()] if _mode(merchant) == Mode.COMPONENT else []
    failed = [row for row in rows if row is not None and row.failed_at is not None]
    return max(failed, key=lambda row: str(row.failed_at), default=None)


def _why(row: TokenRow) -> Reply:
    if row.failed_errcode is not None:
        return Reply(ReplyKind.ANSWERED, errcode=row.failed_errcode, errmsg=row.failed_reason)
    slug = row.failed_reason if row.failed_reason in LOCAL else "no_token"
    return Reply(ReplyKind.NOT_SENT, slug=slug)


# --- used and left --------------------------------------------------------------------------------------


def quota(merchant: Merchant) -> Found:
    """openapi/quota/get for each call that shipping makes; fails only when none could be read."""
    if stopped := _stopped(merchant):
        return Found(stopped, {})
    replies: dict[Endpoint, Reply] = {}
    for endpoint in COUNTED:
        reply = replies[endpoint] = lines.probe(merchant, QUOTA_GET, quota_get_body(endpoint.path))
        if reply.slug == "no_token":
            return _no_token(merchant)
        if reply.errcode is None:
            break
    first = next(iter(replies.values()))
    good = next((reply for reply in replies.values() if reply.ok), None)
    return Found(good or first, {"quotas": [_used(call, reply) for call, reply in replies.items()]})


def clear_quota(merchant: Merchant) -> Found:
    """clear_quota, then what is counted now. A lost answer is safe to see: the count tells."""
    if stopped := _stopped(merchant):
        return Found(stopped, {})
    reply = lines.probe(merchant, CLEAR_QUOTA, clear_quota_body(merchant.appid))
    if reply.slug == "no_token":
        return _no_token(merchant)
    return Found(reply, quota(merchant).facts)


def _used(endpoint: Endpoint, reply: Reply) -> dict[str, Any]:
    """One line of the figure; a limit of 0 or none means that WeChat names none."""
    quota = reply.data.get("quota") if reply.ok else None
    counts = quota if isinstance(quota, dict) else {}
    names = {"limit": "daily_limit", "used": "used", "left": "remain"}
    shown = {ours: _count(counts.get(theirs)) for ours, theirs in names.items()}
    why = None if reply.ok else reply.errcode
    return {"call": endpoint.name, "errcode": why, "rates": _rates(reply.data), **shown}


def _rates(data: dict[str, Any]) -> list[dict[str, int]]:
    """So many calls in so many seconds, of the store and, for a third party, of the platform."""
    found = [data.get("rate_limit"), data.get("component_rate_limit")]
    rates = [one for each in found for one in (each if isinstance(each, list) else [each])]
    asked = [
        {"calls": _count(rate.get("call_count")), "seconds": _count(rate.get("refresh_second"))}
        for rate in rates
        if isinstance(rate, dict)
    ]
    return [rate for rate in asked if rate["calls"] and rate["seconds"]]


def _count(value: object) -> int:
    """Numbers may come in quotes (store-api section 6)."""
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0
