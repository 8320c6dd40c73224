"""A spreadsheet shipped in a real Chromium, with the worker as its own process and the bar seen to move.

BATCH_ROWS=5000 runs it at full size, by hand.
"""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from playwright.sync_api import Page, expect

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from shipping.models import Batch, Order, Package
from shipping.syncing import sync_merchant
from tests.conftest import APPID
from tests.faults.test_kill import worker_env

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROWS = int(os.environ.get("BATCH_ROWS", "100"))
MINUTES = 60_000 * max(1, ROWS // 100)


@pytest.fixture
def worker(world: Any) -> Iterator[None]:
    """`manage.py work`, as an installation runs it: tasks, timekeeper and pump."""
    env = os.environ | worker_env(world.url) | {"SYNC_EVERY": "0"}
    process = subprocess.Popen([sys.executable, "manage.py", "work"], env=env)
    yield
    process.send_signal(signal.SIGTERM)
    process.wait()


def orders(world: Any) -> list[Order]:
    """So many alike on the platform, read into our rows."""
    made = world.remote.order(APPID, [build.line("1001", "2001", 1, title="茶叶 250 克", thumb_img="")])
    world.remote.copy(made["order_id"], ROWS - 1)
    sync_merchant(world.merchant, 1)
    return list(Order.objects.order_by("pk"))


def spreadsheet(rows: list[Order]) -> bytes:
    """As an ERP exports it; every tenth names a courier that is not in the list."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["线上订单号", "物流公司", "物流单号", "收货人"])
        for number, order in enumerate(rows, 1):
            courier = "顺丰速运" if number % 10 else "蜗牛速递"
            sheet.write_row(number, 0, [order.order_id, courier, f"SF3{10**12 + number}", "林**"])
    return made.getvalue()


@pytest.mark.parametrize("page", [1440], indirect=True, ids=["desktop"])
def test_a_spreadsheet_is_rehearsed_mended_and_shipped_while_the_bar_moves(
    page: Page, world: Any, live_server: Any, worker: None, tmp_path: Path
) -> None:
    file = tmp_path / "发货.xlsx"
    file.write_bytes(spreadsheet(orders(world)))
    user = User.objects.create_user("packer", password="parcels-all-day")
    set_membership(user=user, merchant=world.merchant, role="staff")
    page.goto(live_server.url + "/batches/")
    page.fill("#id_username", "packer")
    page.fill("#id_password", "parcels-all-day")
    page.press("#id_password", "Enter")
    page.set_input_files("#file", file)
    began = time.monotonic()
    page.get_by_role("button", name="上传并预检").click()
    expect(page.locator(".cause")).to_contain_text("蜗牛速递", timeout=MINUTES)
    sys.stderr.write(f"{ROWS} rows: verdict seen after {time.monotonic() - began:.1f} s\n")
    assert Package.objects.count() == 0
    page.locator(".cause select").select_option("SF")
    page.get_by_role("button", name="都改，并记住").click()
    ship = page.locator(".go button")
    expect(ship).to_contain_text(f"发货 {ROWS} 个包裹", timeout=MINUTES)
    expect(ship).to_contain_text(f"测试店 {ROWS}")
    world.remote.switch(latency=0.1)
    began = time.monotonic()
    ship.click()
    widths, titles = set(), set()
    while not page.get_by_text("发完了").is_visible():
        bar = page.locator("rect.fill-green")
        widths |= {bar.get_attribute("width")} if bar.count() else set()
        titles.add(page.title())
        assert time.monotonic() - began < MINUTES / 1000
        page.wait_for_timeout(200)
    shipped = time.monotonic() - began
    batch = Batch.objects.get()
    last = Package.objects.order_by("-pk").values_list("shipment__created_at", flat=True)[0]
    queued = (last - batch.confirmed_at).total_seconds() if batch.confirmed_at else 0
    sys.stderr.write(f"{ROWS} rows: queued {queued:.1f} s, shipped {shipped:.1f} s\n")
    assert len(widths - {None, "0.00", "100.00"}) >= 3, widths
    assert any("%" in title for title in titles), titles
    assert Package.objects.filter(status="shipped").count() == ROWS
    sent = [row for row in world.remote.ledger() if row["path"].endswith("delivery/send")]
    assert len(sent) == ROWS
