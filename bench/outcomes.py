"""Four writers and four readers on one SQLite file (G10): no lock is ever missed, and nobody waits long."""

import json
from contextlib import ExitStack
from typing import Any

from bench import place, rows
from bench.figures import Figure, Size, at_least, at_most, percentile, told

WRITERS, READERS = 4, 4
RATE, WRITE, PAGE = 300.0, 200.0, 300.0
STORES = 4


def run(size: Size) -> list[Figure]:
    """Writers do all of a send but the call, as fast as they can; each reader asks for a page a second."""
    seconds, queued = size.pick((8, 400), (120, 30_000))
    home = place.folder("outcomes")
    path = rows.copy(size.pick(2_000, 100_000), home)
    place.static_files()
    _queue(queued)
    with ExitStack() as stack:
        start = stack.enter_context
        writers = [start(place.process("-m", "bench.peers.writer", str(seconds))) for _ in range(WRITERS)]
        readers = [
            start(place.process("-m", "bench.peers.reader", rows.MANAGER, str(seconds)))
            for _ in range(READERS)
        ]
        wrote = [json.loads(place.read_line(child)) for child in writers]
        read = [json.loads(place.read_line(child)) for child in readers]
    return list(_figures(wrote, read, f"{WRITERS} writers, {READERS} readers, {seconds} s, {path.name}"))


def _queue(count: int) -> None:
    from bench import store
    from merchants.models import Merchant

    for number in range(STORES):
        shop = Merchant.objects.create(appid=f"wxq{number}", name=f"仓{number}")
        first = number * count // STORES
        store.queue_in_bulk(shop, [f"38{key:017d}" for key in range(first, first + count // STORES)])


def _figures(wrote: list[dict[str, Any]], read: list[dict[str, Any]], note: str) -> Any:
    outcomes = sum(each["outcomes"] for each in wrote)
    writes = [taken for each in wrote for taken in each["writes"]]
    pages = [taken for each in read for taken in each["pages"]]
    if not pages or not writes:
        raise RuntimeError("nobody came to read or to write in this time")
    locked = sum(each["locked"] for each in (*wrote, *read))
    yield at_most("SQLite under load: 'database is locked'", locked, 0, "times", note)
    rate = outcomes / max(each["seconds"] for each in wrote)
    yield at_least("SQLite under load: outcomes", rate, RATE, "a second", "each is three transactions")
    yield told("SQLite under load: transactions", 3 * rate, "a second")
    yield at_most("SQLite under load: a write, p99", percentile(writes, 0.99) * 1000, WRITE, "ms")
    yield at_most(
        "SQLite under load: a page, p95", percentile(pages, 0.95) * 1000, PAGE, "ms", f"{len(pages)} pages"
    )
