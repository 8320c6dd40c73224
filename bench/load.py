"""Ten minutes with thirty people at the pages and four workers, on SQLite with many packages."""

import json
import re
from collections import defaultdict
from contextlib import ExitStack
from typing import Any

from bench import place, rows
from bench.figures import Figure, Size, at_most, percentile, told
from bench.weight import gunicorn

USERS, PAGE = 30, 300.0
# As deploy/systemd starts it.
PROCESSES = 2
# The three that `manage.py work` starts, and a second one for what is sent.
SENDER = (
    "manage.py",
    "db_worker",
    "--queue-name",
    "send",
    "--interval",
    "0.2",
    "--no-reload",
    "--no-startup-delay",
)
STORE = "wx0000000000000009"
LOCKED = re.compile(r"database (table )?is locked")


def run(size: Size) -> list[Figure]:
    """People look, wait one to three seconds, look again; each tenth step ships an order by its form."""
    seconds, packages, orders = size.pick((20, 2_000, 60), (600, 1_000_000, 4_000))
    home = place.folder("load")
    rows.copy(packages, home)
    place.static_files()
    log = place.HOME / "stderr.log"
    began_at = log.stat().st_size if log.exists() else 0
    with place.sandbox() as url, ExitStack() as stack:
        ids = _store(url, orders)
        stack.enter_context(place.process("manage.py", "work"))
        stack.enter_context(place.process(*SENDER))
        address = stack.enter_context(gunicorn(PROCESSES))
        told_of = {"url": address, "user": rows.MANAGER, "users": USERS, "seconds": seconds, "orders": ids}
        crowd = stack.enter_context(place.process("-m", "bench.peers.crowd"))
        found = json.loads(place.ask(crowd, json.dumps(told_of)))
    with log.open("rb") as written:
        written.seek(began_at)
        locked = len(LOCKED.findall(written.read().decode(errors="replace")))
    return list(_figures(found, locked, f"{USERS} people, {seconds} s, {packages:,} packages"))


def _store(url: str, orders: int) -> list[str]:
    """A store of the manager's with orders to ship."""
    from bench import store
    from merchants.models import User
    from merchants.services import set_membership
    from sandbox.remote import Remote

    remote = Remote(url)
    shop = store.open_store(remote, STORE)
    set_membership(user=User.objects.get(username=rows.MANAGER), merchant=shop, role="manager")
    ids = store.place(remote, STORE, orders)
    store.known_in_bulk(shop, ids)
    remote.switch(latency=0.1)
    return ids


def _figures(found: dict[str, Any], locked: int, note: str) -> Any:
    from shipping.models import Package

    pages: dict[str, list[float]] = defaultdict(list)
    for kind, seconds, _ in found["asked"]:
        pages[kind].append(seconds)
    failed = sum(status >= 500 for _, _, status in found["asked"])
    yield at_most("load: 'database is locked'", locked, 0, "times", note)
    yield at_most("load: answers of 500 and above", failed, 0, "answers", f"of {len(found['asked'])}")
    for kind, times in sorted(pages.items()):
        middle = f"median {percentile(times, 0.5) * 1000:.0f} ms, {len(times)} asked"
        yield at_most(f"load: {kind}, p95", percentile(times, 0.95) * 1000, PAGE, "ms", middle)
    packages = Package.objects.filter(merchant__appid=STORE)
    shipped, queued = packages.filter(status="shipped").count(), packages.count()
    yield told("load: parcels shipped meanwhile", shipped, "parcels", f"of {queued} that the forms queued")
