"""A real headless Chromium against a real server and worker process."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from tests.faults.test_kill import worker_env

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# Works like the background worker: again and again until it is killed. One process: to start is what costs.
WORK = """
import time, django
django.setup()
from shipping.dispatch import Pump
while True:
    Pump().run(1, until_idle=True)
    time.sleep(0.2)
"""


@pytest.fixture
def worker(world: Any) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", WORK], env=os.environ | worker_env(world.url))
    yield
    process.kill()
    process.wait()


def log_in(page: Page, world: Any, live_server: Any) -> None:
    user = User.objects.create_user("packer", password="parcels-all-day")
    set_membership(user=user, merchant=world.merchant, role="staff")
    page.goto(live_server.url + "/login/")
    page.fill("#id_username", "packer")
    page.fill("#id_password", "parcels-all-day")
    page.press("#id_password", "Enter")


def test_two_parcels_turn_shipped_and_a_wrong_one_is_explained_and_fixed(
    page: Page, world: Any, live_server: Any, worker: None
) -> None:
    order = world.order([build.line("1001", "2001", 2, thumb_img="")])
    wrong = world.order([build.line("1001", "2001", 1, thumb_img="")])
    world.remote.fault("code", errcode=606005, order_id=wrong.order_id)
    log_in(page, world, live_server)
    page.click(f'a[href^="/orders/{order.order_id}/ship/"]')
    page.fill("#p0-waybill_id", "SF3100000000001")
    page.fill("#p0-cnt-0", "1")
    page.click('button[name="add"]')
    page.fill("#p1-waybill_id", "SF3100000000002")
    page.click(".submit-bar button >> nth=0")
    shipped = page.locator('[id^="package-"]', has_text="已发货")
    expect(shipped).to_have_count(2, timeout=15000)

    page.goto(f"{live_server.url}/orders/{wrong.order_id}/ship/")
    page.fill("#p0-waybill_id", "SF3100000000003")
    page.click(".submit-bar button >> nth=0")
    failed = page.locator('[id^="package-"]', has_text="发货失败")
    expect(failed).to_have_count(1, timeout=15000)
    expect(failed).to_contain_text(re.compile("由谁处理"))
    page.click('a:text-is("改正后重发")')
    page.fill("#p0-waybill_id", "SF3100000000004")
    page.click(".submit-bar button >> nth=0")
    expect(page.locator('[id^="package-"]', has_text="SF3100000000004")).to_contain_text(
        "已发货", timeout=15000
    )
