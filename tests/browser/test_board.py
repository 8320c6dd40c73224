"""The board in the browser: its marks are links with names, the tables are the figures where no script runs."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from merchants.models import Merchant, User
from merchants.services import set_membership
from tests.board.made import moments, package

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "parcels-all-day"
CHARTS = 5
MOST_BYTES = 200_000


@pytest.fixture
def store() -> Merchant:
    dice, now = random.Random(4), timezone.now()
    store = Merchant.objects.create(appid="wx0", name="店0")
    boss = User.objects.create_user("boss", password=PASSWORD)
    set_membership(user=boss, merchant=store, role="manager")
    for at in moments(dice, now - timedelta(days=2), now - timedelta(minutes=1), 40):
        package(store, at, dice, [boss])
    return store


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login/?next=/board/%3Fperiod%3D7d")
    page.fill("#id_username", "boss")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/board/**")


def test_a_mark_is_a_link_that_a_keyboard_reaches(page: Page, live_server: Any, store: Merchant) -> None:
    sign_in(page, live_server.url)
    marks = page.locator(".drawing a")
    expect(page.locator(".drawing svg")).to_have_count(CHARTS)
    assert marks.count() > 10
    first = page.locator("#chart-couriers .drawing a").last
    assert first.get_attribute("aria-label")
    rows = page.locator("#chart-couriers tbody tr").all()
    told = [(row.locator("th").inner_text(), row.locator("a").get_attribute("href")) for row in rows]
    drawn = [
        (mark.get_attribute("aria-label") or "", mark.get_attribute("href") or "")
        for mark in page.locator("#chart-couriers .drawing a").all()
    ]
    assert len(drawn) == len(told)
    for name, url in told:
        assert any(words.startswith(name) and place.endswith(str(url)) for words, place in drawn), name
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/history/?**courier=**")


def test_keys_change_the_days_and_show_the_tables(page: Page, live_server: Any, store: Merchant) -> None:
    sign_in(page, live_server.url)
    expect(page.locator("#chart-pace .drawing")).to_be_visible()
    page.keyboard.press("t")
    expect(page.locator("#chart-pace .drawing")).to_be_hidden()
    expect(page.locator("#chart-pace table")).to_be_visible()
    page.keyboard.press("4")
    page.wait_for_url("**period=30d**")
    expect(page.locator("#chart-pace .drawing svg")).to_have_count(1)
    expect(page.locator("[aria-current=page][data-period]")).to_have_text("30 天")


def test_without_javascript_the_tables_are_the_figures(
    browser: Browser, live_server: Any, store: Merchant
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    sign_in(page, live_server.url)
    expect(page.locator("#chart-pace table")).to_be_visible()
    assert not page.locator(".drawing").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_first_look_is_light_and_stands_still(
    browser: Browser, live_server: Any, store: Merchant
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sign_in(page, live_server.url)
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => {"
        " for (const shift of list.getEntries()) window.moved += shift.value; })"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.moved") < 0.02
    context.close()
