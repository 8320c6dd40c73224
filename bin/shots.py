"""The screenshots of docs/img: a fresh demo, used as a packer would, at desktop and phone width."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
HOME, IMAGES = ROOT / "var" / "shots", ROOT / "docs" / "img"
WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
REJECTED = "3720000000000606005"


@contextmanager
def demo() -> Iterator[str]:
    """A demo of its own; yields its address."""
    shutil.rmtree(HOME, ignore_errors=True)
    env = os.environ | {
        "DEMO_HOME": str(HOME),
        "PORT": "8700",
        "SANDBOX_PORT": "8800",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "sandbox.demo"]
    child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        lines = iter(child.stdout or [])
        yield next(found[0] for line in lines if (found := re.findall(r"Fahuo: (http\S+)", line)))
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=60)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo() as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for name, (width, height) in WIDTHS.items():
            context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
            walk(context.new_page(), url, name)
            context.close()
        browser.close()


def walk(page: Page, url: str, width: str) -> None:
    """Log in, ship one order, have one refused, and look at every page on the way."""
    page.goto(f"{url}/login/")
    shoot(page, "login", width)
    page.click("button:has-text('manager')")
    page.wait_for_url(f"{url}/")
    fail_one(page, url)
    page.goto(f"{url}/")
    shoot(page, "orders", width)
    page.click("[data-rows] tbody tr:first-child [data-act]")
    page.fill("#p0-waybill_id", "SF3100000000" + ("001" if width == "desktop" else "002"))
    page.wait_for_selector("#summary >> text=已自动保存")
    shoot(page, "ship", width)
    page.click(".submit-bar button[name=go]")
    page.wait_for_selector(".package-shipped")
    shoot(page, "order", width)
    for path, name in (
        (f"/orders/{REJECTED}/", "error"),
        ("/history/", "history"),
        ("/errors/", "codes"),
        ("/board/?period=7d", "board"),
    ):
        page.goto(url + path)
        shoot(page, name, width)


def fail_one(page: Page, url: str) -> None:
    page.goto(f"{url}/orders/{REJECTED}/")
    if not page.locator(".package-rejected").count():
        page.goto(f"{url}/orders/{REJECTED}/ship/")
        page.click(".submit-bar button[name=go]")
        page.wait_for_selector(".package-rejected")


def shoot(page: Page, name: str, width: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}-{width}.png")


if __name__ == "__main__":
    main()
