"""What a person asked of WeChat and waits for, run by a worker exactly once."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone, translation

from wechat.endpoints import PREAUTH_CODE, QUERY_AUTH, STABLE_TOKEN, START_PUSH_TICKET
from wechat.payload import preauth_code_body, query_auth_body, stable_token_body, start_push_body
from wechat.replies import Reply, ReplyKind

from . import component, delivering, lines, probing, tokens
from .credentials import state_of
from .models import Channel, Credential, Errand, Merchant, Mode, Platform
from .queries import the_platform
from .services import end_quota_pauses
from .tokens import Held, Kept

log = logging.getLogger(__name__)
LEASE_TRIES = 20
LOST_AFTER = timedelta(minutes=3)
FORGOTTEN_AFTER = timedelta(seconds=30)


class End(NamedTuple):
    """How an errand ended: `slug` or the reply's errcode says why it failed, "" and 0 that it did not."""

    slug: str = ""
    reply: Reply | None = None
    result: str = ""
    facts: dict[str, Any] = {}

    @property
    def is_good(self) -> bool:
        return not self.slug and (self.reply is None or self.reply.ok)


def run(pk: int) -> None:
    """Run one errand that nobody has begun; whatever happens, its page learns the end."""
    waiting = Errand.objects.filter(pk=pk, status=Errand.Status.WAITING)
    if not waiting.update(status=Errand.Status.RUNNING, begun_at=timezone.now()):
        return
    errand = Errand.objects.select_related("merchant").get(pk=pk)
    try:
        end = RUNNERS[errand.kind](errand)
    except Exception:
        log.exception("errand=%s: fault of our own", pk)
        end = End("errand_failed")
    _finish(errand, end)


def catch_up() -> None:
    """Run what was asked for but not handed out; end what a killed worker began."""
    now = timezone.now()
    running = Errand.objects.filter(status=Errand.Status.RUNNING)
    lost = running.alias(begun=Coalesce("begun_at", "asked_at")).filter(begun__lt=now - LOST_AFTER)
    lost.update(status=Errand.Status.FAILED, slug="errand_failed", ended_at=now, given="")
    waiting = Errand.objects.filter(status=Errand.Status.WAITING, asked_at__lt=now - FORGOTTEN_AFTER)
    for pk in waiting.values_list("pk", flat=True):
        run(pk)


def _finish(errand: Errand, end: End) -> None:
    reply = end.reply
    errand.status = Errand.Status.DONE if end.is_good else Errand.Status.FAILED
    errand.slug = end.slug or (reply.slug if reply else "")
    if reply is not None:
        errand.errcode = None if end.slug else reply.errcode
        errand.errmsg, errand.rid = reply.errmsg[:500], reply.rid
    # Used up: an authorization code is good for one call.
    errand.given, errand.result, errand.ended_at = "", end.result, timezone.now()
    errand.facts = end.facts
    errand.save()


def force(errand: Errand) -> End:
    """Ask stable_token for a new token at once, which kills the present one (store-api 3.1)."""
    row = _leased(errand)
    if row is None:
        return End("errand_failed")
    body = stable_token_body(row.merchant.appid, row.app_secret, force=True)
    reply = tokens.client().call(STABLE_TOKEN, body)
    if tokens.keep(row, reply) is Kept.NOTHING:
        return End(reply=reply) if not reply.ok else End("errand_failed", reply)
    is_new = reply.data["access_token"] != row.access_token
    return End() if is_new else End("force_ignored")


def _leased(errand: Errand) -> Credential | None:
    """The credential with its lease taken, so that no ordinary fetch runs beside the forced one."""
    for _ in range(LEASE_TRIES):
        row = _reachable(errand)
        if row is None or row.mode != Mode.OWN or not row.app_secret:
            return None
        if tokens.take_lease(row):
            return row
        time.sleep(0.5)
    return None


def _reachable(errand: Errand) -> Credential | None:
    """A secret made for one host is never sent to another."""
    if errand.merchant is None or not lines.is_reachable(errand.merchant):
        return None
    return lines.credential(errand.merchant)


