"""Sending beside a bare thread pool of `requests` that makes the same calls (goal: 0.9 of its pace)."""

import json
from collections import defaultdict
from itertools import pairwise
from typing import Any

from django.db.models import Max, Min

from bench import place
from bench.figures import Figure, Size, at_most, faster, in_turn
from sandbox import build
from sandbox.remote import Remote

LATENCY = 0.1
GOAL = 0.9
# lanes -> orders of one turn, and turns; a single lane takes 200 ms an order, whoever drives it
TURNS = {
    Size.SHORT: {8: (80, 1)},
    Size.LONG: {1: (200, 1), 8: (500, 2), 16: (500, 2)},
}
PATHS = ("order/get", "order/delivery/send")


def run(size: Size) -> list[Figure]:
    """Orders that were read minutes ago, so each is read again and sent: two calls, 100 ms each."""
    place.set_up(place.folder("sending"))
    with place.sandbox() as url, place.process("-m", "bench.peers.pool") as pool:
        race = Race(Remote(url), url, pool)
        return [figure for lanes, turn in TURNS[size].items() for figure in race.figures(lanes, *turn)]


class Race:
    """One store each for us and the pool, both on one sandbox."""

    def __init__(self, remote: Remote, url: str, pool: Any) -> None:
        from bench import store

        self.remote, self.url, self.pool, self.make = remote, url, pool, store
        self.store = store.open_store(remote, "wx0000000000000001")
        remote.merchant("wx0000000000000002", store.SECRET)
        self.calls: dict[str, int] = {}

    def figures(self, lanes: int, orders: int, turns: int) -> list[Figure]:
        self.remote.ask("DELETE", "/_sandbox/ledger")
        ours, peer = in_turn(turns, lambda: self._ours(lanes, orders), lambda: self._peer(lanes, orders))
        ledger = self.remote.ledger()
        same = " + ".join(f"{_count(ledger, self.store.appid, path)} {path}" for path in PATHS)
        theirs = " + ".join(f"{_count(ledger, 'wx0000000000000002', path)}" for path in PATHS)
        note = f"{turns} × {orders} orders; calls: ours {same}, the pool's {theirs}"
        return [
            faster(f"sending, {lanes} lanes", ours, peer, GOAL, "s", note),
            at_most(f"sending, {lanes} lanes: calls of one order that overlap", overlaps(ledger), 0, "calls"),
        ]

    def _ours(self, lanes: int, count: int) -> float:
        """From the first claim to the last outcome written; the worker's start is nobody's race."""
        from shipping.models import Attempt, Package

        keys = self._queue(count)
        self.remote.switch(latency=LATENCY)
        place.manage("work", "--until-idle", LANES=str(lanes))
        self.remote.switch(latency=0.0)
        packages = Package.objects.filter(shipment__in=keys, status="shipped")
        if packages.count() != count:
            raise RuntimeError("not every parcel left")
        first = Attempt.objects.filter(shipment__in=keys).aggregate(at=Min("started_at"))["at"]
        return float((packages.aggregate(at=Max("status_at"))["at"] - first).total_seconds())

    def _queue(self, count: int) -> list[int]:
        ids = self.make.place(self.remote, self.store.appid, count)
        shipments = self.make.queue(self.make.take_in(self.store, ids))
        return [shipment.pk for shipment in shipments]

    def _peer(self, lanes: int, count: int) -> float:
        appid = "wx0000000000000002"
        job = {"url": self.url, "token": self.remote.token(appid, self.make.SECRET), "lanes": lanes}
        ids = self.make.place(self.remote, appid, count)
        orders = [(key, self._body(key)) for key in ids]
        self.remote.switch(latency=LATENCY)
        seconds = float(place.ask(self.pool, json.dumps(job | {"orders": orders})))
        self.remote.switch(latency=0.0)
        return seconds

    def _body(self, order_id: str) -> dict[str, object]:
        goods = [{"product_id": "10000001", "sku_id": "20000001", "product_cnt": 1}]
        return {"order_id": order_id, "delivery_list": [build.package(goods, self.make.waybill(order_id))]}


def _count(ledger: list[dict[str, Any]], appid: str, path: str) -> int:
    return sum(1 for row in ledger if row["appid"] == appid and row["path"].endswith(path))


def overlaps(ledger: list[dict[str, Any]]) -> int:
    """Calls that came before the last was answered: the ledger notes a call when its latency is over."""
    times: dict[str, list[float]] = defaultdict(list)
    for row in ledger:
        if row["order_id"]:
            times[row["order_id"]].append(row["at"])
    return sum(later - first < LATENCY for one in times.values() for first, later in pairwise(sorted(one)))
