"""What is copied, what a narrow window shows, the look, and the desk without JavaScript."""

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from shipping.models import Package, Shipment
from tests.browser.windows import (
    PASSWORD,
    SHIP,
    Desk,
    due_in_turn,
    has_focus,
    plain,
    waybill,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
