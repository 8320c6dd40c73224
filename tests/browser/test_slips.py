"""Packing slips in a real Chromium: chosen in the list, laid out on paper."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sandbox import build
from tests.browser.test_ship import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MM = 72 / 25.4
PAPERS = {"100x150": (100, 150), "a4": (210, 297)}


def paper_pages(page: Page) -> list[tuple[int, int]]:
    """The pages of a print, each as width and height in millimetres."""
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return [(round(float(width) / MM), round(float(height) / MM)) for width, height in boxes]


@pytest.mark.parametrize(("paper", "sheets"), [("100x150", 2), ("a4", 1)])
def test_two_orders_chosen_in_the_list_are_two_slips(
    page: Page, world: Any, live_server: Any, paper: str, sheets: int
) -> None:
    orders = [world.order([build.line("1001", "2001", 2, thumb_img="")]) for _ in range(3)]
    log_in(page, world, live_server)
    for order in orders[:2]:
        page.get_by_label(f"选择订单 {order.order_id}").check()
    page.select_option("select[name=paper]", paper)
    page.click("text=打印配货单")
    expect(page.locator(".slip")).to_have_count(2)
    expect(page.locator(".slip-id")).to_have_text([order.order_id for order in orders[:2]])
    assert page.locator(".slip-code").evaluate_all("all => all.every(image => image.naturalWidth > 200)")
    page.emulate_media(media="print")
    expect(page.locator(".side")).to_be_hidden()
    expect(page.locator("[data-print]")).to_be_hidden()
    assert paper_pages(page) == [PAPERS[paper]] * sheets
    page.emulate_media(media="screen")
    page.click("text=返回")
    expect(page.locator("tr", has_text=orders[0].order_id)).to_contain_text("已打印")


def test_all_of_a_page_are_chosen_at_once_and_the_button_prints(
    page: Page, world: Any, live_server: Any
) -> None:
    for _ in range(5):
        world.order([build.line("1001", "2001", 1, thumb_img="")])
    page.add_init_script("window.print = () => { document.title = 'printed'; }")
    log_in(page, world, live_server)
    page.get_by_label("选择这一页的全部订单").check()
    page.select_option("select[name=paper]", "a4")
    page.click("text=打印配货单")
    expect(page.locator(".slip")).to_have_count(5)
    assert paper_pages(page) == [PAPERS["a4"]] * 2
    page.click("[data-print]")
    expect(page).to_have_title("printed")


def test_an_order_longer_than_its_label_goes_on_on_a_second_one(
    page: Page, world: Any, live_server: Any
) -> None:
    lines = [build.line(f"10{n:02d}", f"20{n:02d}", 1, thumb_img="", title="长标题" * 9) for n in range(12)]
    long, short = world.order(lines), world.order([build.line("1001", "2001", 1, thumb_img="")])
    log_in(page, world, live_server)
    chosen = f"order={long.order_id}&order={short.order_id}"
    page.goto(f"{live_server.url}/slips/?paper=100x150&{chosen}")
    assert len(paper_pages(page)) == 3
    page.goto(f"{live_server.url}/slips/?paper=a4&{chosen}")
    assert len(paper_pages(page)) == 1


def test_the_keys_of_the_list_work_with_a_checkbox_in_focus(page: Page, world: Any, live_server: Any) -> None:
    order = world.order([build.line("1001", "2001", 1, thumb_img="")])
    log_in(page, world, live_server)
    page.get_by_label(f"选择订单 {order.order_id}").check()
    page.keyboard.press("j")
    expect(page.locator("tr.picked")).to_contain_text(order.order_id)
