"""Which shipment leaves next, and taking it so that nobody else can."""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from merchants.models import Pause, platform_host
from merchants.queries import open_pauses
from shipping import states
from shipping.models import Attempt, Package, Shipment
from shipping.services import move

SEND, READ = "order/delivery/send", "order/get"
BETWEEN_CALLS = timedelta(seconds=1)
LOOK_AT = 200


def stopping_pauses() -> QuerySet[Pause]:
    """Open pauses that stop sending. A quota on order/get does too: without fresh facts nothing leaves."""
    used_up = Q(call=READ, until__isnull=False)
    return open_pauses().filter(Q(call__in=("", SEND)) | used_up)


def recent_calls() -> QuerySet[Attempt]:
    """The calls of a shipment's order that ended less than a second ago."""
    return Attempt.objects.filter(order=OuterRef("order"), ended_at__gt=timezone.now() - BETWEEN_CALLS)


def unblocked(only: Collection[int] | None = None) -> QuerySet[Shipment]:
    """Shipments with something queued and nothing of their order open, whenever they are due."""
    calls = Attempt.objects.filter(order=OuterRef("order"), closed_at=None)
    unsettled = Package.objects.filter(order=OuterRef("order"), status__in=states.OPEN)
    rows = Shipment.objects.filter(
        due_at__isnull=False, merchant__is_active=True, merchant__api_host=platform_host()
    )
    rows = rows.exclude(Exists(calls)).exclude(Exists(unsettled))
    return rows if only is None else rows.filter(pk__in=only)


def due(only: Collection[int] | None = None) -> list[Shipment]:
    """What may be claimed now, oldest first: nothing of the order open, a second since its last call."""
    rows = unblocked(only).filter(due_at__lte=timezone.now()).exclude(Exists(recent_calls()))
    rows = rows.exclude(merchant__in=stopping_pauses().values("merchant"))
    return list(rows.select_related("merchant", "order").order_by("due_at", "id")[:LOOK_AT])


def claim_some(run_id: str, room: int, only: Collection[int] | None = None) -> list[Attempt]:
    """Claim up to `room` shipments, the merchant with the fewest in flight first."""
    waiting = due(only) if room > 0 else []
    flying = Counter(
        Attempt.objects.filter(closed_at=None, ended_at=None).values_list("merchant_id", flat=True)
    )
    claimed: list[Attempt] = []
    while waiting and len(claimed) < room:
        chosen = min(waiting, key=lambda shipment: flying[shipment.merchant_id])
        waiting.remove(chosen)
        attempt = claim(chosen, run_id)
        if attempt is not None:
            claimed.append(attempt)
            flying[chosen.merchant_id] += 1
    return claimed


def claim(shipment: Shipment, run_id: str) -> Attempt | None:
    """Take a shipment: attempt and packages committed before the first byte; None if someone was faster."""
    try:
        with transaction.atomic():
            return _claim(shipment, run_id)
    except (IntegrityError, states.IllegalMove):
        return None


def _claim(shipment: Shipment, run_id: str) -> Attempt | None:
    taken = Shipment.objects.filter(pk=shipment.pk, due_at=shipment.due_at).update(due_at=None)
    packages = list(shipment.packages.filter(status=states.QUEUED))
    if not taken or not packages:
        return None
    attempt = Attempt.objects.create(
        merchant=shipment.merchant, order=shipment.order, shipment=shipment, run=run_id
    )
    for package in packages:
        move(package, states.SENDING, who=states.WORKER, attempt=attempt)
    return attempt
