"""The managers' list of packages that the records disagree on: the oldest first, with both sides."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from merchants.models import Role, User
from merchants.queries import merchants_for, stores_of
from wechat.waybills import normalise

from . import states
from .asked import moment, whole
from .lists import AT_MOST
from .models import Package, Parcel
from .queries import packages_for, parcels_of


class Shown(NamedTuple):
    """A parcel as WeChat shows it, and whether it carries our package's number."""

    parcel: Parcel
    is_ours: bool


class Conflict(NamedTuple):
    """A package and what WeChat showed of its order when it was read last."""

    package: Package
    shown: list[Shown]

    @property
    def has_ours(self) -> bool:
        return any(shown.is_ours for shown in self.shown)


def conflict_of(package: Package) -> Conflict:
    number = package.waybill_id
    parcels = parcels_of(package.order)
    return Conflict(package, [Shown(p, bool(number) and normalise(p.waybill_id) == number) for p in parcels])


_DISAGREED = Q(in_trouble=True, status=states.CONFLICT)


def conflict_page(user: User, after: str, size: int) -> list[Package]:
    """Packages in conflict of the manager's stores behind the mark, the oldest first."""
    at, _, pk = after.rpartition("_")
    since, last = moment(at), whole(pk)
    places: list[tuple[datetime, int]] = []
    for store in merchants_for(user, Role.MANAGER):
        rows = Package.objects.filter(_DISAGREED, merchant=store)
        if since is not None and last is not None:
            rows = rows.filter(Q(status_at__gt=since) | Q(pk__gt=last), status_at__gte=since)
        places += rows.order_by("status_at", "pk").values_list("status_at", "pk")[:size]
    keys = [pk for _, pk in sorted(places)[:size]]
    found = packages_for(user).prefetch_related("items", "shipment__attempts")
    rows_by_key = found.filter(pk__in=keys).in_bulk()
    return [rows_by_key[key] for key in keys if key in rows_by_key]


def conflict_mark(package: Package) -> str:
    """Where a page ends, so that the next one begins behind it."""
    return f"{package.status_at.isoformat()}_{package.pk}"


def conflict_count(user: User) -> int:
    """How many wait for this manager, counted no further than AT_MOST + 1."""
    stores = [pk for pk, store in stores_of(user).items() if store.has(Role.MANAGER)]
    return Package.objects.filter(_DISAGREED, merchant__in=stores).order_by()[: AT_MOST + 1].count()
