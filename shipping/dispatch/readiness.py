"""Which shipments may be claimed: nothing of their order open, no hold, no pause, their second over."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from merchants.models import platform_host
from shipping import states
from shipping.around import open_holds
from shipping.drafts import CORRECTION
from shipping.models import Attempt, BatchOrder, Package, Shipment
from shipping.pauses import CALLS, stores_without

BETWEEN_CALLS = timedelta(seconds=1)


def recent_calls(now: datetime | None = None) -> QuerySet[Attempt]:
    """The calls of a shipment's order that ended less than a second ago."""
    since = (now or timezone.now()) - BETWEEN_CALLS
    return Attempt.objects.filter(order=OuterRef("order"), ended_at__gt=since)


def unblocked(only: Collection[int] | None = None, now: datetime | None = None) -> QuerySet[Shipment]:
    """Shipments with something queued and nothing of their order open, whenever they are due."""
    calls = Attempt.objects.filter(order=OuterRef("order"), closed_at=None)
    unsettled = Package.objects.filter(order=OuterRef("order"), status__in=states.OPEN)
    rows = Shipment.objects.filter(
        due_at__isnull=False, merchant__is_active=True, merchant__api_host=platform_host()
    )
    rows = rows.exclude(Exists(calls)).exclude(Exists(unsettled))
    # A hold keeps goods back; a number is put right all the same.
    rows = rows.exclude(~Q(kind=CORRECTION), Exists(open_holds(OuterRef("order"), now)))
    rows = rows.exclude(
        Exists(BatchOrder.objects.filter(shipment=OuterRef("pk"), batch__paused_at__isnull=False))
    )
    return rows if only is None else rows.filter(pk__in=only)


def not_paused(rows: QuerySet[Shipment]) -> QuerySet[Shipment]:
    """Without those whose own call stands still at their store."""
    for kind, call in CALLS.items():
        if stopped := stores_without(call):
            rows = rows.exclude(kind=kind, merchant__in=stopped)
    return rows


def due(only: Collection[int] | None, now: datetime) -> QuerySet[Shipment]:
    """What may be claimed at `now`, but for pauses: nothing of the order open, a second since its last call.

    A store that stood still goes on with what is due first; without deadlines, with what waited longest.
    """
    rows = unblocked(only, now).filter(due_at__lte=now).exclude(Exists(recent_calls(now)))
    return rows.order_by(F("order__deadline_at").asc(nulls_last=True), "due_at", "id")
