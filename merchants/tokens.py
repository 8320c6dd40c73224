"""One access_token per merchant, fetched once per expiry however many processes want it (store-api 3.1).

Only workers and commands come here: a web request never fetches. The lease is a conditional UPDATE, the
fetch happens outside any transaction, and losers of the lease keep the old token while it lives.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

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
LONGEST, SHORTEST = 7200, 60
# A wrong secret is not tried in a tight loop; a token call without an answer is tried again soon.
COOL_DOWN, SOON = timedelta(seconds=5), timedelta(seconds=0.3)
BUSY = -1


class Held(NamedTuple):
    """A token and the version of the row it was read from."""

    token: Token
    version: int


@dataclass(frozen=True)
class Wanted:
    """A token to be fetched; whoever holds this holds the lease. The body carries the secret."""

    credential_pk: int
    version: int
    body: dict[str, Any] = field(repr=False)


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
    if wanted := ask(merchant):
        keep(wanted, client.call(STABLE_TOKEN, wanted.body))
    elif current(merchant) is None:
        _await_the_other(merchant, client.timeouts.total)
    return current(merchant)


def _await_the_other(merchant: Merchant, seconds: float) -> None:
    """Another process fetches the first token: wait until it is there, not longer than a call may take."""
    row, end = _row(merchant), time.monotonic() + seconds
    if row is None or (row.failed_at is not None and timezone.now() < row.failed_at + COOL_DOWN):
        return
    same = Credential.objects.filter(
        pk=row.pk, token_version=row.token_version, failed_at=row.failed_at, app_secret__isnull=False
    )
    while time.monotonic() < end and same.filter(lease_until__gt=timezone.now()).exists():
        time.sleep(0.05)


def ask(merchant: Merchant) -> Wanted | None:
    """Take the lease if it is time to fetch; None when the token is fresh, being fetched or not to be had."""
    row = _row(merchant)
    if row is None or not row.app_secret or not _needs_renewal(row) or not _take_lease(row):
        return None
    return Wanted(row.pk, row.token_version, stable_token_body(merchant.appid, row.app_secret))


def keep(wanted: Wanted, reply: Reply) -> bool:
    """Store what the token call brought; False when it brought no token."""
    token = str(reply.data.get("access_token") or "") if reply.ok else ""
    if token:
        _save_token(wanted, token, reply)
    else:
        _save_failure(wanted, reply)
    return bool(token)


def discard(merchant: Merchant, version: int) -> None:
    """Forget a token the platform refused, but only if it is still the stored one."""
    Credential.objects.filter(merchant=merchant, token_version=version).update(
        token_expires_at=None, lease_until=timezone.now(), token_version=F("token_version") + 1
    )


def has_secret(merchant: Merchant) -> bool:
    """Whether a token can be asked for at all."""
    row = _row(merchant)
    return row is not None and bool(row.app_secret)


def last_failure(merchant: Merchant) -> Credential | None:
    """The credential row when the last fetch failed."""
    rows = Credential.objects.defer("app_secret", "access_token")
    return rows.filter(merchant=merchant, failed_at__isnull=False).first()


def was_refused(errcode: int | None) -> bool:
    """Whether the last fetch got an answer that asking again does not change."""
    return errcode not in (None, BUSY)


def _row(merchant: Merchant) -> Credential | None:
    """A secret that no key opens is as good as none, and must not stop the other merchants."""
    try:
        return Credential.objects.filter(merchant=merchant).first()
    except SecretUnreadable:
        log.error("merchant=%s: no key in CREDENTIAL_KEYS opens the stored secret", merchant.pk)
        return None


def _needs_renewal(row: Credential) -> bool:
    return row.token_expires_at is None or row.token_expires_at < timezone.now() + RENEW_BEFORE


def _take_lease(row: Credential) -> bool:
    now = timezone.now()
    free = Credential.objects.filter(Q(lease_until__lte=now), pk=row.pk, token_version=row.token_version)
    return free.update(lease_until=now + LEASE) == 1


def _save_token(wanted: Wanted, token: str, reply: Reply) -> None:
    now = timezone.now()
    Credential.objects.filter(pk=wanted.credential_pk, token_version=wanted.version).update(
        access_token=token,
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
        seconds = int(reply.data.get("expires_in", LONGEST))
        return timedelta(seconds=max(SHORTEST, min(LONGEST, seconds)))
    except (TypeError, ValueError, OverflowError):
        return timedelta(seconds=LONGEST)


def _save_failure(wanted: Wanted, reply: Reply) -> None:
    now = timezone.now()
    log.warning("token fetch failed: credential %s %s %s", wanted.credential_pk, reply.errcode, reply.slug)
    wait = COOL_DOWN if was_refused(reply.errcode) else SOON
    Credential.objects.filter(pk=wanted.credential_pk).update(
        failed_at=now,
        failed_errcode=reply.errcode,
        failed_reason=(reply.errmsg or reply.slug)[:300],
        lease_until=now + wait,
    )
