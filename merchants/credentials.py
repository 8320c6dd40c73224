"""Writes about how a merchant is called: mode and secrets, and what is asked of WeChat for a person.

Web code comes here, so nothing here reaches the client: what has to be asked becomes an Errand for a worker.
"""

import hashlib
from datetime import timedelta

from django.core import signing
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from .audit import note
from .models import Audit, Credential, Errand, Merchant, Mode, Platform, Role, User
from .queries import FORCE_A_DAY, FORCE_GAP, force_budget, merchants_for
from .services import set_secret, take_secrets
from .wake import wake

STATE = "merchants.authorized"
LINK_GOOD_FOR = 3600


class NotNow(Exception):
    """What was asked cannot be done at present; str is a sentence for the person."""


@transaction.atomic
def save_credential(
    *, merchant: Merchant, mode: str, secret: str = "", token: str = "", minutes: int = 0, by: User | None
) -> None:
    """Set how a merchant is called. An empty secret or token keeps the stored one; another mode drops it."""
    if secret:
        set_secret(merchant=merchant, secret=secret, by=by)
    rows = Credential.objects.filter(merchant=merchant)
    has_moved = rows.exclude(mode=mode).update(
        mode=mode,
        access_token="",
        token_expires_at=None,
        token_version=F("token_version") + 1,
        lease_until=timezone.now(),
        died_early_at=None,
    )
    if has_moved:
        note(rows.only("pk").get(), kind=Audit.Kind.CREDENTIAL, by=by, fields=["mode"], merchant=merchant)
    if token:
        paste_token(merchant=merchant, token=token, minutes=minutes, by=by)


@transaction.atomic
def paste_token(*, merchant: Merchant, token: str, minutes: int, by: User | None) -> None:
    """Store a token that somebody else fetched and that lives so many minutes more."""
    now = timezone.now()
    row = Credential.objects.get(merchant=merchant)
    row.access_token, row.token_last4 = token, token[-4:]
    row.token_set_at, row.token_set_by = now, by
    row.token_expires_at, row.token_fetched_at = now + timedelta(minutes=minutes), now
    row.died_early_at = None
    row.token_version += 1
    row.save()
    note(row, kind=Audit.Kind.CREDENTIAL, by=by, fields=["access_token"], merchant=merchant)


@transaction.atomic
def save_push_secrets(*, merchant: Merchant, secrets: dict[str, str], by: User | None) -> None:
    """Set push_token and aes_key of a store's push address; an empty one keeps what is stored."""
    row = Credential.objects.get(merchant=merchant)
    if changed := take_secrets(row, secrets, by):
        row.save(update_fields=[*changed, "shown"])
        note(row, kind=Audit.Kind.CREDENTIAL, by=by, fields=changed, merchant=merchant)


@transaction.atomic
def ask_force_refresh(*, merchant: Merchant, by: User) -> Errand:
    """Take one of the day's forced refreshes and have a worker use it (store-api 3.1)."""
    now = timezone.now()
    rested = Q(forced_at=None) | Q(forced_at__lte=now - FORCE_GAP)
    rows = Credential.objects.filter(rested, merchant=merchant, mode=Mode.OWN)
    # First the update: it makes others wait, so that the count behind it is the last word.
    if not rows.update(forced_at=now):
        raise NotNow(_("两次强制换新至少相隔 %d 秒，请稍后再试。") % FORCE_GAP.total_seconds())
    if force_budget(merchant).left <= 0:
        raise NotNow(_("一天只能强制换新 %d 次，今天的次数用完了。") % FORCE_A_DAY)
    row = Credential.objects.only("pk").get(merchant=merchant)
    note(row, kind=Audit.Kind.CREDENTIAL, by=by, fields=["force_refresh"], merchant=merchant)
    return start(Errand.Kind.FORCE, merchant=merchant, by=by)


def ask_test(*, merchant: Merchant, by: User) -> Errand:
    """Have a worker try the merchant's line with one harmless call."""
    return _once(Errand.Kind.TEST, merchant, by)


def ask_quota(*, merchant: Merchant, by: User) -> Errand:
    """Have a worker read what is used and left of the day's calls."""
    return _once(Errand.Kind.QUOTA, merchant, by)


def ask_clear_quota(*, merchant: Merchant, by: User) -> Errand:
    """Have a worker set the day's count back to 0: ten times a month, so only a person may ask."""
    row = Credential.objects.only("pk").get(merchant=merchant)
    note(row, kind=Audit.Kind.CREDENTIAL, by=by, fields=["clear_quota"], merchant=merchant)
    return _once(Errand.Kind.CLEAR_QUOTA, merchant, by)


def _once(kind: str, merchant: Merchant, by: User) -> Errand:
    """The one under way, if there is one: pressing twice asks WeChat once."""
    open_ones = (Errand.Status.WAITING, Errand.Status.RUNNING)
    asked = Errand.objects.filter(kind=kind, merchant=merchant, status__in=open_ones).first()
    return asked or start(kind, merchant=merchant, by=by)


def start(kind: str, *, merchant: Merchant | None = None, by: User | None, given: str = "") -> Errand:
    """Hand an errand to a worker; the page that follows it is opened with its number."""
    errand = Errand.objects.create(kind=kind, merchant=merchant, asked_by=by, given=given)
    wake("run_errand", str(errand.pk))
    return errand


# --- the third-party platform ---------------------------------------------------------------------------


@transaction.atomic
def save_platform(*, appid: str, secrets: dict[str, str], by: User | None) -> Platform:
    """Set our third-party platform; an empty secret keeps the stored one, a new AppID drops its tokens."""
    before = Platform.objects.filter(pk=1).first()
    row = before or Platform(pk=1)
    changed = _take_appid(row, appid) + take_secrets(row, secrets, by)
    row.save()
    if changed:
        action = Audit.Action.CHANGED if before else Audit.Action.ADDED
        note(row, kind=Audit.Kind.CREDENTIAL, action=action, by=by, fields=changed)
    return row


def _take_appid(row: Platform, appid: str) -> list[str]:
    if row.appid == appid:
        return []
    row.appid, row.verify_ticket, row.ticket_at = appid, "", None
    row.access_token, row.token_expires_at = "", None
    row.token_version += 1
    return ["appid"]


def ask_link(*, merchant: Merchant, by: User) -> Errand:
    """Have an authorisation link made for a store's owner."""
    return start(Errand.Kind.LINK, merchant=merchant, by=by)


def state_of(errand: Errand) -> str:
    """What the authorisation link brings back: for which store, and who asked."""
    return signing.dumps([errand.merchant_id, errand.asked_by_id], salt=STATE)


def merchant_of_state(state: str, user: User) -> Merchant | None:
    """The store of a link that this very person asked for; None for any other, an old or a bent one."""
    try:
        merchant_id, user_id = signing.loads(state, salt=STATE, max_age=LINK_GOOD_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if user_id != user.pk:
        return None
    return merchants_for(user, Role.ADMIN).filter(pk=merchant_id).first()


@transaction.atomic
def take_code(*, merchant: Merchant, code: str, by: User | None) -> Errand:
    """Have an authorization code used, once, though it may reach us by the page and by a push."""
    key = hashlib.sha256(code.encode()).hexdigest()
    wanted = {"kind": Errand.Kind.QUERY_AUTH, "merchant": merchant, "asked_by": by, "given": code}
    errand, is_new = Errand.objects.get_or_create(key=key, defaults=wanted)
    if is_new:
        wake("run_errand", str(errand.pk))
    return errand
