"""The scan station in a real Chromium: typed by scanners of every kind, without a mouse, on a slow line."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, Dialog, Page, ViewportSize, expect

from sandbox import build
from shipping.models import Package
from tests.browser.test_ship import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEA = build.line("1001", "2001", 2, sku_code="TEA-1", title="茶叶", thumb_img="")
HARMLESS = re.compile("ERR_FAILED|htmx:|401|Response Status Error|Autofocus processing was blocked")
LABELS = ("SF3100000000001", "SF3100000000002", "SF3100000000003")


def shoot(page: Page, code: str, suffix: str = "") -> None:
    """A scanner is a keyboard that types faster than any hand, and may press a key at the end.

    The page's clock stands still meanwhile: on a busy machine a browser is given keys as slowly as by a hand.
    """
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 2)
    page.keyboard.type(code)
    if suffix:
        page.keyboard.press(suffix)
    page.clock.resume()


def says(page: Page, tone: str, words: str) -> None:
    expect(page.locator(f"#station[data-tone={tone}] .station-title")).to_contain_text(words)


@pytest.fixture
def station(request: Any, browser: Browser, world: Any, live_server: Any) -> Iterator[Page]:
    """The page as wide as asked for; a line that a test cuts is all that it may complain of."""
    size = ViewportSize(width=getattr(request, "param", 1440), height=900)
    context = browser.new_context(viewport=size, locale="zh-CN", device_scale_factor=2)
    page = context.new_page()
    page.clock.install()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page, world, live_server)
    page.wait_for_url(live_server.url + "/")
    page.goto(live_server.url + "/scan/")
    yield page
    context.close()
    assert [words for words in complaints if not HARMLESS.search(words)] == []


@pytest.mark.parametrize(
    ("station", "suffix"), [(1440, "Enter"), (1440, "Tab"), (390, "")], indirect=["station"],
    ids=["enter", "tab", "none"],
)  # fmt: skip
def test_scanners_with_any_suffix_and_no_mouse_at_all(station: Page, world: Any, suffix: str) -> None:
    page, order = station, world.order([TEA])
    shoot(page, order.order_id, suffix)
    says(page, "wait", "共 2 件")
    for count in ("1/2", "2/2"):
        page.wait_for_timeout(750)  # two reads within that are one piece
        shoot(page, "TEA-1", suffix or "Enter")  # too short to be told from a hand without a suffix
        expect(page.locator(".station-count")).to_have_text(count)
    shoot(page, LABELS[0], suffix)
    says(page, "ok", "已保存")
    shoot(page, LABELS[0], suffix)
    says(page, "ok", "已")
    assert Package.objects.get().items.get().product_cnt == 2
    expect(page.locator("#scan-recent")).to_contain_text(LABELS[0])
    expect(page.locator("#scan-code")).to_be_focused()


def test_a_hand_types_slowly_and_a_scan_finds_the_field_from_anywhere(station: Page, world: Any) -> None:
    page, order = station, world.order([TEA])
    page.keyboard.type(order.order_id[:8], delay=150)
    page.wait_for_timeout(300)
    expect(page.locator("#scan-code")).to_have_value(order.order_id[:8])
    page.keyboard.type(order.order_id[8:], delay=150)
    page.keyboard.press("Enter")
    says(page, "wait", "共 2 件")
    page.locator(".station-keys button >> nth=0").focus()
    shoot(page, LABELS[0], "Enter")
    says(page, "ok", "已保存")
    page.get_by_role("button", name="退一步").focus()
    page.keyboard.press("Enter")
    says(page, "wait", "已撤回")


def test_on_a_slow_line_scans_wait_and_leaving_warns(station: Page, world: Any) -> None:
    page, orders = station, [world.order([TEA]) for _ in LABELS]
    page.route(
        "**/scan/", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    for order, label in zip(orders, LABELS, strict=True):
        shoot(page, order.order_id, "Enter")
        shoot(page, label, "Enter")
    queue = page.locator("#scan-queue")
    expect(queue).to_contain_text("6 个扫描在排队")
    warnings: list[str] = []

    def heed(dialog: Dialog) -> None:
        warnings.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", heed)
    page.evaluate("setTimeout(() => location.assign('/'))")
    page.wait_for_timeout(300)
    assert warnings == ["beforeunload"]
    assert not Package.objects.exists()
    page.unroute("**/scan/")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(queue).to_be_hidden(timeout=15000)
    says(page, "ok", "已保存")
    saved = Package.objects.order_by("pk").values_list("order__order_id", "waybill_id")
    assert list(saved) == list(zip([order.order_id for order in orders], LABELS, strict=True))


def test_a_photo_is_read_where_there_is_no_camera(station: Page, world: Any, tmp_path: Any) -> None:
    page, order = station, world.order([TEA])
    page.evaluate("document.querySelector('[data-photo]').hidden = false")
    page.goto(page.url.replace("/scan/", f"/slips/?paper=a4&order={order.order_id}"))
    picture = tmp_path / "slip.png"
    page.locator(".slip-code").screenshot(path=picture)
    page.go_back()
    page.locator("[data-photo] input").set_input_files(picture)
    says(page, "wait", "共 2 件")


def test_a_login_that_ran_out_opens_over_the_station_and_the_scans_go_on(station: Page, world: Any) -> None:
    page, order = station, world.order([TEA])
    Session.objects.all().delete()
    shoot(page, order.order_id, "Enter")
    expect(page.locator("#login-dialog")).to_be_visible()
    page.fill("#login-dialog input[name=username]", "packer")
    page.fill("#login-dialog input[name=password]", "parcels-all-day")
    page.press("#login-dialog input[name=password]", "Enter")
    says(page, "wait", "共 2 件")
    shoot(page, LABELS[0], "Enter")
    says(page, "ok", "已保存")
