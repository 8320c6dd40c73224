"""The bare thread pool: `requests` in N threads, the same two calls for each order, nothing written down.

Reads one JSON line `{url, token, lanes, orders: [[order_id, body]]}`, prints the seconds it took.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import requests

KEPT = threading.local()


def _session() -> requests.Session:
    if not hasattr(KEPT, "session"):
        KEPT.session = requests.Session()
    return KEPT.session  # type: ignore[no-any-return]


def _call(job: dict[str, Any], path: str, body: object) -> None:
    address = f"{job['url']}/channels/ec/order/{path}"
    reply = _session().post(address, params={"access_token": job["token"]}, json=body, timeout=15)
    if reply.json()["errcode"]:
        raise RuntimeError(reply.text)


def _ship(job: dict[str, Any], order: tuple[str, object]) -> None:
    _call(job, "get", {"order_id": order[0]})
    _call(job, "delivery/send", order[1])


def race(job: dict[str, Any]) -> float:
    """Seconds from the first call to the last answer."""
    began = time.monotonic()
    with ThreadPoolExecutor(job["lanes"]) as lanes:
        list(lanes.map(partial(_ship, job), job["orders"]))
    return time.monotonic() - began


if __name__ == "__main__":
    for line in sys.stdin:
        print(race(json.loads(line)), flush=True)
