"""The one place that knows how a merchant is called: by its own token, as a third party, or from the cloud.

Whoever sends asks for a Line and calls it; which of the three ways it is makes no difference to them.
Sending calls do not go through `read`: they are made once, by the dispatcher, and never repeated here.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from wechat.client import Client
from wechat.endpoints import Endpoint
from wechat.outcomes import read_outcome
from wechat.replies import Reply, ReplyKind

from . import component, tokens
from .deadline import seconds_left, timeouts
from .fields import SecretUnreadable
from .models import Credential, Merchant, Mode, TokenRow, platform_host
from .services import pause_merchant
from .tokens import Kept, Wanted, client

log = logging.getLogger(__name__)
READ_TRIES = 3
# A token refused so often in one read is a person's business.
REFUSALS = 2
# A token refused with more than this left has died before its time.
EARLY = timedelta(seconds=60)
# The most fetches one line can take: the platform's token, a refresh, the lost refresh token, a refresh.
FETCHES = 5
NO_TOKEN_CAME = 41001


@dataclass(frozen=True)
class Line:
    """A merchant's way to the platform for one call: a client and, but for the cloud call, a token."""

    merchant_pk: int
    client: Client
    held: tokens.Held | None

    def in_time(self) -> "Line":
        """The same line, made ready for a lane: over by when this thread has promised an answer."""
        return replace(self, client=client() if self.held else cloud_client())

    def call(self, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply:
        """Make the call. HTTP only: any thread may do it."""
        if self.held is not None:
            return self.client.call(endpoint, body, token=self.held.token)
        if not endpoint.in_cloud:
            return Reply(ReplyKind.NOT_SENT, slug="not_in_cloud")
        reply = self.client.call(endpoint, body)
        if reply.errcode == NO_TOKEN_CAME:
            # Not our fault, as it is elsewhere: the sidecar is switched off and let the call through bare.
            return replace(reply, kind=ReplyKind.NOT_SENT, slug="cloud_switched_off", errcode=None)
        return reply

    def drop(self) -> None:
        """The platform refused the token: forget it if it is still the stored one, note an early death."""
        if self.held is None:
            return
        rows = Credential.objects.filter(merchant=self.merchant_pk)
        same = rows.filter(token_version=self.held.version)
        now = timezone.now()
        if same.filter(token_expires_at__gt=now + EARLY).update(died_early_at=now):
            log.warning("merchant=%s: a token died before its time", self.merchant_pk)
        tokens.discard(rows, self.held.version)


FETCHERS: dict[str, Callable[[Credential], Wanted | None]] = {
    Mode.OWN: tokens.own_store,
    Mode.COMPONENT: component.third_party,
}


def credential(merchant: Merchant) -> Credential | None:
    """A secret that no key opens is as good as none, and must not stop the other merchants."""
    try:
        return Credential.objects.select_related("merchant").filter(merchant=merchant).first()
    except SecretUnreadable:
        log.error("merchant=%s: no key in CREDENTIAL_KEYS opens a stored secret", merchant.pk)
        return None


def cloud_client() -> Client:
    """A client of WeChat CloudRun's sidecar, which adds the credential (store-api 3.4)."""
    return Client(settings.WECHAT_CLOUD_API_URL, timeouts(), is_cloud=True)


def is_reachable(merchant: Merchant) -> bool:
    """A merchant made for one host is never called at another."""
    return merchant.api_host == platform_host()


def current(merchant: Merchant) -> Line | None:
    """The line as it stands; None when there is no living token."""
    return _line(merchant, credential(merchant))


def _line(merchant: Merchant, row: Credential | None) -> Line | None:
    if row is None:
        return None
    if row.mode == Mode.CLOUD:
        return Line(merchant.pk, cloud_client(), None) if settings.WECHAT_CLOUD_API_URL else None
    held = tokens.held(row)
    return Line(merchant.pk, client(), held) if held else None


def ask(merchant: Merchant) -> Wanted | None:
    """Take the lease if it is time to fetch; None when the token is fresh, being fetched or not to be had."""
    return _wanted(credential(merchant))


def look(merchant: Merchant) -> tuple[Wanted | None, Line | None]:
    """`ask`, or else `current`, of one look at the stored credential."""
    row = credential(merchant)
    wanted = _wanted(row)
    return wanted, None if wanted else _line(merchant, row)


def _wanted(row: Credential | None) -> Wanted | None:
    fetcher = FETCHERS.get(row.mode) if row else None
    if row is None or fetcher is None or not tokens.needs_renewal(row):
        return None
    return fetcher(row)


def ensure(merchant: Merchant) -> Line | None:
    """A usable line, its token fetched now if this process gets the lease; None when none is to be had."""
    for _ in range(FETCHES):
        row = credential(merchant)
        if wanted := _wanted(row):
            if wanted.take_in(wanted.fetch()) is not Kept.STEP:
                break
        elif line := _line(merchant, row):
            return line
        elif not _await_the_other(merchant):
            break
    return current(merchant)


def _await_the_other(merchant: Merchant) -> bool:
    """Whether another process was fetching what this line lacks, and has come to an end."""
    row = credential(merchant)
    missing = component.missing(row) if row and row.mode == Mode.COMPONENT else row
    return missing is not None and tokens.await_the_other(missing)


def renew(merchants: Iterable[Merchant]) -> None:
    """Fetch the tokens about to run out, a lane's worth at a time: one slow answer delays few others."""
    waiting = [merchant for merchant in merchants if is_reachable(merchant)]
    with ThreadPoolExecutor(settings.LANES) as lanes:
        while waiting:
            some, waiting = waiting[: settings.LANES], waiting[settings.LANES :]
            wanted = {merchant: found for merchant in some if (found := ask(merchant))}
            replies = lanes.map(lambda one: one.fetch(), wanted.values())
            for (merchant, one), reply in zip(wanted.items(), replies, strict=True):
                if one.take_in(reply) is Kept.STEP:
                    waiting.append(merchant)


def obstacle(merchant: Merchant) -> dict[str, Any]:
    """Why no token can be had before a person acts, as words of a Pause; {} when it is worth waiting."""
    row = credential(merchant)
    if row is None or (row.mode == Mode.OWN and not row.app_secret):
        return {"errcode": 41004}
    if row.mode == Mode.PASTED and tokens.held(row) is None:
        return {"slug": "pasted_token_over"}
    if row.mode == Mode.CLOUD and not settings.WECHAT_CLOUD_API_URL:
        return {"slug": "cloud_not_set_up"}
    return _third_party_obstacle(row) if row.mode == Mode.COMPONENT else {}


def _third_party_obstacle(row: Credential) -> dict[str, Any]:
    if row.cancelled_at:
        return {"slug": "authorization_cancelled"}
    # The list of authorised stores was read, and it was not there.
    return {"slug": "not_authorized"} if row.recovered_at and not row.refresh_token else {}


def read(merchant: Merchant, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply:
    """Make a reading call; renew a refused token once, repeat what is safe to repeat.

    48001 pauses this call of this merchant only; a second token refused in a row pauses the merchant.
    """
    if not is_reachable(merchant):
        return Reply(ReplyKind.NOT_SENT, slug="wrong_host")
    reply, refused = Reply(ReplyKind.NOT_SENT, slug="connect_timeout"), 0
    for number in range(READ_TRIES):
        if seconds_left() <= 0:
            break
        time.sleep(min(_pause_before(number, reply), max(0.0, seconds_left())))
        reply = _read_once(merchant, endpoint, body)
        refused += read_outcome(reply).then == "renew_token"
        if refused == REFUSALS or not _may_change(merchant, reply):
            break
    _pause_if_needed(merchant, endpoint, reply, refused)
    return reply


def probe(merchant: Merchant, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply:
    """Make a reading call for who asks about the line: a refused token is renewed once, nothing paused."""
    reply = _read_once(merchant, endpoint, body)
    return _read_once(merchant, endpoint, body) if read_outcome(reply).then == "renew_token" else reply


def _pause_before(number: int, last: Reply) -> float:
    return 0.0 if number == 0 or read_outcome(last).then == "renew_token" else 0.15 * 2**number


def _read_once(merchant: Merchant, endpoint: Endpoint, body: Mapping[str, Any]) -> Reply:
    line = ensure(merchant)
    if line is None:
        row = last_failure(merchant)
        reason = f"{row.failed_errcode or ''} {row.failed_reason}".strip() if row else ""
        return Reply(ReplyKind.NOT_SENT, slug="no_token", errmsg=reason)
    reply = line.call(endpoint, body)
    if read_outcome(reply).then == "renew_token":
        line.drop()
    return reply


def last_failure(merchant: Merchant) -> TokenRow | None:
    """The row whose last fetch failed, if this merchant's token is fetched at all; its secrets stay shut."""
    rows = Credential.objects.defer("app_secret", "access_token", "refresh_token")
    row = rows.filter(merchant=merchant, mode__in=FETCHERS).first()
    if row is None or row.failed_at is not None:
        return row
    return component.last_failure() if row.mode == Mode.COMPONENT else None


def _may_change(merchant: Merchant, reply: Reply) -> bool:
    """Whether the same call may fare better in a moment; a used-up quota will not."""
    outcome = read_outcome(reply)
    if reply.slug == "no_token":
        row = last_failure(merchant)
        return row is not None and not tokens.was_refused(row.failed_errcode)
    is_quota = outcome.code.scope == "merchant_call"
    return outcome.then in ("unclear", "renew_token") or (outcome.then == "later" and not is_quota)


def _pause_if_needed(merchant: Merchant, endpoint: Endpoint, reply: Reply, refused: int) -> None:
    words: dict[str, Any] = {"errcode": reply.errcode, "errmsg": reply.errmsg, "rid": reply.rid}
    if reply.errcode == 48001:
        pause_merchant(merchant=merchant, call=endpoint.name, **words)
    elif refused == REFUSALS:
        pause_merchant(merchant=merchant, **words)
