"""What a person asked of WeChat and waits for, run by a worker exactly once."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from wechat.endpoints import STABLE_TOKEN
from wechat.payload import stable_token_body
from wechat.replies import Reply

from . import lines, tokens
from .models import Credential, Errand, Mode
from .tokens import Kept

log = logging.getLogger(__name__)
LEASE_TRIES = 20
LOST_AFTER = timedelta(minutes=3)
FORGOTTEN_AFTER = timedelta(seconds=30)


class End(NamedTuple):
    """How an errand ended: `slug` or the reply's errcode says why it failed, "" and 0 that it did not."""

    slug: str = ""
    reply: Reply | None = None
    result: str = ""

    @property
    def is_good(self) -> bool:
        return not self.slug and (self.reply is None or self.reply.ok)


def run(pk: int) -> None:
    """Run one errand that nobody has begun; whatever happens, its page learns the end."""
    waiting = Errand.objects.filter(pk=pk, status=Errand.Status.WAITING)
    if not waiting.update(status=Errand.Status.RUNNING):
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
    lost = Errand.objects.filter(status=Errand.Status.RUNNING, asked_at__lt=now - LOST_AFTER)
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
        row = lines.credential(errand.merchant) if errand.merchant else None
        if row is None or row.mode != Mode.OWN or not row.app_secret:
            return None
        if tokens.take_lease(row):
            return row
        time.sleep(0.5)
    return None


RUNNERS: dict[str, Callable[[Errand], End]] = {Errand.Kind.FORCE: force}
