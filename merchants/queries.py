"""Reads about merchants; a user sees the merchants of the own active memberships only."""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from .fields import SecretUnreadable
from .models import Credential, Errand, Membership, Merchant, Pause, Platform, Role, User, platform_host

log = logging.getLogger(__name__)
# The document, section 1: what lets a third party ship for a store.
SHIPPING_SET = 131

# A role includes the ones before it.
RANK = {Role.STAFF: 0, Role.MANAGER: 1, Role.ADMIN: 2}


def merchants_for(user: User, role: str = Role.STAFF) -> QuerySet[Merchant]:
    """Active merchants where the user holds at least this role; a superuser holds every role everywhere."""
    active = Merchant.objects.filter(is_active=True)
    if user.is_superuser:
        return active
    roles = [name for name, rank in RANK.items() if rank >= RANK[Role(role)]]
    held = Membership.objects.filter(user_id=user.pk, is_active=True, role__in=roles)
    return active.filter(pk__in=held.values("merchant"))


def has_role(user: User, role: str) -> bool:
    """Whether the user holds at least this role anywhere."""
    return merchants_for(user, role).exists()


def open_pauses() -> QuerySet[Pause]:
    """Pauses that hold now: not ended by a person, not run out."""
    running = Q(until=None) | Q(until__gt=timezone.now())
    return Pause.objects.filter(running, ended_at=None).select_related("merchant")


def pauses_for(user: User) -> QuerySet[Pause]:
    return open_pauses().filter(merchant__in=merchants_for(user))


# store-api 3.1: force_refresh works 20 times a day, at least 30 seconds apart.
FORCE_A_DAY, FORCE_GAP = 20, timedelta(seconds=30)
DAY = timedelta(days=1)
WARN_FOR = timedelta(days=3)


class Budget(NamedTuple):
    """What is left of a day's forced refreshes, and when the next one may be asked for."""

    used: int
    left: int
    next_at: datetime


def force_budget(merchant: Merchant) -> Budget:
    """Counted over 24 hours, so that no reading of "a day" is overdrawn."""
    now = timezone.now()
    asked = Errand.objects.filter(merchant=merchant, kind=Errand.Kind.FORCE, asked_at__gt=now - DAY).order_by(
        "asked_at"
    )
    moments = list(asked.values_list("asked_at", flat=True))
    next_at = max(now, moments[-1] + FORCE_GAP) if moments else now
    if len(moments) >= FORCE_A_DAY:
        next_at = max(next_at, moments[-FORCE_A_DAY] + DAY)
    return Budget(len(moments), max(0, FORCE_A_DAY - len(moments)), next_at)


def is_contested(credential: Credential) -> bool:
    """Whether a token died before its time lately: another system refreshes this AppID."""
    died = credential.died_early_at
    return died is not None and died > timezone.now() - WARN_FOR


def the_platform() -> Platform | None:
    """Our third-party platform, if one is set up for this host and its secrets can be opened."""
    try:
        return Platform.objects.filter(api_host=platform_host()).first()
    except SecretUnreadable:
        log.error("no key in CREDENTIAL_KEYS opens the third-party platform's secrets")
        return None


def errand_for(user: User, pk: int) -> Errand | None:
    """An errand of a store where the user is an admin; one of the platform's is a superuser's."""
    rows = Errand.objects.select_related("merchant", "asked_by").filter(pk=pk)
    if not user.is_superuser:
        rows = rows.filter(merchant__in=merchants_for(user, Role.ADMIN))
    return rows.first()
