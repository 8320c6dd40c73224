"""Somebody at the list: a page a second, for so many seconds: `python -m bench.peers.reader USER SECONDS`."""

import json
import sys
import time
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import django

from bench.peers.pages import client

PATHS = ("/?tab=todo&merchant=", "/?tab=all&merchant=", "/counts/?tab=todo&merchant=", "/search/?q=SF0000")


@dataclass
class Seen:
    """Seconds of each page; how often the database was locked."""

    pages: list[float]
    locked: int


def read(username: str, seconds: float) -> dict[str, Any]:
    from django.db import OperationalError

    browser, done = client(username), Seen([], 0)
    paths, began = cycle(PATHS), time.monotonic()
    browser.get(PATHS[0])
    while time.monotonic() < began + seconds:
        asked = time.perf_counter()
        try:
            browser.get(next(paths))
        except OperationalError as error:
            done.locked += "locked" in str(error)
        taken = time.perf_counter() - asked
        done.pages.append(taken)
        time.sleep(max(0.0, 1 - taken))
    return vars(done)


if __name__ == "__main__":
    django.setup()
    print(json.dumps(read(sys.argv[1], float(sys.argv[2]))), flush=True)
