"""Around an order: held back, being typed, looked at, printed."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from merchants.models import User

from .. import states
from ..around import open_holds
from ..drafts import CORRECTION
from ..labels import noted_at_label, noted_of
from ..models import (
    Hold,
    Order,
    Printing,
    Typed,
    Visit,
)
from ..queries import PRESENT
from .moving import move
from .queueing import shipment_with_key

# --- holding an order back ----------------------------------------------------------------------------


@transaction.atomic
def hold_order(*, order: Order, user: User | None, reason: str, until: datetime | None = None) -> Hold:
    """Keep an order from leaving; what is queued and not claimed goes back to draft."""
    Order.objects.filter(pk=order.pk).update(revision=F("revision") + 1)
    order.holds.filter(released_at=None, until__lte=timezone.now()).update(released_at=F("until"))
    order.holds.filter(released_at=None).update(released_at=timezone.now(), released_by=user)
    hold = Hold.objects.create(order=order, held_by=user, reason=reason[:200], until=until)
    # Taken first, as a worker claims: else each might wait for the other. A number being put right keeps
    # nothing from leaving.
    order.shipments.filter(due_at__isnull=False).exclude(kind=CORRECTION).update(due_at=None)
    for package in order.packages.filter(status=states.QUEUED).exclude(kind=CORRECTION):
        move(package, states.DRAFT, who=states.STAFF, by=user, reason=reason)
    return hold


def release_order(*, order: Order, user: User) -> int:
    """End the hold in force; returns how many there were."""
    return open_holds(order).update(released_at=timezone.now(), released_by=user)


def tick_intercept(*, order: Order, user: User) -> None:
    """The parcel of an order that changed after it left was found, or nothing can be done any more."""
    Order.objects.filter(pk=order.pk).update(alarm_done_at=timezone.now(), alarm_done_by=user)


# --- what is being typed ------------------------------------------------------------------------------


def save_typed(*, order: Order, user: User, fields: dict[str, Any], waybills: list[str]) -> bool:
    """Keep what a person has typed; the first tracking number notes what the order says at that moment.

    False when the form was sent meanwhile: looked at after the write, so that a save that comes late does
    not bring it back as unsent.
    """
    now, known = timezone.now(), Typed.objects.filter(order=order, user=user).first()
    values: dict[str, Any] = {"fields": fields, "saved_at": now}
    if waybills and (known is None or known.noted is None):
        values |= {"noted": asdict(noted_at_label(order, waybills)), "noted_at": now}
    Typed.objects.update_or_create(order=order, user=user, defaults=values)
    if shipment_with_key(order=order, form_key=fields.get("form_key")) is None:
        return True
    forget_typed(order=order, user=user)
    return False


def forget_typed(*, order: Order, user: User) -> None:
    """The form was sent, or its owner began anew."""
    Typed.objects.filter(order=order, user=user).delete()


def note_visit(*, order: Order, user: User, opens: bool) -> Visit:
    """Someone opened the order's form (`opens`), or still has it open."""
    now = timezone.now()
    visit, created = Visit.objects.get_or_create(order=order, user=user)
    if created or not (opens or visit.seen_at < now - PRESENT):
        visit.seen_at = now
    else:
        visit.opened_at = visit.seen_at = now
    visit.save(update_fields=["opened_at", "seen_at"])
    return visit


def leave_order(*, order: Order, user: User) -> None:
    """The form was sent: its sender does not have it open any more."""
    Visit.objects.filter(order=order, user=user).delete()


@transaction.atomic
def note_printing(*, orders: list[Order], user: User, paper: str) -> None:
    """Packing slips went to the printer: by whom, when, and what each order said."""
    Printing.objects.bulk_create(
        Printing(order=order, by=user, paper=paper, noted=asdict(noted_of(order))) for order in orders
    )
