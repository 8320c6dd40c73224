"""A third-party platform on both sides: registered in the sandbox, set up here, its ticket pushed."""

from dataclasses import dataclass
from typing import Any

import pytest

from merchants import events
from merchants.credentials import save_platform
from merchants.models import Credential, Platform, PushedEvent, User
from tests.pages.test_desk import run_tasks

PLATFORM, SECRET = "wxcomponent000001", "component-secret-0123456789abcdef"
TOKEN, KEY = "push-token-0123456789", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
DOOR = "/wechat/events/component/"


@dataclass
class Provider:
    """The world with our platform in it; its only store is called through the platform."""

    world: Any
    door: str

    def push(self, event: str, **more: Any) -> Any:
        """The sandbox pushes over HTTP; returns what our door answered."""
        return self.world.remote.push(PLATFORM, event, url=self.door, **more)

    def ticket(self) -> None:
        assert self.push("component_verify_ticket") == {"status": 200, "answer": "success"}
        self.work()

    def authorize(self, **more: Any) -> None:
        """The owner buys or agrees; the event brings the code."""
        self.push("authorized", appid=self.world.merchant.appid, **more)
        self.work()

    def work(self) -> None:
        events.catch_up()
        run_tasks()

    @property
    def row(self) -> Credential:
        return Credential.objects.get(merchant=self.world.merchant)

    @property
    def platform(self) -> Platform:
        return Platform.objects.get()

    def calls(self, name: str) -> list[Any]:
        found: list[Any] = self.world.remote.ledger(path=f"cgi-bin/component/{name}")
        return found


@pytest.fixture
def provider(world: Any, live_server: Any, settings: Any) -> Provider:
    """Set up, nothing pushed or authorised yet."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.WECHAT_LOGIN_URL = world.url
    settings.PUBLIC_URL = live_server.url
    world.remote.platform(PLATFORM, SECRET, TOKEN, KEY)
    root = User.objects.create_superuser("root")
    save_platform(
        appid=PLATFORM, secrets={"app_secret": SECRET, "push_token": TOKEN, "aes_key": KEY}, by=root
    )
    Credential.objects.update(mode="component", app_secret="", access_token="", token_expires_at=None)
    world.remote.ask("DELETE", "/_sandbox/ledger")
    return Provider(world, live_server.url + DOOR)


@pytest.fixture
def authorized(provider: Provider) -> Provider:
    """With its ticket and the store's authorisation."""
    provider.ticket()
    provider.authorize()
    assert provider.row.refresh_token
    assert not PushedEvent.objects.filter(handled_at=None).exists()
    return provider
