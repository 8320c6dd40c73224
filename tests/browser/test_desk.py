"""The desk in a real Chromium, at a desk (1440) and on a phone (360): what only a browser can show."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from merchants.models import Merchant, User
from merchants.services import set_membership
from sandbox import build
from shipping.models import Hold, Order, Package, Shipment, Typed
from shipping.services import hold_order
from tests.pages.people import moved

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "parcels-all-day"
SHIP, NEXT = ".submit-bar button >> nth=0", "[data-ship-next]"
# What a test breaks on purpose: the browser and htmx say so in the console.
ON_PURPOSE = re.compile(
    "Autofocus processing|401|ERR_FAILED|ERR_ABORTED|Response Status Error|sendError|sendAbort|htmx:"
)


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
        viewport = {"width": self.width, "height": 740 if self.width < 400 else 900}
        context = self.browser.new_context(viewport=viewport, locale="zh-CN", **more)
        context.set_default_timeout(8000)
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


@pytest.fixture(params=[1440, 360], ids=["desktop", "phone"])
def desk(request: Any, browser: Browser, world: Any, live_server: Any) -> Iterator[Desk]:
    desk = Desk(browser, world, live_server.url, request.param)
    yield desk
    for context in desk.contexts:
        context.close()
    assert [words for words in desk.complaints if not ON_PURPOSE.search(words)] == []


@pytest.fixture
def wide(browser: Browser, world: Any, live_server: Any) -> Iterator[Desk]:
    desk = Desk(browser, world, live_server.url, 1440)
    yield desk
    for context in desk.contexts:
        context.close()


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


# --- 8, 9, 12: customer service, the phone, the look ---------------------------------------------------


def test_the_sentence_for_the_buyer_is_copied(desk: Desk, pump: Any) -> None:
    order = plain(desk.world)
    page = desk.ship(order, clock=True, permissions=["clipboard-read", "clipboard-write"])
    page.fill("#p0-waybill_id", waybill(1))
    page.click(SHIP)
    page.wait_for_url(re.compile(rf"/orders/{order.order_id}/$"))
    pump()
    page.clock.fast_forward(2500)
    expect(page.locator(".package-shipped")).to_be_visible()
    page.clock.fast_forward(3000)
    page.click("text=复制回复")
    expect(page.locator("text=已复制")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    for words in ("1 个包裹", "登记发货", "顺丰速运", waybill(1)):
        assert words in copied


PAGES = ("/", "/?tab=held", "/?tab=trouble", "/search/?q=37", "/search/?q=12345678901", "/errors/", "/me/")


def test_nothing_is_clipped_and_the_submit_bar_stays_at_the_bottom(desk: Desk, pump: Any) -> None:
    long = "超长标题的商品" * 12
    attrs = [{"attr_key": "规格", "attr_value": "曜石黑加长加宽豪华礼盒装" * 3}]
    lines = [
        build.line(str(n), str(n), 2, title=long, sku_code="SKU-" + "9" * 40, sku_attrs=attrs, thumb_img="")
        for n in (1, 2)
    ]
    order = desk.world.order(lines, is_present=True, customer_notes="请务必" * 60, merchant_notes="A" * 200)
    wrong = plain(desk.world, openid="o2")
    desk.world.remote.fault("code", errcode=606005, errmsg="x" * 300, order_id=wrong.order_id)
    page = desk.ship(wrong)
    page.fill("#p0-waybill_id", waybill(3))
    page.click(SHIP)
    page.wait_for_url(re.compile(rf"/orders/{wrong.order_id}/$"))
    pump()
    set_membership(user=User.objects.get(), merchant=desk.world.merchant, role="manager")
    one = f"/orders/{order.order_id}/"
    fix = f"/orders/{wrong.order_id}/ship/?fix={Package.objects.get().pk}"
    for path in (*PAGES, "/history/", one, f"{one}ship/", f"/orders/{wrong.order_id}/", fix):
        page.goto(desk.url + path)
        fits(page, path)
    page.goto(f"{desk.url}{one}ship/")
    page.fill("#p0-waybill_id", "7835#1122")
    page.click("button[name=add]")
    expect(page.locator("#p1-waybill_id")).to_be_visible()
    page.click(SHIP)
    expect(page.locator(".field-error").first).to_be_visible()
    has_focus(page, "[aria-invalid]")
    fits(page, "with an error")
    bar = page.locator(".submit-bar")
    expect(bar.locator("button").first).to_be_in_viewport()
    if desk.width < 400:
        page.mouse.wheel(0, 3000)
        box = bar.bounding_box()
        assert round(box["y"] + box["height"]) == 740
        fields = [page.locator(f"#p0-{name}").bounding_box() for name in ("waybill_id", "delivery_id")]
        assert fields[0]["x"] == fields[1]["x"], "fields stand under each other"
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        last = page.locator(".summary-parcel").last.bounding_box()
        assert last["y"] + last["height"] <= box["y"], "the bar hides nothing at the end"
    page.context.clear_cookies()
    page.goto(desk.url + "/login/")
    fits(page, "login")


# Elements that are wider than they may be: past the window, or cut by a box that does not scroll.
CLIPPED = """() => [...document.querySelectorAll('main *')].filter(e => {
  const box = e.getBoundingClientRect();
  if (!box.width || !e.checkVisibility() || e.closest('.tabs, .visually-hidden, [hidden], textarea, svg, datalist')) return false;
  return box.right > innerWidth + 1 || box.left < -1;
}).map(e => e.outerHTML.slice(0, 120))"""


def fits(page: Page, path: str) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert page.evaluate(CLIPPED) == [], path
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], path


def test_the_look_is_each_person_s_own(desk: Desk) -> None:
    plain(desk.world)
    page = desk.open(path="/me/", color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.select_option("#id_theme", "dark")
    page.click("text=保存")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto(desk.url + "/")
    assert page.evaluate(background) != light
    follows = desk.open("second", color_scheme="dark")
    expect(follows.locator("html")).to_have_attribute("data-bs-theme", "dark")


# --- without JavaScript --------------------------------------------------------------------------------


def test_without_javascript_an_order_ships_through_a_page_that_asks_and_an_expired_session(
    desk: Desk,
) -> None:
    first, second = due_in_turn(desk.world, 2)
    page = desk.ship(first, java_script_enabled=False)
    page.fill("#p0-waybill_id", waybill(1))
    page.click(SHIP)
    expect(page.locator(".note-bar", has_text="请核对上面的内容，然后发货")).to_be_visible()
    assert not Shipment.objects.exists()
    fits_without_script = page.locator(".submit-bar").bounding_box()
    assert fits_without_script["x"] + fits_without_script["width"] <= desk.width
    Session.objects.all().delete()
    page.click("text=仍然发货，并打开下一单")
    expect(page.locator(".note-bar", has_text="您填的内容都还在")).to_be_visible()
    page.fill("#id_username", "packer")
    page.fill("#id_password", PASSWORD)
    page.click("main button:has-text('登录') >> nth=0")
    page.click("text=继续提交")
    page.wait_for_url(re.compile(f"/orders/{second.order_id}/ship/"))
    assert Package.objects.get().waybill_id == waybill(1)
    # A second card, and the way to take it off again, are pages of their own.
    page.click("button[name=add]")
    expect(page.locator("#p1-waybill_id")).to_be_visible()
    page.click("button[name=remove] >> nth=1")
    expect(page.locator("#p1-waybill_id")).to_have_count(0)
