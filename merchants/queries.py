"""Reads about merchants; a user sees the merchants of the own active memberships only."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from .models import Membership, Merchant, Pause, Role, User

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
