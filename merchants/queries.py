"""Reads about merchants and people; a user sees the merchants of the own active memberships only."""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from .fields import SecretUnreadable
from .links import digest_of
from .models import (
    Audit,
    Channel,
    Credential,
    Errand,
    Membership,
    Merchant,
    Mode,
    OneTimeLink,
    Pause,
    Platform,
    PushedEvent,
    Role,
    User,
    platform_host,
)
from .once import once

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


class Store(NamedTuple):
    """A store and the role held there."""

    merchant: Merchant
    role: str

    def has(self, role: str) -> bool:
        """Whether the role held includes this one."""
        return RANK[Role(self.role)] >= RANK[Role(role)]


def stores_of(user: User) -> dict[int, Store]:
    """What `merchants_for` finds, by key, in the order of the names; asked once by a page that only reads."""
    return once(("stores", user.pk), lambda: _stores_of(user))


def _stores_of(user: User) -> dict[int, Store]:
    if user.is_superuser:
        return {merchant.pk: Store(merchant, Role.ADMIN) for merchant in merchants_for(user)}
    held = Membership.objects.filter(user_id=user.pk, is_active=True, merchant__is_active=True)
    rows = held.select_related("merchant").order_by("merchant__name", "merchant")
    return {row.merchant_id: Store(row.merchant, row.role) for row in rows}


def roles_of(user: User) -> set[str]:
    """Every role that `has_role` is true of."""
    highest = max((RANK[Role(store.role)] for store in stores_of(user).values()), default=-1)
    return {role for role, rank in RANK.items() if rank <= highest}


def roles_by_store(user: User) -> dict[int, str]:
    """The role a person holds at each active store; {} for a superuser, who holds every role everywhere."""
    held = Membership.objects.filter(user_id=user.pk, is_active=True, merchant__is_active=True)
    return {} if user.is_superuser else dict(held.values_list("merchant", "role"))


def people_with(merchant: Merchant, role: str) -> list[User]:
    """Who holds at least this role at a store, the least of them first."""
    roles = [name for name, rank in RANK.items() if rank >= RANK[Role(role)]]
    held = Membership.objects.filter(merchant=merchant, is_active=True, user__is_active=True, role__in=roles)
    rows = held.select_related("user").order_by("user__username")
    return [row.user for row in sorted(rows, key=lambda row: RANK[Role(row.role)])]


def open_pauses() -> QuerySet[Pause]:
    """Pauses that hold now: not ended by a person, not run out."""
    running = Q(until=None) | Q(until__gt=timezone.now())
    return Pause.objects.filter(running, ended_at=None).select_related("merchant")


# --- how a store is called ------------------------------------------------------------------------------

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


def push_credential(key: str) -> Credential | None:
    """The secrets of a store's push door; None for a key that opens none. Raises SecretUnreadable."""
    rows = Credential.objects.select_related("merchant").filter(merchant__is_active=True, event_key=key)
    return rows.only("push_token", "aes_key", "merchant").first()


def authorized_merchant(appid: str) -> Merchant | None:
    """The store with this AppID, if it is called through our third-party platform."""
    return Merchant.objects.filter(is_active=True, appid=appid, credential__mode=Mode.COMPONENT).first()


def last_push(merchant: Merchant) -> datetime | None:
    """When WeChat last pushed an event of this store through its own door."""
    rows = PushedEvent.objects.filter(merchant=merchant).order_by("-received_at")
    return rows.values_list("received_at", flat=True).first()


class StoreLine(NamedTuple):
    """A store of an admin's, how it is called, and the last test of its line."""

    merchant: Merchant
    mode: str
    credential_pk: int
    tested: Errand | None


def lines_for(user: User, most: int) -> list[StoreLine]:
    """The lines of the stores where the user is an admin, by name; no secret is opened for it."""
    known = Credential.objects.filter(merchant__in=merchants_for(user, Role.ADMIN)).order_by(
        "merchant__name", "pk"
    )
    rows = list(known.only("mode", "merchant").select_related("merchant")[:most])
    tests = Errand.objects.filter(kind=Errand.Kind.TEST, merchant=OuterRef("merchant")).order_by("-pk")
    newest = known.annotate(newest=Subquery(tests.values("pk")[:1])).values_list("newest", flat=True)[:most]
    tested = {one.merchant_id: one for one in Errand.objects.filter(pk__in=[pk for pk in newest if pk])}
    return [StoreLine(r.merchant, r.get_mode_display(), r.pk, tested.get(r.merchant_id)) for r in rows]


def errand_for(user: User, pk: int) -> Errand | None:
    """An errand of a store where the user is an admin; one of the platform's is a superuser's."""
    rows = Errand.objects.select_related("merchant", "asked_by").filter(pk=pk)
    if not user.is_superuser:
        rows = rows.filter(merchant__in=merchants_for(user, Role.ADMIN))
    return rows.first()


def mail_addresses(channel: Channel) -> list[str]:
    """Who reads a mail channel: a store's people of at least its role; without a store the superusers."""
    people = User.objects.filter(is_active=True).exclude(email="")
    if channel.merchant_id is None:
        people = people.filter(is_superuser=True)
    else:
        roles = [name for name, rank in RANK.items() if rank >= RANK[Role(channel.role)]]
        held = Membership.objects.filter(merchant=channel.merchant_id, is_active=True, role__in=roles)
        people = people.filter(pk__in=held.values("user"))
    return sorted(set(people.values_list("email", flat=True)))


