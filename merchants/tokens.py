"""One access_token per merchant, fetched once per expiry however many processes want it (store-api 3.1).

Only workers and commands come here: a web request never fetches. The lease is a conditional UPDATE, the
fetch happens outside any transaction, and losers of the lease keep the old token while it lives.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import F, Q
from django.utils import timezone

from wechat.client import Client
from wechat.endpoints import STABLE_TOKEN
from wechat.payload import stable_token_body
from wechat.replies import Reply
from wechat.secrets import Token

from .models import Credential, Merchant

log = logging.getLogger(__name__)

# stable_token hands out the same token until its last five minutes, so asking earlier is useless.
RENEW_BEFORE = timedelta(seconds=280)
USABLE_FOR = timedelta(seconds=20)
LEASE = timedelta(seconds=30)


class Held(NamedTuple):
    """A token and the version of the row it was read from."""

    token: Token
    version: int


def current(merchant: Merchant) -> Held | None:
    """The stored token if it still lives long enough for a call."""
    row = Credential.objects.filter(merchant=merchant).first()
    if row is None or not row.access_token or row.token_expires_at is None:
        return None
    if row.token_expires_at < timezone.now() + USABLE_FOR:
        return None
    return Held(Token(row.access_token), row.token_version)


def ensure(client: Client, merchant: Merchant) -> Held | None:
    """A living token, fetched now if this process gets the lease; None when there is none to be had."""
    row = Credential.objects.filter(merchant=merchant).exclude(app_secret__isnull=True).first()
    if row is None or not row.app_secret:
        return current(merchant)
    if _needs_renewal(row) and _take_lease(row):
        _save(row, client.call(STABLE_TOKEN, stable_token_body(merchant.appid, row.app_secret)))
    return current(merchant)


def discard(merchant: Merchant, version: int) -> None:
    """Forget a token the platform refused, but only if it is still the stored one."""
    Credential.objects.filter(merchant=merchant, token_version=version).update(
        token_expires_at=None, lease_until=timezone.now(), token_version=F("token_version") + 1
    )


def has_secret(merchant: Merchant) -> bool:
    """Whether a token can be asked for at all."""
    row = Credential.objects.filter(merchant=merchant).first()
    return row is not None and bool(row.app_secret)


def last_failure(merchant: Merchant) -> Credential | None:
    """The credential row when the last fetch failed, for the pause that follows."""
    return Credential.objects.filter(merchant=merchant, failed_at__isnull=False).first()


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
    try:
        return timedelta(seconds=int(reply.data.get("expires_in", 7200)))
    except (TypeError, ValueError):
        return timedelta(seconds=7200)


def _save_failure(row: Credential, reply: Reply) -> None:
    now: datetime = timezone.now()
    log.warning("token fetch failed for merchant %s: %s %s", row.merchant_id, reply.errcode, reply.slug)
    # The lease stays for a moment, so that a wrong secret is not tried in a tight loop.
    Credential.objects.filter(pk=row.pk).update(
        failed_at=now,
        failed_errcode=reply.errcode,
        failed_reason=(reply.errmsg or reply.slug)[:300],
        lease_until=now + timedelta(seconds=5),
    )
