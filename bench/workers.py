"""Two worker processes beside one, on PostgreSQL (goal: 1.8 times the pace)."""

import time
from contextlib import ExitStack

from django.db.models import Max, Min

from bench import place
from bench.figures import Figure, Size, at_most, faster, in_turn
from bench.sending import overlaps

LATENCY, GOAL = 0.1, 1.8
# Few enough that one worker waits for the platform: two of them share two cores with everything else.
LANES = 4
TURNS = {Size.SHORT: (40, 1), Size.LONG: (500, 3)}


def run(size: Size) -> list[Figure]:
    """The same orders of one store by one process, and by two."""
    from tests.services import postgres_url

    orders, turns = TURNS[size]
    url = postgres_url()
    _create(url)
    place.set_up(place.folder("workers"), database=url, LANES=str(LANES))
    with place.sandbox() as address:
        from bench import store
        from sandbox.remote import Remote

        remote = Remote(address)
        shop = store.open_store(remote, "wx0000000000000001")

        def shipped_by(workers: int) -> float:
            ids = store.place(remote, shop.appid, orders)
            keys = [shipment.pk for shipment in store.queue(store.take_in(shop, ids))]
            remote.switch(latency=LATENCY)
            _work(workers, keys)
            remote.switch(latency=0.0)
            return _seconds(keys)

        two, one = in_turn(turns, lambda: shipped_by(2), lambda: shipped_by(1))
        note = f"{turns} × {orders} orders, {LANES} lanes a worker, 100 ms latency; the peer is one worker"
        return [
            faster("two workers on PostgreSQL", two, one, GOAL, "s", note),
            at_most("two workers: calls of one order that overlap", overlaps(remote.ledger()), 0, "calls"),
        ]


def _create(url: str) -> None:
    """An empty database at the address; `template1` is where one asks from."""
    import environ
    import psycopg

    told = environ.Env.db_url_config(url)
    where = {"host": told["HOST"], "user": told["USER"], "dbname": "template1"}
    with psycopg.connect(**where, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{told["NAME"]}"')
        connection.execute(f'CREATE DATABASE "{told["NAME"]}"')


def _work(workers: int, keys: list[int]) -> None:
    from shipping.models import Package

    with ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(place.process("manage.py", "work", "--until-idle"))
        end = time.monotonic() + 300
        while Package.objects.filter(shipment__in=keys).exclude(status="shipped").exists():
            if time.monotonic() > end:
                raise RuntimeError("not every parcel left")
            time.sleep(0.5)


def _seconds(keys: list[int]) -> float:
    """From the moment that the last worker of this turn claimed its first to the last outcome."""
    from shipping.models import Attempt, Package

    runs = Attempt.objects.filter(shipment__in=keys).values("run").annotate(first=Min("started_at"))
    late = max(row["first"] for row in runs)
    before = Attempt.objects.filter(shipment__in=keys, started_at__lt=late).count()
    last = Package.objects.filter(shipment__in=keys).aggregate(at=Max("status_at"))["at"]
    # One may be ready a moment before the other: what it did alone is no part of the race.
    return float((last - late).total_seconds()) * len(keys) / max(1, len(keys) - before)
