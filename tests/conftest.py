"""One sandbox per test session in a thread, one clean state per test; HTTP is never mocked."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import build
from sandbox.remote import Remote
from sandbox.server import Sandbox

pytest_plugins = ["tests.database"]
APPID, SECRET = "wx00000000000000aa", "s3cret-" + "a" * 25


@dataclass
class World:
    """A merchant of ours, the same one on the platform, and a hand on both."""

    remote: Remote
    url: str
    merchant: Any

    def order(self, lines: list[dict[str, Any]] | None = None, **more: Any) -> Any:
        """An order on the platform, read into our rows."""
        from shipping.syncing import read_order

        made = self.remote.order(APPID, lines or [build.line("10000001", "20000001", 1)], **more)
        order, reply = read_order(self.merchant, made["order_id"])
        assert order is not None, reply
        return order

    def sends(self, order: Any) -> list[dict[str, Any]]:
        return [
            row
            for row in self.remote.ledger(order_id=order.order_id)
            if row["path"].endswith("delivery/send")
        ]


@pytest.fixture
def sandbox_server() -> Iterator[Sandbox]:
    server = Sandbox(state=":memory:", seed="empty", port=0).start()
    yield server
    server.stop()


@pytest.fixture
def world(sandbox_server: Sandbox, transactional_db: None, settings: Any) -> World:
    """Points the product at a fresh sandbox with one merchant, couriers read, pace off."""
    from merchants.services import add_merchant
    from shipping.syncing import sync_couriers, sync_return_address

    settings.WECHAT_API_URL = sandbox_server.url
    settings.WECHAT_API_HOST = "127.0.0.1"
    remote = Remote(sandbox_server.url)
    remote.merchant(APPID, SECRET)
    merchant = add_merchant(appid=APPID, name="测试店", secret=SECRET)
    sync_couriers(merchant)
    sync_return_address(merchant)
    merchant.refresh_from_db()
    return World(remote, sandbox_server.url, merchant)


@pytest.fixture
def pump() -> Callable[..., None]:
    """Work until nothing is left to do, in this process."""
    from shipping.dispatch import Pump

    def work(seconds: float = 60) -> None:
        Pump().run(seconds, until_idle=True)

    return work


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    def wait(is_true: Callable[[], bool], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.02)

    return wait
