"""Writes about how a merchant is called: mode and secrets, and what is asked of WeChat for a person.

Web code comes here, so nothing here reaches the client: what has to be asked becomes an Errand for a worker.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Credential, Errand, Merchant, Mode, User
from .queries import FORCE_A_DAY, FORCE_GAP, force_budget
from .services import set_secret
from .wake import wake


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
    rows.exclude(mode=mode).update(
        mode=mode,
        access_token="",
        token_expires_at=None,
        token_version=F("token_version") + 1,
        lease_until=timezone.now(),
        died_early_at=None,
    )
    if token:
        paste_token(merchant=merchant, token=token, minutes=minutes, by=by)


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
    return start(Errand.Kind.FORCE, merchant=merchant, by=by)


def start(kind: str, *, merchant: Merchant | None = None, by: User | None, given: str = "") -> Errand:
    """Hand an errand to a worker; the page that follows it is opened with its number."""
    errand = Errand.objects.create(kind=kind, merchant=merchant, asked_by=by, given=given)
    wake("run_errand", str(errand.pk))
    return errand
