"""What is still to come: the moment the worker is needed next, or None when it may go home.

What waits for a person is not to come: a conflict, what queues behind one, a pause without an end.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, QuerySet
from django.utils import timezone

from shipping.models import Attempt, Shipment
from shipping.pauses import CALLS, stopping_pauses

from .readiness import BETWEEN_CALLS, not_paused, recent_calls, unblocked
from .settling import to_settle
from .turns import next_turns, waits_for_turn

IN_FLIGHT = timedelta(seconds=0.2)


def next_due(only: Collection[int] | None = None) -> datetime | None:
    """When the next send or settling read is due; None when everything is final, paused or with a person."""
    # Asked again before going home: another worker may have taken or left a parcel between two questions.
    return _coming(only) or _coming(only)


def _coming(only: Collection[int] | None) -> datetime | None:
    """In the order of a parcel's way: what moves on while we ask is met further down."""
    return min((*_calls(only), *_reads(only), *_after_pauses(only), *_sends(only)), default=None)


def is_work_due() -> bool:
    coming = next_due()
    return coming is not None and coming <= timezone.now()


def _sends(only: Collection[int] | None) -> Iterator[datetime]:
    rows = not_paused(unblocked(only)).order_by("due_at")
    yield from _turns(rows)
    rows = rows.exclude(waits_for_turn())
    # First who rests: whose second is over before the next question is then ready.
    resting = rows.filter(Exists(recent_calls())).first()
    ready = rows.exclude(Exists(recent_calls())).first()
    if ready and ready.due_at:
        yield ready.due_at
    if resting and resting.due_at:
        yield max(resting.due_at, timezone.now() + BETWEEN_CALLS)


def _turns(rows: QuerySet[Shipment]) -> Iterator[datetime]:
    """A store that was taught a pace: when its next turn comes, if it has something due by then."""
    for merchant_id, turn in next_turns().items():
        first = rows.filter(merchant_id=merchant_id).first()
        if first and first.due_at:
            yield max(turn, first.due_at)


def _after_pauses(only: Collection[int] | None) -> Iterator[datetime]:
    """A pause that ends by itself is a delay like any other."""
    for kind, call in CALLS.items():
        yield from _after(only, kind, call)


def _after(only: Collection[int] | None, kind: str, call: str) -> Iterator[datetime]:
    ends: dict[int, list[datetime | None]] = {}
    for merchant_id, until in stopping_pauses(call).values_list("merchant_id", "until"):
        ends.setdefault(merchant_id, []).append(until)
    for merchant_id, moments in ends.items():
        known = [moment for moment in moments if moment is not None]
        rows = unblocked(only).filter(kind=kind, merchant_id=merchant_id)
        first = rows.order_by("due_at").first()
        if len(known) == len(moments) and first and first.due_at:
            yield max(first.due_at, *known)


def _reads(only: Collection[int] | None) -> Iterator[datetime]:
    first = to_settle(only).order_by("next_read_at").first()
    if first and first.next_read_at:
        yield first.next_read_at


def _calls(only: Collection[int] | None) -> Iterator[datetime]:
    """Someone's call is in flight: look again soon, its answer may leave work behind."""
    calls = Attempt.objects.filter(closed_at=None, ended_at=None)
    if only is not None:
        calls = calls.filter(order__in=Shipment.objects.filter(pk__in=only).values("order"))
    if calls.exists():
        yield timezone.now() + IN_FLIGHT
