"""A newcomer's first quarter of an hour: clone, `make run`, ship as staff, find it as manager, renew a token as admin.

The clone has no requirement of its own installed: this checkout's .venv stands in it, which `make run` looks over.
"""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from tests.browser.conftest import HARMLESS
from tests.pages.test_desk import run_tasks

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
WAYBILL = "SF3100000000001"
ROLES = ("staff", "manager", "admin")


class Demo(NamedTuple):
    """What `make run` has printed: where it is, and each role's login."""

    url: str
    logins: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("newcomer")
    clone = home / "fahuo"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    (clone / ".venv").symlink_to((ROOT / ".venv").resolve())
    with running(clone, home / "demo") as lines:
        said = []
        for line in lines:
            said.append(line)
            if "Ctrl-C" in line:
                break
        told = "".join(said)
        assert "Ctrl-C" in told, told
        found = re.findall(r"/ (staff|manager|admin) +(\S+) / (\S+)", told)
        yield Demo(
            re.findall(r"Fahuo: (http\S+)", told)[0], {role: (name, word) for role, name, word in found}
        )


@contextmanager
def running(clone: Path, home: Path) -> Iterator[Iterator[str]]:
    """`make run` with nothing of ours in its environment but where to live; yields the lines that it prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    asked = {"DEMO_HOME": str(home), "PORT": free_port(), "SANDBOX_PORT": free_port(), "LANG": "C.UTF-8"}
    child = subprocess.Popen(
        ["make", "run"], cwd=clone, env=kept | asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", start_new_session=True,
    )  # fmt: skip
    try:
        yield iter(child.stdout)
    finally:
        os.killpg(child.pid, signal.SIGINT)
        child.stdout.close()
        child.wait(timeout=60)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@contextmanager
def signed_in(browser: Browser, demo: Demo, role: str) -> Iterator[Page]:
    """A window of the person that the demo has named, which must not have complained by the end."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{demo.url}/login/")
    name, password = demo.logins[role]
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")
    page.wait_for_url(f"{demo.url}/")
    yield page
    context.close()
    assert [words for words in complaints if not HARMLESS.search(words)] == []


def ships_tells_and_renews(browser: Browser, demo: Demo, work: Callable[[], object]) -> None:
    """``work`` is called where something waits for the worker."""
    with signed_in(browser, demo, "staff") as page:
        order_id = ship_the_first(page, work)
    with signed_in(browser, demo, "manager") as page:
        page.goto(f"{demo.url}/history/?q={WAYBILL}")
        expect(page.locator("[data-rows] tbody tr", has_text=order_id)).to_contain_text("已发货")
        page.click("nav >> text=看板")
        expect(page.locator("h1")).to_have_text("看板")
        page.click("main a[href*='/history/?']:visible >> nth=0")
        expect(page.locator("h1")).to_have_text("发货记录")
    with signed_in(browser, demo, "admin") as page:
        renew_a_token(page, work)


def ship_the_first(page: Page, work: Callable[[], object]) -> str:
    """By the tour of `make run`: open the first order, type a tracking number, press."""
    page.click("[data-rows] tbody tr:first-child [data-act]")
    page.fill("#p0-waybill_id", WAYBILL)
    page.click(".submit-bar button[name=go]")
    page.wait_for_selector("[id^=package-]")
    work()
    expect(page.locator(".package-shipped")).to_contain_text("已发货", timeout=20_000)
    return page.inner_text("h1.id")


def renew_a_token(page: Page, work: Callable[[], object]) -> None:
    page.click("nav >> text=店铺管理")
    page.click("a[href$='/merchants/credential/'] >> nth=0")
    # The demo has stores that are called otherwise, too.
    page.click("#result_list tr:has-text('自有店铺') th a >> nth=0")
    page.click("input[name=_force]")
    page.wait_for_selector("[id^=errand-]")
    work()
    expect(page.locator("[id^=errand-] > strong")).to_have_text("完成", timeout=20_000)


@pytest.mark.long
def test_a_clone_runs_ships_tells_and_renews(browser: Browser, demo: Demo) -> None:
    ships_tells_and_renews(browser, demo, lambda: None)


@pytest.mark.django_db(transaction=True)
def test_three_people_ship_tell_and_renew(browser: Browser, world: Any, live_server: Any, pump: Any) -> None:
    """The same walk without the clone."""
    for role in ROLES:
        user = User.objects.create_user(role, password=role)
        set_membership(user=user, merchant=world.merchant, role=role)
    world.order([build.line("1001", "2001", 1, thumb_img="")])

    def work() -> None:
        pump()
        run_tasks()

    ships_tells_and_renews(browser, Demo(live_server.url, {role: (role, role) for role in ROLES}), work)
