"""One store queues thousands, others ship single parcels meanwhile (G12): `python -m bench fairness`."""

import time
from typing import Any

from bench import place
from bench.figures import Figure, Size, at_most, percentile, told

LATENCY, DWELL, LOSS = 0.1, 3.0, 1.1
OTHERS, EVERY = 10, 1.0
BIG = "wx0000000000000000"


def run(size: Size) -> list[Figure]:
    """The whole product's worker, `manage.py work`; the big store alone, then with ten others, then alone."""
    place.set_up(place.folder("fairness"))
    with place.sandbox() as url:
        from sandbox.remote import Remote

        return Fair(Remote(url), size.pick(60, 5000)).figures()


class Fair:
    """One sandbox, one big store, and others with a parcel now and then."""

    def __init__(self, remote: Any, many: int) -> None:
        from bench import store

        self.remote, self.many, self.make = remote, many, store
        self.big = store.open_store(remote, BIG)
        self.others = [store.open_store(remote, f"wx{number:016d}") for number in range(1, OTHERS + 1)]
        self.singles: list[int] = []
        self.known = store.read_first(self.big, store.place(remote, BIG, 1)[0])

    def figures(self) -> list[Figure]:
        with place.process("manage.py", "work"):
            # The worker's own start is nobody's loss.
            self._ship_many(5, feed=False)
            before = self._ship_many(self.many, feed=False)
            shared = self._ship_many(self.many, feed=True)
            dwell = self._dwell()
            # A machine grows slower or faster within minutes: what stands before and after is half of each.
            after = self._ship_many(self.many, feed=False)
        solo = (before + after) / 2
        note = f"{len(dwell)} parcels of {OTHERS} stores, one every {EVERY:g} s, beside {self.many} of one"
        return [
            at_most(
                "fairness: a single parcel from queue to shipped, p95",
                percentile(dwell, 0.95),
                DWELL,
                "s",
                note,
            ),
            at_most(
                "fairness: the big store's time to its time alone",
                shared / solo,
                LOSS,
                "×",
                f"{before:.0f} s alone before, {after:.0f} s after",
            ),
            told("fairness: a single parcel, median", percentile(dwell, 0.5), "s"),
        ]

    def _ship_many(self, count: int, *, feed: bool) -> float:
        from shipping.models import Package

        spare = self._spare() if feed else []
        ids = self.make.place(self.remote, BIG, count)
        self.remote.switch(latency=LATENCY)
        keys = self.make.queue_in_bulk(self.big, ids, self.known)
        waiting = Package.objects.filter(pk__gte=keys[0], pk__lte=keys[-1], merchant=self.big)
        began = time.monotonic()
        while waiting.exclude(status="shipped").exists():
            if feed and spare:
                shop, order_id = spare.pop()
                self.singles += self.make.queue_in_bulk(shop, [order_id], self.known)
                self._wake()
            time.sleep(EVERY)
        seconds = time.monotonic() - began
        self.remote.switch(latency=0.0)
        return seconds

    def _wake(self) -> None:
        """As queueing at the page does."""
        from django.db import transaction

        from shipping.wake import wake

        with transaction.atomic():
            wake("send_ticket")

    def _spare(self) -> list[tuple[Any, str]]:
        each = max(3, self.many // 50)
        placed = {shop: self.make.place(self.remote, shop.appid, each) for shop in self.others}
        return [
            (shop, key)
            for turn in zip(*placed.values(), strict=True)
            for shop, key in zip(placed, turn, strict=True)
        ]

    def _dwell(self) -> list[float]:
        """How long each single parcel took; one that is still on its way is waited for."""
        from shipping.models import Package

        rows = Package.objects.filter(pk__in=self.singles)
        while rows.exclude(status="shipped").exists():
            time.sleep(0.2)
        times = rows.values_list("shipment__created_at", "status_at")
        return [(shipped - queued).total_seconds() for queued, shipped in times]
