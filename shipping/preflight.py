"""What stands in an order's way before anybody types: the rules' own problems, from rows already loaded."""

from collections.abc import Collection
from hashlib import sha256
from typing import NamedTuple

from .around import NEEDS_EWAYBILL, Around
from .drafts import Problem
from .models import Order, Reading
from .pauses import stopping_pauses
from .queries import facts_of
from .rules import preflight


def hurdles(order: Order, paused: Collection[int]) -> list[Problem]:
    """No query where lines, parcels and packages are prefetched. `paused`: the stores that stand still."""
    answered = any(package.errcode == NEEDS_EWAYBILL for package in order.all_packages)
    around = Around(needs_ewaybill=answered, is_paused=order.merchant_id in paused)
    return preflight(facts_of(order, around))


def paused_stores(orders: Collection[Order]) -> frozenset[int]:
    """Which of the orders' stores stand still; one query a page."""
    stores = {order.merchant_id for order in orders}
    found = stopping_pauses().filter(merchant__in=stores).values_list("merchant", flat=True)
    return frozenset(found) if stores else frozenset()


class Outlook(NamedTuple):
    """One order's hurdles, who waits for it to be read, and a mark that changes with what a page shows."""

    problems: list[Problem]
    reading: Reading | None
    mark: str


def outlook(order: Order) -> Outlook:
    reading = Reading.objects.filter(order=order).first()
    problems = hurdles(order, paused_stores([order]))
    told = [(problem.errcode, problem.slug) for problem in problems]
    state = (reading.asked_at, reading.tries) if reading else None
    seen = repr((order.read_at, order.urged_at, told, state))
    return Outlook(problems, reading, sha256(seen.encode()).hexdigest()[:16])