def link(errand: Errand) -> End:
    """The page where a store's owner authorises us, with a fresh pre_auth_code (store-api 3.2)."""
    platform, held, end = _platform()
    if platform is None or held is None or errand.merchant is None:
        return end
    reply = tokens.client().call(PREAUTH_CODE, preauth_code_body(platform.appid), token=held.token)
    if not reply.ok:
        return End(reply=reply)
    back = settings.PUBLIC_URL + reverse("authorized", args=[state_of(errand)])
    code = str(reply.data.get("pre_auth_code") or "")
    return End(result=component.login_url(platform.appid, errand.merchant.appid, code, back))


def query_auth(errand: Errand) -> End:
    """Turn an authorization code into tokens and rights, for this store only (store-api 3.2)."""
    platform, held, end = _platform()
    if platform is None or held is None or errand.merchant is None:
        return end
    reply = tokens.client().call(QUERY_AUTH, query_auth_body(platform.appid, errand.given), token=held.token)
    if not reply.ok:
        return End(reply=reply)
    info = reply.data.get("authorization_info") or {}
    if info.get("authorizer_appid") != errand.merchant.appid:
        return End("other_store_authorized")
    is_enough = component.accept(errand.merchant, info, by=errand.asked_by)
    return End() if is_enough else End("permission_set_missing")


def start_push(errand: Errand) -> End:
    """Ask WeChat to begin, or go on, pushing the ticket."""
    platform = the_platform()
    if platform is None or not platform.app_secret:
        return End("errand_failed")
    body = start_push_body(platform.appid, platform.app_secret)
    return End(reply=tokens.client().call(START_PUSH_TICKET, body))


def test(errand: Errand) -> End:
    """One harmless call on the merchant's own way, explained."""
    return _found(errand, probing.test)


def quota(errand: Errand) -> End:
    """What is used and left of the day's calls."""
    return _found(errand, probing.quota)


def clear_quota(errand: Errand) -> End:
    """Set the day's count back, and go on with what only waited for midnight."""
    end = _found(errand, probing.clear_quota)
    if errand.merchant is not None and end.reply is not None and end.reply.ok:
        end_quota_pauses(merchant=errand.merchant, by=errand.asked_by)
    return end


def tell(errand: Errand) -> End:
    """Send a test message on a channel."""
    channel = Channel.objects.select_related("merchant").get(pk=int(errand.given))
    with translation.override(channel.language):
        words = delivering.test_words(channel)
    failure = delivering.tell(channel, words)
    if not failure:
        return End()
    return End("not_told", Reply(ReplyKind.NO_ANSWER, slug="not_told", errmsg=failure))


def _found(errand: Errand, look: Callable[[Merchant], probing.Found]) -> End:
    if errand.merchant is None:
        return End("errand_failed")
    found = look(errand.merchant)
    return End(reply=found.reply, facts=found.facts)


def _platform() -> tuple[Platform | None, Held | None, End]:
    """The platform with its token, fetched now if need be, or how the errand ends without."""
    reply = None
    for _ in range(LEASE_TRIES):
        platform = the_platform()
        if platform is None or not component.has_ticket(platform):
            return None, None, End("no_verify_ticket")
        if held := tokens.held(platform):
            return platform, held, End()
        if wanted := component.platform_token(platform):
            reply = wanted.fetch()
            if wanted.keep(reply) is Kept.NOTHING:
                break
        else:
            time.sleep(0.5)
    return None, None, End(reply=reply) if reply and not reply.ok else End("errand_failed", reply)


RUNNERS: dict[str, Callable[[Errand], End]] = {
    Errand.Kind.FORCE: force,
    Errand.Kind.LINK: link,
    Errand.Kind.QUERY_AUTH: query_auth,
    Errand.Kind.START_PUSH: start_push,
    Errand.Kind.TEST: test,
    Errand.Kind.QUOTA: quota,
    Errand.Kind.CLEAR_QUOTA: clear_quota,
    Errand.Kind.TELL: tell,
}
