"""What a window does when the login, the line or a second click gets in the way: nothing typed is lost or sent twice."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect

from shipping.models import Package, Shipment, Typed
from tests.browser.windows import (
    PASSWORD,
    SHIP,
    Desk,
    due_in_turn,
    has_focus,
    plain,
    sign_in_again,
    waybill,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# --- 7: an expired session, a broken and a slow line ---------------------------------------------------


def test_an_expired_session_opens_a_login_over_the_page_and_the_same_request_goes_on(desk: Desk) -> None:
    first, second = due_in_turn(desk.world, 2)
    page = desk.ship(first, clock=True)
    page.fill("#p0-sn_code", "sn-1") if page.locator("#p0-sn_code").is_visible() else None
    Session.objects.all().delete()
    page.clock.fast_forward(16000)
    expect(page.locator("#signed-out")).to_be_visible()
    expect(page.locator("#login-dialog")).to_be_hidden()
    assert page.locator("#presence input, #my-trouble input").count() == 0
    # Typed and sent at once: the save that comes behind must not take the place of what was sent.
    page.fill("#p0-waybill_id", waybill(1))
    page.keyboard.press("Control+Enter")
    has_focus(page, "#again_username")
    page.clock.fast_forward(600)
    expect(page.locator("#p0-waybill_id")).to_have_value(waybill(1))
    page.fill("#again_username", "packer")
    page.fill("#again_password", "wrong")
    page.press("#again_password", "Enter")
    expect(page.locator("#login-dialog .field-error")).to_be_visible()
    sign_in_again(page)
    page.wait_for_url(re.compile(f"/orders/{second.order_id}/ship/"))
    assert Package.objects.get().waybill_id == waybill(1)


def test_a_login_in_another_window_leaves_this_one_able_to_send(desk: Desk) -> None:
    order = plain(desk.world)
    page = desk.ship(order)
    page.fill("#p0-waybill_id", waybill(1))
    expect(page.locator("#summary")).to_contain_text("已自动保存")
    Session.objects.all().delete()
    other = page.context.new_page()
    other.goto(desk.url + "/login/")
    other.fill("#id_username", "packer")
    other.fill("#id_password", PASSWORD)
    other.press("#id_password", "Enter")
    other.wait_for_url(desk.url + "/")
    page.click(SHIP)
    page.wait_for_url(re.compile(rf"/orders/{order.order_id}/$"))
    assert Package.objects.get().waybill_id == waybill(1)


def is_sending(request: Any) -> bool:
    return request.method == "POST" and "preview" not in (request.post_data or "")


def once(page: Page, act: Callable[[Route], None]) -> None:
    """The next sending request meets this; those after it go through."""
    met: list[int] = []

    def handle(route: Route) -> None:
        if not is_sending(route.request) or met:
            return route.continue_()
        met.append(1)
        return act(route)

    page.route("**/ship/", handle)


def test_a_broken_line_says_so_at_the_button_and_sends_once(desk: Desk, pump: Any) -> None:
    order = plain(desk.world, 2)
    page = desk.ship(order)
    page.fill("#p0-waybill_id", waybill(1))
    page.fill("#p0-cnt-0", "1")
    expect(page.locator("#summary")).to_contain_text("×1")
    page.route("**/ship/", lambda route: route.abort())
    said = page.locator("[data-say]")
    page.click("button[name=add]")
    expect(said).to_contain_text("可以放心再试")
    page.click(SHIP)
    expect(said).to_contain_text("可以放心再试")
    expect(page.locator("#p0-waybill_id")).to_have_value(waybill(1))
    page.unroute("**/ship/")

    def lose_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    once(page, lose_the_answer)
    page.click(SHIP)
    expect(said).to_contain_text("可以放心再试")
    assert Shipment.objects.count() == 1
    page.click(SHIP)
    page.wait_for_url(re.compile(rf"/orders/{order.order_id}/$"))
    expect(page.locator(".note-bar", has_text="已经提交过")).to_be_visible()
    assert Shipment.objects.count() == 1
    assert not Typed.objects.exists()


def test_a_slow_line_says_so_after_five_seconds_and_may_be_tried_again(desk: Desk) -> None:
    order = plain(desk.world)
    page = desk.ship(order, clock=True)
    page.fill("#p0-waybill_id", waybill(1))
    once(page, lambda route: None)
    page.click(SHIP)
    page.clock.fast_forward(4000)
    expect(page.locator("[data-say]")).to_be_empty()
    page.clock.fast_forward(1500)
    expect(page.locator("[data-say]")).to_contain_text("可以再点一次，不会重复发货")
    page.click(SHIP)
    page.wait_for_url(re.compile(rf"/orders/{order.order_id}/$"))
    assert Shipment.objects.count() == 1


def test_a_double_click_the_back_button_and_two_windows_send_once(desk: Desk) -> None:
    order = plain(desk.world)
    page, other = desk.ship(order), desk.ship(order)
    for window in (page, other):
        window.fill("#p0-waybill_id", waybill(1))
    page.dblclick(SHIP)
    page.wait_for_url(re.compile(rf"/orders/{order.order_id}/$"))
    other.click(SHIP)
    expect(other.locator(".field-error, .note-bar.bad").first).to_be_visible()
    page.go_back()
    page.wait_for_url(re.compile("/ship/"))
    page.click(SHIP)
    expect(page.locator(".field-error, .note-bar.bad").first).to_be_visible()
    assert Shipment.objects.count() == 1
