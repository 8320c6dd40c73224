"""Each store's next shipments, looked up for many claims at once: looking through thousands takes time.

To put these questions together costs more than what they find, so that is done once in a pump's life.
"""

import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice, zip_longest
from typing import Any

from django.db import connection
from django.utils import timezone

from shipping.models import Shipment
from shipping.pauses import CALLS, is_stopped
from shipping.unions import Prepared, prepared

from . import readiness
from .readiness import due

# So many of a store are looked up at once, and again after so many seconds; sooner when none of them is left.
LOOK_AHEAD, LOOK_AGAIN, LOOK_SOON = 200, 1.0, 0.2
# Looking through thousands is left alone for so many times as long as it took, for so many seconds at most: a
# process that was stopped while it looked must not keep a store waiting.
LOOK_RESTS, LONGEST_REST = 20, 2.0
# What stands in the prepared questions for the moment, the store, its calls and its shipments.
NOW, STORE, KINDS, SOME = datetime(2, 1, 1, tzinfo=UTC), -1, ("1st", "2nd", "3rd"), tuple(range(-33, -1))
NOBODY = 0


class Backlog:
    """What may be claimed next; what became of one meanwhile is seen when its turn comes."""

    def __init__(self, only: Collection[int] | None = None) -> None:
        self._only = only
        # Of each store: until when its keys are good, and as long as none of them is left.
        self._kept: dict[int, tuple[float, float, deque[int]]] = {}
        self._seen: set[int] = set()
        self._ready: dict[int, Shipment] = {}

    def forget(self) -> None:
        """Everything is looked up anew."""
        self._kept.clear()

    def bring(self, stores: Collection[int], room: int) -> None:
        """Look at the next `room` shipments of each of these stores, of all of them at once."""
        heads = [key for store in stores for key in islice(self._keys(store), room)]
        self._seen, self._ready = set(heads), self._claimable(heads)

    def of(self, merchant_id: int, room: int) -> Iterator[Shipment]:
        """What may be claimed of one store, the most urgent first, looked at `room` at a time.

        Where others have taken all of those, twice as many are looked at next.
        """
        keys = self._keys(merchant_id)
        while keys:
            some = list(islice(keys, room))
            ready = self._ready if self._seen.issuperset(some) else self._claimable(some)
            for _ in some:
                if shipment := ready.get(keys.popleft()):
                    yield shipment
            room = 2 * room if ready.keys().isdisjoint(some) else room

    def _claimable(self, keys: Sequence[int]) -> dict[int, Shipment]:
        """Those of these shipments that may be claimed now, with their store and their order."""
        now, found = timezone.now(), []
        for first in range(0, len(keys), len(SOME)):
            some = zip_longest(SOME, keys[first : first + len(SOME)], fillvalue=NOBODY)
            found += [key for (key,) in self._among_these.rows(_moments(now) | dict(some))]
        # Others may have taken one between the two questions.
        rows = Shipment.objects.filter(pk__in=found, due_at__lte=now).select_related("merchant", "order")
        return {shipment.pk: shipment for shipment in rows if _may_go(shipment)} if found else {}

    def _keys(self, merchant_id: int) -> deque[int]:
        """One shipment an order: its next is not claimed within the time that these are good for."""
        again_at, soon_at, keys = self._kept.get(merchant_id, (0.0, 0.0, deque[int]()))
        began = time.monotonic()
        if began >= (again_at if keys else soon_at):
            keys = self._look(merchant_id)
            now = time.monotonic()
            rest = min(LONGEST_REST, LOOK_RESTS * (now - began))
            self._kept[merchant_id] = now + max(LOOK_AGAIN, rest), now + max(LOOK_SOON, rest), keys
        return keys

    def _look(self, merchant_id: int) -> deque[int]:
        calls = (kind for kind, call in CALLS.items() if not is_stopped(merchant_id, call))
        kinds = dict(zip_longest(KINDS, calls, fillvalue=""))
        first: dict[int, int] = {}
        meant = _moments(timezone.now()) | kinds | {STORE: merchant_id}
        for order, key in self._next_of_store.rows(meant):
            first.setdefault(order, key)
        return deque(first.values())

    @cached_property
    def _next_of_store(self) -> Prepared:
        rows = due(self._only, NOW).filter(merchant_id=STORE, kind__in=KINDS)
        return prepared([rows.values_list("order__pk", "pk")[:LOOK_AHEAD]])

    @cached_property
    def _among_these(self) -> Prepared:
        return prepared([due(SOME, NOW).order_by().values_list("pk")])


def _moments(now: datetime) -> dict[Any, Any]:
    """What stands for the moment and for a second before it, as the database is told of them."""
    told, second = connection.ops.adapt_datetimefield_value, readiness.BETWEEN_CALLS
    return {told(NOW): told(now), told(NOW - second): told(now - second)}


def _may_go(shipment: Shipment) -> bool:
    """Whether no pause of its store stops its call."""
    return not is_stopped(shipment.merchant_id, CALLS[shipment.kind])
