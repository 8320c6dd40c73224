"""What happened to one order, from its arrival until it was shipped: who did what, and each answer."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from merchants.models import PushedEvent, User

from .models import Attempt, Order, OrderErrand, StatusChange
from .queries import event_kind
from .told import words

PUSHED_AT_MOST = 50


class Event(NamedTuple):
    """One line; `kind` is a package's new status, or another word of templatetags.desk.EVENTS."""

    at: datetime
    kind: str
    subject: str = ""
    who: User | None = None
    why: str = ""
    # Whose badge was scanned, beside the login.
    packer: User | None = None
    # The call that was answered then.
    answered: Attempt | None = None
    is_buyers: bool = False


def order_events(order: Order) -> list[Event]:
    """What happened to an order, the newest first."""
    parts = (_arrival, _moves, _answers, _holds, _printings, _pushed, _asked, _intercepted, _archived)
    events = [event for part in parts for event in part(order)]
    return sorted(events, key=lambda event: event.at, reverse=True)


def _arrival(order: Order) -> Iterator[Event]:
    if order.placed_at:
        yield Event(order.placed_at, "placed", is_buyers=True)
    if order.paid_at:
        yield Event(order.paid_at, "paid", is_buyers=True)
    if not order.is_entered:
        yield Event(order.created_at, "arrived")
    if order.entered_at:
        yield Event(order.entered_at, "entered", "", order.entered_by)


def _moves(order: Order) -> Iterator[Event]:
    """Each move of a package; only a person's reasons are words, the worker's are slugs."""
    rows = StatusChange.objects.filter(package__order=order).select_related("package", "by", "packer")
    for change in rows:
        kind, why = event_kind(change.package.kind, change.target), change.reason if change.by else ""
        yield Event(change.at, kind, str(change.package), change.by, why, change.packer)


def _answers(order: Order) -> Iterator[Event]:
    for attempt in order.attempts.filter(sent_at__isnull=False, ended_at__isnull=False).defer("request"):
        # The row is ended a little later, when what follows from the answer was written.
        took = timedelta(milliseconds=attempt.elapsed_ms or 0)
        yield Event((attempt.sent_at or attempt.started_at) + took, "answered", answered=attempt)


def _archived(order: Order) -> Iterator[Event]:
    """Old packages: how they ended, and where their calls and moves are now."""
    packages = order.packages.filter(shipment__archive__isnull=False)
    for package in packages.select_related("shipment__archive", "person"):
        yield Event(package.status_at, event_kind(package.kind, package.status), str(package), package.person)
        if archive := package.shipment.archive:
            yield Event(archive.made_at, "archived", archive.name)


def _holds(order: Order) -> Iterator[Event]:
    for hold in order.holds.select_related("held_by", "released_by"):
        yield Event(hold.held_at, "hold", "", hold.held_by, hold.reason)
        ended = hold.released_at or hold.until
        if ended and ended <= timezone.now():
            yield Event(ended, "release", "", hold.released_by)


def _printings(order: Order) -> Iterator[Event]:
    for printing in order.printings.select_related("by"):
        yield Event(printing.at, "print", "", printing.by)


def _pushed(order: Order) -> Iterator[Event]:
    told = PushedEvent.objects.filter(merchant=order.merchant, order_id=order.order_id).order_by("-id")
    for event in told.defer("body")[:PUSHED_AT_MOST]:
        yield Event(event.received_at, "pushed", words(event.name, event.detail))


def _asked(order: Order) -> Iterator[Event]:
    """What people asked of WeChat for this order, and receivers they had unmasked."""
    for view in order.receiver_views.select_related("by"):
        yield Event(view.at, "receiver", "", view.by, view.why)
    for errand in order.errands.filter(ended_at__isnull=False).select_related("asked_by"):
        kind = "asked" if errand.status == OrderErrand.Status.DONE else "not_asked"
        at, word = errand.ended_at or errand.asked_at, errand.get_kind_display()
        yield Event(at, kind, word, errand.asked_by)


def _intercepted(order: Order) -> Iterator[Event]:
    if order.alarm_done_at:
        yield Event(order.alarm_done_at, "intercept", "", order.alarm_done_by)
