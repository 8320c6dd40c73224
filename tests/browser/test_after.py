"""What happens around a parcel, clicked: a buyer's request that shows by itself, an answer, a number put right."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from sandbox import build
from shipping.hints import take
from shipping.told import EXT_INFO
from tests.browser.test_ship import log_in
from tests.flows.test_dispatch import parcel, ship
from tests.pages.test_desk import run_tasks

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDE = pytest.mark.parametrize("page", [1440], indirect=True)
ADDRESS = 4
REQUEST = {"user_name": "林**", "tel_number": "183****2807", "city_name": "佛山市", "detail_info": "****"}


@WIDE
def test_a_request_for_a_new_address_shows_by_itself_and_is_answered(
    page: Page, world: Any, live_server: Any
) -> None:
    order = world.order([build.line("1001", "2001", 1, thumb_img="")])
    log_in(page, world, live_server)
    page.goto(f"{live_server.url}/orders/{order.order_id}/")
    world.remote.change(
        order.order_id, {"order_detail": {"delivery_info": {"address_under_review": REQUEST}}}
    )
    page.evaluate("window.kept = true")
    take(world.merchant, order.order_id, EXT_INFO, ADDRESS, timezone.now())
    run_tasks()
    expect(page.locator("#order-asks")).to_contain_text("买家申请改地址", timeout=10000)
    expect(page.locator("#preflight")).not_to_contain_text("改地址")
    assert page.evaluate("window.kept"), "not loaded again"
    page.click("text=同意改地址")
    run_tasks()
    expect(page.locator("#order-asks")).to_contain_text("微信已接受", timeout=10000)
    delivery = world.remote.truth(order.order_id)["order_detail"]["delivery_info"]
    assert delivery["address_info"]["city_name"] == "佛山市"


@WIDE
def test_a_wrong_number_is_put_right_from_the_orders_page(
    page: Page, world: Any, live_server: Any, pump: Any
) -> None:
    order = world.order([build.line("1001", "2001", 1, thumb_img="")])
    ship(order, parcel("SF3100000000001"))
    pump()
    run_tasks()
    log_in(page, world, live_server)
    page.goto(f"{live_server.url}/orders/{order.order_id}/")
    page.click('a:has-text("更正单号") >> nth=0')
    page.fill("#p0-waybill_id", "SF3100000000009")
    page.click(
        'main form.narrow-form button[type="submit"], main form.narrow-form button:has-text("更正单号")'
    )
    pump()
    expect(page.locator('[id^="package-"]', has_text="SF3100000000009")).to_have_count(1, timeout=10000)
    [sent] = world.remote.truth(order.order_id)["order_detail"]["delivery_info"]["delivery_product_info"]
    assert sent["waybill_id"] == "SF3100000000009"
