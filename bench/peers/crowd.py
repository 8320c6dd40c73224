"""People at the pages, a thread each: reads one JSON line `{url, user, users, seconds, orders}`.

Prints `{asked: [[kind, seconds, status]]}`.
"""

import json
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import django
import requests

HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
NAME, VALUE = re.compile(r'name="([^"]+)"'), re.compile(r'value="([^"]*)"')
THINK = (1.0, 3.0)


class Person:
    """One browser; what it was answered goes into `asked`."""

    def __init__(self, job: dict[str, Any], cookies: dict[str, str], asked: list[Any], number: int) -> None:
        self.url, self.asked, self.dice = job["url"], asked, random.Random(number)
        self.orders = job["orders"][number :: job["users"]]
        self.session = requests.Session()
        self.session.cookies.update(cookies)

    def live(self, until: float) -> None:
        steps: list[tuple[int, Callable[[], None]]] = [
            (4, self.look), (3, self.poll), (1, self.search), (1, self.open), (1, self.ship),
        ]  # fmt: skip
        weights, doings = zip(*steps, strict=True)
        while time.monotonic() < until:
            self.dice.choices(doings, weights)[0]()
            time.sleep(self.dice.uniform(*THINK))

    def look(self) -> None:
        tab = self.dice.choice(("todo", "all", "shipped", "due"))
        self.ask("list", "GET", f"/?tab={tab}&merchant=")

    def poll(self) -> None:
        self.ask("poll", "GET", "/counts/?tab=todo&merchant=")

    def search(self) -> None:
        self.ask("search", "GET", f"/search/?q=SF{self.dice.randrange(2000):012d}")

    def open(self) -> None:
        if self.orders:
            self.ask("order", "GET", f"/orders/{self.dice.choice(self.orders)}/")

    def ship(self) -> None:
        """Open the form, type the number, send it."""
        if not self.orders:
            return
        path = f"/orders/{self.orders.pop()}/ship/"
        form = self.ask("ship form", "GET", path)
        typed = {found[1]: value[1] for field in HIDDEN.findall(form)
                 if (found := NAME.search(field)) and (value := VALUE.search(field))}  # fmt: skip
        # Of a browser without scripts only, which looks at everything once more before it sends.
        typed.pop("review", None)
        number = path.strip("/").split("/")[1][-13:]
        typed |= {
            "go": "1",
            "cards": "1",
            "p0-deliver_type": "1",
            "p0-waybill_id": f"SF{number}",
            "p0-delivery_id": "SF",
        }
        typed |= {"p0-cnt-0": "1", "csrfmiddlewaretoken": self.session.cookies.get("csrftoken", "")}
        self.ask("ship", "POST", path, typed)

    def ask(self, kind: str, method: str, path: str, typed: dict[str, str] | None = None) -> str:
        began = time.perf_counter()
        reply = self.session.request(
            method,
            self.url + path,
            data=typed,
            timeout=60,
            allow_redirects=False,
            headers={"Referer": self.url},
        )
        self.asked.append((kind, time.perf_counter() - began, reply.status_code))
        return reply.text


def crowd(job: dict[str, Any]) -> dict[str, Any]:
    from bench.peers.pages import client

    cookies = {name: morsel.value for name, morsel in client(job["user"]).cookies.items()}
    asked: list[Any] = []
    end = time.monotonic() + job["seconds"]
    people = [Person(job, cookies, asked, number) for number in range(job["users"])]
    threads = [threading.Thread(target=person.live, args=(end,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"asked": asked}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(crowd(json.loads(sys.stdin.readline()))), flush=True)