# --- people -------------------------------------------------------------------------------------------


def factor_of(user: User) -> TOTPDevice | None:
    """The app that shows this person's codes."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def needs_second_factor(user: object) -> bool:
    """Whether this is an admin who must set one up; who has one was asked for it at the login."""
    if not settings.REQUIRE_ADMIN_TOTP or not isinstance(user, User) or not user.is_staff:
        return False
    return factor_of(user) is None


def role_at(user: User, merchant: Merchant) -> str:
    """The role a person holds at a merchant, "" for none."""
    if user.is_superuser:
        return Role.ADMIN
    held = Membership.objects.filter(user=user, merchant=merchant, is_active=True, merchant__is_active=True)
    return held.values_list("role", flat=True).first() or ""


def roles_to_give(user: User, merchant: Merchant) -> list[Role]:
    """A manager gives what is not above the own role; staff give none."""
    own = role_at(user, merchant)
    if own not in (Role.MANAGER, Role.ADMIN):
        return []
    return [role for role in Role if RANK[role] <= RANK[Role(own)]]


def members_of(merchant: Merchant) -> QuerySet[Membership]:
    rows = Membership.objects.filter(merchant=merchant, is_active=True, user__is_active=True)
    has_factor = Exists(TOTPDevice.objects.filter(user=OuterRef("user"), confirmed=True))
    return rows.annotate(has_factor=has_factor).select_related("user", "merchant").order_by("user__username")


def member_for(user: User, pk: int) -> Membership:
    """An active membership that this person may change: of an own store, not above, not oneself; else 404."""
    held = Membership.objects.filter(is_active=True, merchant__in=merchants_for(user, Role.MANAGER))
    found = get_object_or_404(held.select_related("user", "merchant").exclude(user=user), pk=pk)
    return found if can_change(user, found) else get_object_or_404(held.none())


def can_change(user: User, membership: Membership) -> bool:
    return membership.user_id != user.pk and membership.role in roles_to_give(user, membership.merchant)


def can_reset(user: User, person: User) -> bool:
    """Whoever sets a password opens every store of its owner, so all of them must be one's own."""
    if user.is_superuser or user.pk == person.pk or person.is_superuser:
        return user.is_superuser
    return all(can_change(user, held) for held in person.memberships.select_related("merchant"))


def open_links() -> QuerySet[OneTimeLink]:
    """Links that still open something."""
    return OneTimeLink.objects.filter(ended_at=None, expires_at__gt=timezone.now()).select_related(
        "merchant", "user", "made_by"
    )


def link_with(token: str, kind: OneTimeLink.Kind) -> OneTimeLink | None:
    """The link somebody holds, if it still opens something and its maker might still hand it out."""
    links = open_links().filter(kind=kind, merchant__is_active=True, made_by__is_active=True)
    link = links.filter(digest=digest_of(token)).first()
    return link if link and _may_still(link) else None


def _may_still(link: OneTimeLink) -> bool:
    if link.kind == OneTimeLink.Kind.INVITE:
        return link.role in roles_to_give(link.made_by, link.merchant)
    return link.user is not None and can_reset(link.made_by, link.user)


def invitations_to(merchant: Merchant) -> QuerySet[OneTimeLink]:
    return open_links().filter(kind=OneTimeLink.Kind.INVITE, merchant=merchant)


def invitation_for(user: User, pk: int) -> OneTimeLink:
    """An open invitation to a store the person manages, or 404."""
    own = open_links().filter(kind=OneTimeLink.Kind.INVITE, merchant__in=merchants_for(user, Role.MANAGER))
    return get_object_or_404(own, pk=pk)


def member_changes(merchant: Merchant) -> QuerySet[Audit]:
    """Who changed whose membership of a store, and which links were handed out."""
    shown = (Audit.Kind.MEMBERSHIP, Audit.Kind.LINK, Audit.Kind.PERSON)
    return Audit.objects.filter(merchant=merchant, kind__in=shown).select_related("by", "person")


def audit_for(user: User) -> QuerySet[Audit]:
    """What was changed in the stores where this person is an admin, and about the people who work there."""
    if user.is_superuser:
        return Audit.objects.all()
    own = merchants_for(user, Role.ADMIN)
    people = Membership.objects.filter(merchant__in=own).values("user")
    return Audit.objects.filter(Q(merchant__in=own) | Q(merchant=None, person__in=people))


def packer_with(user: User, badge: str) -> User | None:
    """Whose badge this is, if that person works at a store of the user's; a badge never logs in."""
    held = Membership.objects.filter(is_active=True, merchant__in=merchants_for(user))
    found = User.objects.filter(badge=badge, is_active=True).first() if badge else None
    return found if found and (found == user or held.filter(user=found).exists()) else None


def badges_for(user: User) -> QuerySet[User]:
    """The people who may be a packer's name on this person's stations."""
    held = Membership.objects.filter(is_active=True, merchant__in=merchants_for(user))
    rows = User.objects.filter(Q(pk=user.pk) | Q(pk__in=held.values("user")), is_active=True)
    return rows.order_by("display_name", "username")
