"""One sandbox for most tests, its own for those that touch switches or time."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import build
from sandbox.remote import Remote
from sandbox.server import Sandbox

numbers = itertools.count(1)


@dataclass
class Shop:
    """A store with a token, on a running sandbox."""

    remote: Remote
    url: str
    appid: str
    token: str

    def call(self, path: str, body: object) -> dict[str, Any]:
        return self.remote.call(path, body, self.token)

    def order(self, lines: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
        return self.remote.order(self.appid, lines, **more)

    def send(self, order: dict[str, Any], *packages: dict[str, Any]) -> dict[str, Any]:
        whole = packages or (build.package(build.goods(order)),)
        return self.call("order/delivery/send", {"order_id": order["order_id"], "delivery_list": list(whole)})

    def parcels(self, order: dict[str, Any]) -> list[tuple[str, str]]:
        shown = self.remote.truth(order["order_id"])["order_detail"]["delivery_info"]["delivery_product_info"]
        return [(parcel["delivery_id"], parcel["waybill_id"]) for parcel in shown]

    def status(self, order: dict[str, Any]) -> int:
        return int(self.remote.truth(order["order_id"])["status"])


def open_shop(sandbox: Sandbox, **more: Any) -> Shop:
    remote, appid = Remote(sandbox.url), f"wxtest{next(numbers):012d}"
    remote.merchant(appid, **more)
    return Shop(remote, sandbox.url, appid, remote.token(appid))


@pytest.fixture(scope="session")
def shared() -> Iterator[Sandbox]:
    sandbox = Sandbox().start()
    Remote(sandbox.url).switch(order_pace=False)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def shop(shared: Sandbox) -> Shop:
    """A fresh store on the shared sandbox; pace is off."""
    return open_shop(shared)


@pytest.fixture
def own() -> Iterator[Shop]:
    """A fresh store on a sandbox of its own; all switches at their defaults."""
    sandbox = Sandbox().start()
    yield open_shop(sandbox)
    sandbox.stop()


@pytest.fixture(scope="session")
def demo() -> Iterator[Sandbox]:
    sandbox = Sandbox(seed="demo").start()
    yield sandbox
    sandbox.stop()
