"""People at windows of their own, and the orders they ship."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from shipping.models import Order

PASSWORD = "parcels-all-day"
SHIP, NEXT = ".submit-bar button >> nth=0", "[data-ship-next]"


@dataclass
class Desk:
    """People at windows of their own, all of one width."""

    browser: Browser
    world: Any
    url: str
    width: int
    complaints: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def open(self, name: str = "packer", path: str = "/", *, clock: bool = False, **more: Any) -> Page:
        """A window of this person, signed in."""
        if not User.objects.filter(username=name).exists():
            user = User.objects.create_user(name, password=PASSWORD)
            set_membership(user=user, merchant=self.world.merchant, role="staff")
        client = Client()
        client.force_login(User.objects.get(username=name))
        viewport = ViewportSize(width=self.width, height=740 if self.width < 400 else 900)
        context = self.browser.new_context(viewport=viewport, locale="zh-CN", **more)
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        value = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": value, "url": self.url}])
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if clock:
            page.clock.install()
        page.goto(self.url + path)
        return page

    def ship(self, order: Any, name: str = "packer", **more: Any) -> Page:
        return self.open(name, f"/orders/{order.order_id}/ship/", **more)


def due_in_turn(world: Any, count: int, **more: Any) -> list[Any]:
    """Orders of different buyers, due one after the other."""
    orders = []
    for number in range(count):
        order = world.order([build.line("1001", "2001", 1, thumb_img="")], openid=f"o{number}", **more)
        Order.objects.filter(pk=order.pk).update(deadline_at=timezone.now() + timedelta(hours=3 + number))
        orders.append(order)
    return orders


def plain(world: Any, count: int = 1, **more: Any) -> Any:
    return world.order([build.line("1001", "2001", count, thumb_img="")], **more)


def waybill(number: int) -> str:
    return f"SF31{number:011d}"


def has_focus(page: Page, selector: str) -> None:
    """In its own document: only one of several windows has the focus of the screen."""
    page.wait_for_function("s => document.activeElement === document.querySelector(s)", arg=selector)


def sign_in_again(page: Page) -> None:
    page.fill("#again_username", "packer")
    page.fill("#again_password", PASSWORD)
    page.press("#again_password", "Enter")
