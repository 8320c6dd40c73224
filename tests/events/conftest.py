"""A store whose events the sandbox pushes to its own door, over a real socket."""

from dataclasses import dataclass
from typing import Any

import pytest

from merchants.credentials import save_push_secrets
from merchants.models import Credential, PushedEvent
from tests.lines.conftest import provider as provider
from tests.pages.test_desk import run_tasks

TOKEN, KEY = "push-token-0123456789", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


@dataclass
class Pushing:
    """The world with a push address on both sides."""

    world: Any
    door: str
    wait_for: Any

    def happen(self, order: Any, what: str, count: int = 1) -> None:
        """It happens, is pushed and stored; nothing is worked off yet."""
        known = PushedEvent.objects.count()
        self.world.remote.happen(order.order_id, what)
        self.wait_for(lambda: PushedEvent.objects.count() == known + count)

    def work(self) -> None:
        run_tasks()

    def reads(self, order: Any) -> int:
        calls = self.world.remote.ledger(order_id=order.order_id)
        return sum(call["path"].endswith("order/get") for call in calls)


@pytest.fixture
def pushing(world: Any, live_server: Any, settings: Any, wait_for: Any) -> Pushing:
    settings.ALLOWED_HOSTS = ["*"]
    secrets = {"push_token": TOKEN, "aes_key": KEY}
    save_push_secrets(merchant=world.merchant, secrets=secrets, by=None)
    key = Credential.objects.get(merchant=world.merchant).event_key
    door = f"{live_server.url}/wechat/events/{key}/"
    world.remote.push_address(world.merchant.appid, door, TOKEN, KEY)
    return Pushing(world, door, wait_for)


@pytest.fixture
def run_rest() -> Any:
    return run_tasks
