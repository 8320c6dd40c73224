"""Writes about merchants: adding one, its secret, its people, its pauses."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from .audit import note
from .models import Audit, Channel, Credential, Membership, Merchant, Mode, Pause, Platform, Role, User
from .once import forget

ADMINS = "Admins"
ADMIN_MODELS = ("merchant", "membership", "credential", "pause")


@transaction.atomic
def add_merchant(*, appid: str, name: str, secret: str = "", by: User | None = None) -> Merchant:
    """Create a merchant or update its name; an empty secret keeps the stored one."""
    before = Merchant.objects.filter(appid=appid).first()
    merchant, _ = Merchant.objects.update_or_create(appid=appid, defaults={"name": name})
    if before is None or before.name != name:
        action = Audit.Action.CHANGED if before else Audit.Action.ADDED
        note(merchant, kind=Audit.Kind.SETTING, action=action, by=by, fields=["name"], merchant=merchant)
    Credential.objects.get_or_create(merchant=merchant)
    if secret:
        set_secret(merchant=merchant, secret=secret, by=by)
    return merchant


@transaction.atomic
def set_secret(*, merchant: Merchant, secret: str, by: User | None = None) -> Credential:
    """Store a new AppSecret; a token made from the old one is dropped."""
    credential, _ = Credential.objects.get_or_create(merchant=merchant)
    credential.app_secret = secret
    credential.secret_last4 = secret[-4:]
    credential.secret_set_at = timezone.now()
    credential.secret_set_by = by
    if credential.mode == Mode.OWN:
        credential.access_token, credential.token_expires_at = "", None
    credential.failed_at, credential.failed_errcode, credential.failed_reason = None, None, ""
    credential.token_version += 1
    credential.save()
    note(credential, kind=Audit.Kind.CREDENTIAL, by=by, fields=["app_secret"], merchant=merchant)
    return credential


def take_secrets(row: Platform | Credential | Channel, secrets: dict[str, str], by: User | None) -> list[str]:
    """Put new secrets into a row, with what may be shown of them; returns their names. Empty: no change."""
    new = {name: secret for name, secret in secrets.items() if secret}
    for name, secret in new.items():
        setattr(row, name, secret)
        row.shown[name] = _shown(secret, by)
    return list(new)


def _shown(secret: str, by: User | None) -> dict[str, Any]:
    return {"last4": secret[-4:], "at": timezone.now().isoformat(), "by": str(by or "")}


@transaction.atomic
def set_membership(
    *, user: User, merchant: Merchant, role: str, is_active: bool = True, by: User | None = None
) -> Membership:
    """Give a person a role at a merchant, or end it with the person's sessions.

    Only the admin role opens Django admin.
    """
    before = Membership.objects.filter(user=user, merchant=merchant).first()
    wanted = {"role": role, "is_active": is_active}
    membership, _ = Membership.objects.update_or_create(user=user, merchant=merchant, defaults=wanted)
    changed = [name for name, value in wanted.items() if before is None or getattr(before, name) != value]
    if changed:
        _note_membership(membership, before, changed, by)
    if before and before.is_active and not is_active:
        end_sessions(user=user)
    sync_admin_access(user)
    return membership


def _note_membership(
    membership: Membership, before: Membership | None, changed: list[str], by: User | None
) -> None:
    was_active = before is not None and before.is_active
    action = Audit.Action.CHANGED if was_active else Audit.Action.ADDED
    if was_active and not membership.is_active:
        action = Audit.Action.REMOVED
    note(
        membership, kind=Audit.Kind.MEMBERSHIP, action=action, by=by, fields=changed,
        merchant=membership.merchant, person=membership.user,
    )  # fmt: skip


def end_sessions(*, user: User) -> None:
    """Every session of the person is over at its next request, also if the account is opened again."""
    User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)


def set_preferences(*, user: User, language: str, theme: str) -> None:
    """The person's own language ("" for Chinese) and look ("" follows the device)."""
    User.objects.filter(pk=user.pk).update(language=language, theme=theme)


def sync_admin_access(user: User) -> None:
    is_admin = user.memberships.filter(role=Role.ADMIN, is_active=True).exists()
    if is_admin:
        user.groups.add(admins_group())
    else:
        user.groups.remove(*Group.objects.filter(name=ADMINS))
    User.objects.filter(pk=user.pk).update(is_staff=is_admin or user.is_superuser)


def admins_group() -> Group:
    """The group of Django admin rights: view, add and change, never delete."""
    group, created = Group.objects.get_or_create(name=ADMINS)
    if created:
        wanted = [f"{verb}_{model}" for verb in ("view", "add", "change") for model in ADMIN_MODELS]
        group.permissions.set(Permission.objects.filter(codename__in=wanted))
    return group


def pause_merchant(
    *,
    merchant: Merchant,
    call: str = "",
    errcode: int | None = None,
    slug: str = "",
    errmsg: str = "",
    rid: str = "",
    until: datetime | None = None,
) -> Pause:
    """Stop a merchant's sending calls, or one call, until someone resumes it or `until` has passed.

    A pause that lasts longer stays as it is.
    """
    values = {"errcode": errcode, "slug": slug, "errmsg": errmsg[:500], "rid": rid, "until": until}
    held = Pause.objects.filter(merchant=merchant, call=call, ended_at=None)
    held.filter(until__lte=timezone.now()).update(ended_at=timezone.now())
    forget()
    longer = held.filter(Q(until=None) | Q(until__gt=until)).first() if until else None
    if longer is not None:
        return longer
    pause, _ = Pause.objects.update_or_create(merchant=merchant, call=call, ended_at=None, defaults=values)
    return pause


def resume_merchant(*, merchant: Merchant, by: User | None = None) -> int:
    """End every pause of a merchant; returns how many there were."""
    forget()
    return Pause.objects.filter(merchant=merchant, ended_at=None).update(ended_at=timezone.now(), ended_by=by)


def end_quota_pauses(*, merchant: Merchant, by: User | None = None) -> int:
    """End the pauses that waited for a day's calls to be counted anew."""
    waited = Q(errcode=45009) | Q(slug="quota_reserved")
    held = Pause.objects.filter(waited, merchant=merchant, ended_at=None)
    forget()
    return held.update(ended_at=timezone.now(), ended_by=by)


def resume_pause(*, pause: Pause, by: User) -> bool:
    """End one pause; False if it had ended already."""
    still_open = Pause.objects.filter(pk=pause.pk, ended_at=None)
    forget()
    return still_open.update(ended_at=timezone.now(), ended_by=by) == 1
