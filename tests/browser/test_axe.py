"""axe finds nothing on any page of the desk, in both looks and at both widths."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from shipping.station import scan, session_of
from tests.pages.test_desk import fields, member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = Path("tests/vendor/axe/axe.min.js").read_text(encoding="utf-8")
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
PASSWORD = "parcels-all-day"


@pytest.mark.parametrize(("look", "width"), [("light", 1440), ("dark", 360)])
def test_axe_finds_nothing(
    browser: Browser, world: Any, live_server: Any, pump: Any, look: str, width: int
) -> None:
    order, wrong = (world.order([build.line("1001", "2001", 2, thumb_img="")]) for _ in range(2))
    world.remote.fault("code", errcode=606005, order_id=wrong.order_id)
    member(world).post(f"/orders/{wrong.order_id}/ship/", fields(wrong))
    pump()
    user = User.objects.create_user("boss", password=PASSWORD)
    set_membership(user=user, merchant=world.merchant, role="admin")
    scan(session=session_of(user, "1"), text=order.order_id, key="1")
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN", color_scheme=look)
    page = context.new_page()
    page.goto(live_server.url + "/login/")
    assert _found(page) == []
    page.fill("#id_username", "boss")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url(live_server.url + "/")
    for path in (
        "/", "/?tab=trouble", f"/orders/{order.order_id}/", f"/orders/{order.order_id}/ship/",
        f"/orders/{wrong.order_id}/", "/search/?q=37", "/search/?q=zzzz", "/errors/?q=6060", "/errors/606005/", "/history/",
        "/history/?show=calls", "/exports/", "/board/", "/board/?period=7d", "/board/digest/",
        "/scan/", "/scan/codes/", "/scan/badges/", "/serials/", "/me/", "/members/", "/todo/", f"/slips/?paper=a4&order={order.order_id}",
    ):  # fmt: skip
        page.goto(live_server.url + path)
        assert _found(page) == [], path
    context.close()


def _found(page: Any) -> list[str]:
    page.evaluate(AXE)
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in page.evaluate(RULES)["violations"]]
