"""The desk in a real Chromium, at a desk (1440) and on a phone (360): the list, the keys, shipping, two people."""

import re
import sys
from typing import Any

import pytest
from playwright.sync_api import expect

from merchants.models import Merchant
from shipping.models import Hold, Package
from shipping.services import hold_order
from tests.browser.windows import SHIP, Desk, due_in_turn, has_focus, plain, waybill
from tests.pages.people import moved

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# --- 1, 2: the list, the keys, shipping in a row ------------------------------------------------------


def test_the_list_works_by_keys_and_counts_live(desk: Desk) -> None:
    orders = due_in_turn(desk.world, 3)
    page = desk.open(clock=True)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("/")
    has_focus(page, "[role=search] input")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    for key in "jjkj":
        page.keyboard.press(key)
    expect(page.locator("tr.picked")).to_contain_text(orders[1].order_id)
    todo = page.locator(".tabs a", has_text="待发货")
    expect(todo).to_contain_text("3")
    hold_order(order=orders[0], user=None, reason="缺货")
    page.clock.fast_forward(16000)
    expect(todo).to_contain_text("2")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/orders/{orders[1].order_id}/ship/\?from=tab%3Dtodo"))
    page.goto(desk.url + "/?tab=intercept")
    box = page.locator(".tabs [aria-current]").bounding_box()
    assert box["x"] >= 0, "the tab one is on is in sight"
    assert box["x"] + box["width"] <= desk.width
    expect(page.locator(".panel", has_text="这一类没有订单")).to_be_visible()


def test_ten_orders_in_a_row_by_keyboard_alone(wide: Desk, capsys: Any) -> None:
    orders = due_in_turn(wide.world, 10)
    page = wide.open()
    counted = {"keys": 0, "scans": 0, "loads": 0, "swaps": 0, "saves": 0}

    def count(request: Any) -> None:
        body = request.post_data or ""
        counted["loads"] += request.is_navigation_request()
        counted["swaps"] += request.headers.get("hx-boosted") == "true" and request.method == "POST"
        counted["saves"] += "preview" in body

    page.on("request", count)

    def press(key: str) -> None:
        page.keyboard.press(key)
        counted["keys"] += 1

    for key in ("j", "Enter"):
        press(key)
    for number, order in enumerate(orders):
        page.wait_for_url(re.compile(f"/orders/{order.order_id}/ship/"))
        has_focus(page, "#p0-waybill_id")
        page.keyboard.insert_text(waybill(number))
        counted["scans"] += 1
        press("Control+Enter")
    page.wait_for_url(re.compile(r"/\?tab=todo"))
    expect(page.locator(".note-bar", has_text=orders[-1].order_id)).to_be_visible()
    queued = Package.objects.order_by("pk").values_list("order__order_id", "waybill_id", "delivery_id")
    assert list(queued) == [(o.order_id, waybill(n), "SF") for n, o in enumerate(orders)]
    assert counted["keys"] == 12, "two to begin with, one for each order"
    assert counted["swaps"] == 10
    assert counted["loads"] <= 1
    with capsys.disabled():
        keys, pages = (counted["keys"] - 2) / 10, counted["swaps"] / 10
        sys.stdout.write(f"\nten orders by keyboard: {counted}; for each {keys} keys, {pages} pages\n")


def test_a_draft_saves_itself_and_ones_trouble_announces_itself(desk: Desk, pump: Any) -> None:
    order, wrong = plain(desk.world, 2), plain(desk.world)
    page = desk.ship(order, clock=True)
    page.locator("#p0-waybill_id").press_sequentially(waybill(1))
    page.clock.fast_forward(500)
    expect(page.locator("#summary")).to_contain_text("已自动保存")
    page.click("button[name=add]")
    has_focus(page, "#p1-waybill_id")
    page.fill("#p0-cnt-0", "1")
    page.fill("#p1-waybill_id", waybill(2))
    page.clock.fast_forward(500)
    expect(page.locator("#summary")).to_contain_text(waybill(2))
    page.goto(desk.url + "/")
    page.goto(f"{desk.url}/orders/{order.order_id}/ship/")
    expect(page.locator("#p1-waybill_id")).to_have_value(waybill(2))
    # A scanner replaces what the field opened with.
    page.keyboard.insert_text(waybill(9))
    expect(page.locator("#p0-waybill_id")).to_have_value(waybill(9))
    other = desk.ship(wrong)
    desk.world.remote.fault("code", errcode=606005, order_id=wrong.order_id)
    other.fill("#p0-waybill_id", waybill(3))
    other.click(SHIP)
    other.wait_for_url(re.compile(rf"/orders/{wrong.order_id}/$"))
    pump()
    page.clock.fast_forward(11000)
    toast = page.locator(".toast-note")
    expect(toast).to_contain_text(waybill(3))
    if desk.width < 400:
        above, below = toast.bounding_box(), page.locator(".submit-bar").bounding_box()
        assert above["y"] + above["height"] < below["y"], "it does not lie over the buttons"
    page.click("#my-trouble a:has-text('我的问题包裹')")
    expect(page.locator("[data-rows]")).to_contain_text(wrong.order_id)


