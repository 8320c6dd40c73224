"""One token per row, fetched once per expiry however many processes want it (store-api 3.1).

Only workers and commands come here: a web request never fetches. The lease is a conditional UPDATE, the
fetch happens outside any transaction, and losers of the lease keep the old token while it lives.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from wechat.client import Client
from wechat.endpoints import STABLE_TOKEN
from wechat.payload import stable_token_body
from wechat.replies import Reply
from wechat.secrets import Token

from .deadline import timeouts
from .models import Credential, TokenRow
from .once import forget

log = logging.getLogger(__name__)

# stable_token hands out the same token until its last five minutes, so asking earlier is useless.
RENEW_BEFORE = timedelta(seconds=280)
USABLE_FOR = timedelta(seconds=20)
LONGEST, SHORTEST = 7200, 60
# A wrong secret is not tried in a tight loop; a token call without an answer is tried again soon.
COOL_DOWN, SOON = timedelta(seconds=5), timedelta(seconds=0.3)
BUSY = -1


class Held(NamedTuple):
    """A token and the version of the row it was read from."""

    token: Token
    version: int


class Kept(Enum):
    """What a fetch brought: the token, a step on the way to it (ask again), or nothing."""

    TOKEN = auto()
    STEP = auto()
    NOTHING = auto()


@dataclass(frozen=True)
class Wanted:
    """A token to be fetched; whoever holds this holds the lease.

    `fetch` only speaks HTTP, so any thread may run it. `keep` stores what came.
    """

    fetch: Callable[[], Reply] = field(repr=False)
    keep: Callable[[Reply], Kept] = field(repr=False)

    def take_in(self, reply: Reply) -> Kept:
        """`keep`; NOTHING for an answer we stumble over, which is this store's affair and no other's."""
        try:
            with transaction.atomic():
                return self.keep(reply)
        except Exception as error:
            # Not its words: they may tell of the answer, and so of a token.
            log.error("a token's answer could not be taken in: %s", type(error).__name__)
            forget()
            return Kept.NOTHING


def client() -> Client:
    """A client of the operator's WECHAT_API_URL."""
    return Client(settings.WECHAT_API_URL, timeouts())


def held(row: TokenRow) -> Held | None:
    """The stored token if it still lives long enough for a call."""
    if not row.access_token or row.token_expires_at is None:
        return None
    if row.token_expires_at < timezone.now() + USABLE_FOR:
        return None
    return Held(Token(row.access_token), row.token_version)


def needs_renewal(row: TokenRow) -> bool:
    """Whether the token is gone or about to run out."""
    return row.token_expires_at is None or row.token_expires_at < timezone.now() + RENEW_BEFORE


def own_store(row: Credential) -> Wanted | None:
    """The own store's way: AppID and AppSecret through stable_token, never forced (store-api 3.1)."""
    if not row.app_secret or not take_lease(row):
        return None
    body = stable_token_body(row.merchant.appid, row.app_secret)
    return Wanted(partial(client().call, STABLE_TOKEN, body), partial(keep, row))


def keep(row: TokenRow, reply: Reply, name: str = "access_token", **more: Any) -> Kept:
    """Store the token that an answer brought under `name`, and `more` in the same commit."""
    token = str(reply.data.get(name) or "") if reply.ok else ""
    if token:
        save(row, token, reply.data.get("expires_in"), **more)
    else:
        save_failure(row, reply)
    return Kept.TOKEN if token else Kept.NOTHING


def take_lease(row: TokenRow) -> bool:
    """Whether this process may fetch. The lease outlives the slowest call, so nobody fetches beside it."""
    now = timezone.now()
    free = same(row).filter(Q(lease_until__lte=now))
    return free.update(lease_until=now + _lease()) == 1


def _lease() -> timedelta:
    return timedelta(seconds=max(30.0, 2 * settings.WECHAT_TIMEOUT[2]))


def await_the_other(row: TokenRow) -> bool:
    """Wait while another process fetches this row's token, not longer than a call may take.

    Whether it came to an end; False also when nobody fetches, or the last fetch has just failed.
    """
    if row.failed_at is not None and timezone.now() < row.failed_at + COOL_DOWN:
        return False
    end, has_waited = time.monotonic() + timeouts().total, False
    unchanged = same(row).filter(failed_at=row.failed_at)
    while unchanged.filter(lease_until__gt=timezone.now()).exists():
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)
        has_waited = True
    return has_waited


def same(row: TokenRow) -> QuerySet[Any]:
    """The row, as long as its token is still the one that was read."""
    return type(row)._default_manager.filter(pk=row.pk, token_version=row.token_version)


def save(row: TokenRow, token: str, expires_in: object, **more: Any) -> None:
    """Write a new token unless someone wrote one meanwhile."""
    same(row).update(**fresh(token, expires_in), **more)


def fresh(token: str, expires_in: object) -> dict[str, Any]:
    """The columns of a token that has just come."""
    now = timezone.now()
    return {
        "access_token": token,
        "token_version": F("token_version") + 1,
        "token_expires_at": now + lifetime(expires_in),
        "token_fetched_at": now,
        "lease_until": now,
        "failed_at": None,
        "failed_errcode": None,
        "failed_reason": "",
    }


def lifetime(expires_in: object) -> timedelta:
    """What was promised, at least a minute: a token that ends earlier is refused (42001) and fetched anew."""
    try:
        return timedelta(seconds=max(SHORTEST, min(LONGEST, int(float(str(expires_in))))))
    except (ValueError, OverflowError):
        return timedelta(seconds=LONGEST)


def save_failure(row: TokenRow, reply: Reply) -> None:
    """Note why no token came. The lease stays for a moment, longer where asking again changes nothing."""
    now = timezone.now()
    log.warning("token fetch failed: %s %s %s", row._meta.label, reply.errcode, reply.slug)
    same(row).update(
        failed_at=now,
        failed_errcode=reply.errcode,
        failed_reason=(reply.errmsg or reply.slug)[:300],
        lease_until=now + (COOL_DOWN if was_refused(reply.errcode) else SOON),
    )


def was_refused(errcode: int | None) -> bool:
    """Whether the last fetch got an answer that asking again does not change."""
    return errcode not in (None, BUSY)


def discard(rows: QuerySet[Any], version: int) -> None:
    """Forget a token the platform refused, but only if it is still the stored one."""
    rows.filter(token_version=version).update(
        token_expires_at=None, lease_until=timezone.now(), token_version=F("token_version") + 1
    )
