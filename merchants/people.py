"""Writes about people: links handed to them, password, second factor, the end of their sessions."""

from datetime import timedelta

from axes.utils import reset
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from .audit import note
from .links import digest_of, new_token
from .models import Audit, Membership, Merchant, OneTimeLink, Role, User
from .services import end_sessions, set_membership

LINK_LIVES = timedelta(days=7)


class LinkOver(Exception):
    """Someone used or withdrew the link first."""


@transaction.atomic
def invite(*, merchant: Merchant, role: str, name: str, by: User) -> str:
    """A link by which a person joins a store in this role; shown once, only its digest is kept."""
    token, link = _make(OneTimeLink.Kind.INVITE, merchant, by, role=role, name=name)
    note(link, kind=Audit.Kind.LINK, action=Audit.Action.ADDED, by=by, fields=["invite"], merchant=merchant)
    return token


@transaction.atomic
def reset_password(*, user: User, merchant: Merchant, by: User) -> str:
    """A link by which a person sets a new password; an earlier one of the same person stops working."""
    OneTimeLink.objects.filter(kind=OneTimeLink.Kind.RESET, user=user, ended_at=None).update(
        ended_at=timezone.now()
    )
    token, link = _make(OneTimeLink.Kind.RESET, merchant, by, user=user)
    note(
        link, kind=Audit.Kind.LINK, action=Audit.Action.ADDED, by=by, fields=["password"],
        merchant=merchant, person=user,
    )  # fmt: skip
    return token


def _make(
    kind: OneTimeLink.Kind,
    merchant: Merchant,
    by: User,
    *,
    role: str = "",
    name: str = "",
    user: User | None = None,
) -> tuple[str, OneTimeLink]:
    token = new_token()
    link = OneTimeLink.objects.create(
        kind=kind, digest=digest_of(token) or "", merchant=merchant, role=role, name=name, user=user,
        made_by=by, expires_at=timezone.now() + LINK_LIVES,
    )  # fmt: skip
    return token, link


@transaction.atomic
def withdraw_link(*, link: OneTimeLink, by: User) -> None:
    """A link that must not be used any more; one that was is left as it is."""
    if _end(link):
        note(
            link, kind=Audit.Kind.LINK, action=Audit.Action.REMOVED, by=by, fields=[link.kind],
            merchant=link.merchant, person=link.user,
        )  # fmt: skip


def _end(link: OneTimeLink, user: User | None = None) -> bool:
    """Conditional: of two people who open one link, one gets in."""
    open_one = OneTimeLink.objects.filter(pk=link.pk, ended_at=None)
    return open_one.update(ended_at=timezone.now(), user=user or link.user) == 1


@transaction.atomic
def join(*, link: OneTimeLink, user: User) -> Membership:
    """Take up an invitation, with an account made for it or one from before. Raises LinkOver."""
    if user.pk is None:
        user.display_name = link.name
        user.save()
    if not _end(link, user):
        raise LinkOver
    held = Membership.objects.filter(user=user, merchant=link.merchant, is_active=True).first()
    role = higher(held.role, link.role) if held else link.role
    return set_membership(user=user, merchant=link.merchant, role=role, by=link.made_by)


def higher(first: str, second: str) -> str:
    """An invitation never takes rights away."""
    return max(first, second, key=list(Role.values).index)


@transaction.atomic
def change_password(*, user: User, password: str, by: User, link: OneTimeLink | None = None) -> None:
    """A new password ends every session of the person and every reset link. Raises LinkOver.

    Who got a link for having guessed too often may try again at once.
    """
    if link is not None and not _end(link):
        raise LinkOver
    reset(username=user.get_username())
    user.set_password(password)
    user.save(update_fields=["password"])
    user.links.filter(kind=OneTimeLink.Kind.RESET, ended_at=None).update(ended_at=timezone.now())
    note(user, kind=Audit.Kind.PERSON, by=by, fields=["password"], person=user)


@transaction.atomic
def add_factor(*, user: User, key: str, drift: int, last_t: int) -> None:
    """Remember the app on the person's phone; sessions that were begun without it are over."""
    TOTPDevice.objects.filter(user=user).delete()
    device = TOTPDevice.objects.create(
        user=user, name="TOTP", key=key, drift=drift, last_t=last_t, confirmed=True
    )
    end_sessions(user=user)
    note(
        device, kind=Audit.Kind.PERSON, action=Audit.Action.ADDED, by=user, fields=["second_factor"],
        person=user,
    )  # fmt: skip


@transaction.atomic
def remove_factor(*, user: User, by: User | None, merchant: Merchant | None = None) -> bool:
    """The phone is lost or replaced: the next login asks for the password only. False if there was none.

    Every session of the person is over: one may be on the phone that was lost.
    """
    device = TOTPDevice.objects.filter(user=user).first()
    if device is None:
        return False
    note(
        device, kind=Audit.Kind.PERSON, action=Audit.Action.REMOVED, by=by, fields=["second_factor"],
        merchant=merchant, person=user,
    )  # fmt: skip
    TOTPDevice.objects.filter(user=user).delete()
    end_sessions(user=user)
    return True