# --- 3, 5: one parcel for several orders, what changed since ------------------------------------------


def test_one_number_for_two_orders_and_a_stranger_s_is_not_confirmed_by_habit(desk: Desk) -> None:
    order, other = plain(desk.world), plain(desk.world)
    stranger = plain(desk.world, openid="oStranger")
    page = desk.ship(order)
    page.click("text=同一买家同一地址还有 1 单 >> xpath=.. >> input[type=checkbox]")
    page.fill("#p0-waybill_id", waybill(1))
    page.click(SHIP)
    expect(page.locator(".note-bar", has_text="2 个订单用同一个单号")).to_be_visible()
    assert set(Package.objects.values_list("order__order_id", flat=True)) == {order.order_id, other.order_id}
    page.goto(f"{desk.url}/orders/{stranger.order_id}/ship/")
    page.fill("#p0-waybill_id", waybill(1))
    page.click(SHIP)
    loud = page.locator(".field-warning", has_text="那是另一位买家或另一个地址").first
    expect(loud).to_be_visible()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    # What the keys have asked must be answered, or the click meets a button that is still busy.
    page.wait_for_load_state("networkidle")
    assert not Package.objects.filter(order=stranger).exists()
    page.click("text=核对过了，仍然发货")
    page.wait_for_url(re.compile(rf"/orders/{stranger.order_id}/$"))
    assert Package.objects.filter(order=stranger).exists()


def test_a_changed_address_is_asked_about_and_confirmed(desk: Desk, pump: Any) -> None:
    order = plain(desk.world)
    page = desk.ship(order, clock=True)
    page.fill("#p0-waybill_id", waybill(1))
    expect(page.locator("#summary")).to_contain_text("已自动保存")
    moved(desk.world, order)
    page.click(SHIP)
    asked = page.locator(".note-bar.bad", has_text="面单重新打印了吗")
    expect(asked).to_contain_text("上海市")
    page.click("text=核对过了，仍然发货")
    page.wait_for_url(re.compile(rf"/orders/{order.order_id}/$"))
    moved(desk.world, order, "h-third", "北京市 北京市 朝阳区")
    pump()
    page.clock.fast_forward(2500)
    card = page.locator(".package", has_text=waybill(1))
    expect(card).to_contain_text("北京市", timeout=8000)
    card.locator("button", has_text="核对过了，照发").click()
    pump()
    page.clock.fast_forward(2500)
    expect(page.locator(".package-shipped")).to_contain_text(waybill(1))
    assert len(desk.world.sends(order)) == 1


# --- 4, 6, 10: hold, two people, undo -----------------------------------------------------------------


def test_an_order_is_held_released_and_a_queued_package_withdrawn(desk: Desk) -> None:
    Merchant.objects.update(undo_seconds=90)
    order = plain(desk.world)
    page = desk.open(path=f"/orders/{order.order_id}/")
    page.click("summary:has-text('暂不发货')")
    page.fill("#hold-reason", "等补货")
    page.click("text=设为暂不发货")
    expect(page.locator(".note-bar.warn", has_text="等补货")).to_be_visible()
    page.goto(f"{desk.url}/orders/{order.order_id}/ship/")
    expect(page.locator(".note-bar.bad", has_text="等补货")).to_be_visible()
    page.goto(f"{desk.url}/orders/{order.order_id}/")
    page.click("text=恢复发货 >> nth=0")
    assert Hold.objects.get().released_at
    page.goto(f"{desk.url}/orders/{order.order_id}/ship/")
    page.fill("#p0-waybill_id", waybill(1))
    page.click(SHIP)
    clock = page.locator("[data-left]")
    first = int(clock.inner_text())
    assert 80 <= first <= 90
    page.wait_for_function(
        "first => Number(document.querySelector('[data-left]').textContent) < first", arg=first
    )
    page.click("button:has-text('撤回')")
    expect(page.locator(".note-bar", has_text="已撤回 1 个包裹")).to_be_visible()
    page.goto(f"{desk.url}/orders/{order.order_id}/ship/")
    expect(page.locator("#p0-waybill_id")).to_have_value(waybill(1))


def test_two_people_see_each_other_and_what_is_left(desk: Desk) -> None:
    order = plain(desk.world, 3)
    page, other = desk.ship(order, clock=True), desk.ship(order, "xiaowang")
    expect(other.locator("#presence")).to_contain_text("packer 从")
    page.clock.fast_forward(16000)
    expect(page.locator("#presence")).to_contain_text("xiaowang 从")
    page.locator("#p0-waybill_id").press_sequentially(waybill(2))
    page.clock.fast_forward(500)
    expect(page.locator("#summary")).to_contain_text("已自动保存")
    other.fill("#p0-waybill_id", waybill(1))
    other.fill("#p0-cnt-0", "2")
    other.click(SHIP)
    other.wait_for_url(re.compile(rf"/orders/{order.order_id}/$"))
    page.clock.fast_forward(16000)
    expect(page.locator("#presence")).to_contain_text("现在还剩 1 件没有发")
    page.click("text=按剩下的重新打开")
    expect(page.locator("#p0-cnt-0")).to_have_value("1")
    expect(page.locator("#p0-waybill_id")).to_have_value(waybill(2))
