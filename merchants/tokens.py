"""One access_token per merchant, fetched once per expiry however many processes want it (store-api 3.1).

Only workers and commands come here: a web request never fetches. The lease is a conditional UPDATE, the
fetch happens outside any transaction, and losers of the lease keep the old token while it lives.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import F, Q
from django.utils import timezone

from wechat.client import Client
from wechat.endpoints import STABLE_TOKEN
from wechat.payload import stable_token_body
from wechat.replies import Reply
from wechat.secrets import Token

from .fields import SecretUnreadable
from .models import Credential, Merchant

log = logging.getLogger(__name__)

# stable_token hands out the same token until its last five minutes, so asking earlier is useless.
RENEW_BEFORE = timedelta(seconds=280)
USABLE_FOR = timedelta(seconds=20)
LEASE = timedelta(seconds=30)
# A wrong secret is not tried in a tight loop; a token call without an answer is tried again soon.
COOL_DOWN, SOON = timedelta(seconds=5), timedelta(seconds=0.3)
BUSY = -1


class Held(NamedTuple):
    """A token and the version of the row it was read from."""

    token: Token
    version: int


def current(merchant: Merchant) -> Held | None:
    """The stored token if it still lives long enough for a call."""
    row = _row(merchant)
    if row is None or not row.access_token or row.token_expires_at is None:
        return None
    if row.token_expires_at < timezone.now() + USABLE_FOR:
        return None
    return Held(Token(row.access_token), row.token_version)


def ensure(client: Client, merchant: Merchant) -> Held | None:
    """A living token, fetched now if this process gets the lease; None when there is none to be had."""
    row = _row(merchant)
    if row is None or not row.app_secret:
        return current(merchant)
    if _needs_renewal(row) and _take_lease(row):
        _save(row, client.call(STABLE_TOKEN, stable_token_body(merchant.appid, row.app_secret)))
    elif current(merchant) is None:
        _await_the_other(row, client.timeouts.total)
    return current(merchant)


def _await_the_other(row: Credential, seconds: float) -> None:
    """Another process fetches the first token: wait until it is there, not longer than a call may take."""
    end, since = time.monotonic() + seconds, row.failed_at
    if since is not None and timezone.now() < since + COOL_DOWN:
        return
    same = Credential.objects.filter(pk=row.pk, token_version=row.token_version, failed_at=since)
    while time.monotonic() < end and same.filter(lease_until__gt=timezone.now()).exists():
        time.sleep(0.05)


def _row(merchant: Merchant) -> Credential | None:
    """The credential; one that no key opens is as good as none, and must not stop the other merchants."""
    try:
        return Credential.objects.filter(merchant=merchant).first()
    except SecretUnreadable as error:
        log.error("merchant %s: %s", merchant.pk, error)
        return None


def discard(merchant: Merchant, version: int) -> None:
    """Forget a token the platform refused, but only if it is still the stored one."""
    Credential.objects.filter(merchant=merchant, token_version=version).update(
        token_expires_at=None, lease_until=timezone.now(), token_version=F("token_version") + 1
    )


def last_failure(merchant: Merchant) -> Credential | None:
    """The credential row when the last fetch failed, for the pause that follows."""
    rows = Credential.objects.defer("app_secret", "access_token")
    return rows.filter(merchant=merchant, failed_at__isnull=False).first()


def was_refused(errcode: int | None) -> bool:
    """Whether the last fetch got an answer that asking again does not change."""
    return errcode not in (None, BUSY)


def _needs_renewal(row: Credential) -> bool:
    return row.token_expires_at is None or row.token_expires_at < timezone.now() + RENEW_BEFORE


def _take_lease(row: Credential) -> bool:
    now = timezone.now()
    free = Credential.objects.filter(Q(lease_until__lte=now), pk=row.pk, token_version=row.token_version)
    return free.update(lease_until=now + LEASE) == 1


def _save(row: Credential, reply: Reply) -> None:
    token = str(reply.data.get("access_token") or "") if reply.ok else ""
    (_save_token if token else _save_failure)(row, reply)


def _save_token(row: Credential, reply: Reply) -> None:
    now = timezone.now()
    fresh = Credential(access_token=reply.data["access_token"])
    Credential.objects.filter(pk=row.pk, token_version=row.token_version).update(
        access_token=fresh.access_token,
        token_version=F("token_version") + 1,
        token_expires_at=now + _lifetime(reply),
        token_fetched_at=now,
        lease_until=now,
        failed_at=None,
        failed_errcode=None,
        failed_reason="",
    )


def _lifetime(reply: Reply) -> timedelta:
    """What was promised, at least a minute: a token that ends earlier is refused (42001) and fetched anew."""
    try:
        return timedelta(seconds=max(60, min(7200, int(reply.data.get("expires_in", 7200)))))
    except (TypeError, ValueError, OverflowError):
        return timedelta(seconds=7200)


def _save_failure(row: Credential, reply: Reply) -> None:
    now: datetime = timezone.now()
    log.warning("token fetch failed for merchant %s: %s %s", row.merchant_id, reply.errcode, reply.slug)
    wait = COOL_DOWN if was_refused(reply.errcode) else SOON
    Credential.objects.filter(pk=row.pk).update(
        failed_at=now,
        failed_errcode=reply.errcode,
        failed_reason=(reply.errmsg or reply.slug)[:300],
        lease_until=now + wait,
    )
