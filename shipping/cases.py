"""What happened before when a store was given the same answer, and how it ended."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for

from . import states
from .models import Attempt, Order, Package, Shipment

CASES = 20
# One order may have been tried many times in a row.
LOOKED_AT = 5 * CASES
CORRECTIONS = 10


class Case(NamedTuple):
    """One order that got this answer: the first such call, the package it ended as, and by what way.

    way: corrected, again (the same was sent once more), or "" where nothing was done.
    """

    attempt: Attempt
    package: Package
    way: str

    @property
    def is_over(self) -> bool:
        return self.package.status in (states.SHIPPED, states.CANCELLED)

    @property
    def took(self) -> timedelta:
        return (self.package.status_at if self.is_over else timezone.now()) - self.attempt.started_at


class Cases(NamedTuple):
    """How often an answer came before, and how it ended: (status, way) -> orders."""

    orders: int
    tally: list[tuple[tuple[str, str], int]]


def cases_before(order: Order, errcode: int) -> Cases:
    """Of the order's own store, the other orders that were answered so."""
    found = [case for case in _cases(_calls(order.merchant_id, errcode)) if case.attempt.order_id != order.pk]
    return Cases(len(found), tally(found).most_common())


def cases_for(user: User, errcode: int) -> list[Case]:
    """The newest orders of the user's stores that were answered so, each once."""
    return _cases(call for store in merchants_for(user) for call in _calls(store.pk, errcode))


def _cases(calls: Iterable[Attempt]) -> list[Case]:
    by_order = {call.order_id: call for call in sorted(calls, key=lambda c: c.started_at, reverse=True)}
    newest = list(by_order.values())[:CASES]
    last = _last_shipments({call.shipment_id for call in newest})
    rows = Package.objects.filter(shipment__in=last.values())
    rows = rows.select_related("shipment__created_by", "person", "order", "merchant")
    rows = rows.prefetch_related("shipment__attempts")
    # Of several packages the one that stands worst tells how it ended.
    packages = {
        row.shipment_id: row for row in sorted(rows, key=lambda p: p.status == states.SHIPPED, reverse=True)
    }
    ends = ((call, packages.get(last[call.shipment_id])) for call in newest)
    return [Case(call, package, _way(call, package)) for call, package in ends if package]


def _calls(store: int, errcode: int) -> Iterable[Attempt]:
    rows = Attempt.objects.filter(merchant=store, errcode=errcode).order_by("-started_at")
    return rows.select_related("merchant", "order").defer("request")[:LOOKED_AT]


def _last_shipments(shipments: set[int]) -> dict[int, int]:
    """Each shipment, or the correction of the correction of it."""
    last = {pk: pk for pk in shipments}
    for _ in range(CORRECTIONS):
        newer = dict(
            Shipment.objects.filter(corrects__in=last.values()).order_by("pk").values_list("corrects", "pk")
        )
        if not newer:
            break
        last = {pk: newer.get(now, now) for pk, now in last.items()}
    return last


def _way(call: Attempt, package: Package) -> str:
    if package.shipment_id != call.shipment_id:
        return "corrected"
    return "again" if package.attempt_id != call.pk else ""


def tally(cases: Iterable[Case]) -> Counter[tuple[str, str]]:
    """How many ended in which status, by which way."""
    return Counter((case.package.status, case.way) for case in cases)
