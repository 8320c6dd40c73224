"""Chosen orders shipped on one page in a real Chromium: by keys, a pasted column, one press."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sandbox import build
from shipping.models import Package
from tests.browser.test_ship import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NUMBERS = ["SF3100000000001", "SF3100000000002", "SF3100000000003"]
PASTE = """(field, text) => {
    const data = new DataTransfer(); data.setData("text", text);
    field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def test_three_orders_leave_with_a_column_of_numbers(page: Page, world: Any, live_server: Any) -> None:
    orders = [world.order([build.line("1001", "2001", 2, thumb_img="")]) for _ in range(4)]
    log_in(page, world, live_server)
    page.wait_for_load_state("load")
    for count in range(1, 4):
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.locator("input[name=order]:checked")).to_have_count(count)
    page.click("text=一起发货")
    fields = page.locator("[data-column]")
    expect(fields).to_have_count(3)
    page.fill("#courier", "顺丰")
    fields.first.evaluate(PASTE, "\n".join(NUMBERS))
    assert [fields.nth(n).input_value() for n in range(3)] == NUMBERS
    page.evaluate("document.documentElement.scrollWidth <= innerWidth") or pytest.fail(
        "wider than the window"
    )
    fields.first.press("Enter")
    expect(fields.nth(1)).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator("body")).to_contain_text("3 个订单已保存")
    assert sorted(Package.objects.values_list("waybill_id", flat=True)) == NUMBERS
    assert Package.objects.exclude(order__in=orders).count() == 0
