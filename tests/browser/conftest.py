"""One headless Chromium for the whole session; a window of its own for each test."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import handlers
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.windows import Desk

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
# Other parts of the suite run beside this one: what takes a second alone may take many.
expect.set_options(timeout=20_000)
# The part of Chromium that draws pages without a window: half the work of the whole.
CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# The browser tells that a field keeps the focus, which is what we want, takes a store's secret for a login, and
# has a wish for Django's own form of a password.
HARMLESS = re.compile(
    "Autofocus processing was blocked|Password forms should have|Multiple forms should be contained"
    "|Input elements should have autocomplete"
)

# What a test breaks on purpose: the browser and htmx say so in the console.
ON_PURPOSE = re.compile(
    "Autofocus processing|401|ERR_FAILED|ERR_ABORTED|Response Status Error|sendError|sendAbort|htmx:"
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def kept_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Style and script keep in the browser, as whitenoise has it, instead of being asked for with each page."""
    real = handlers.serve

    def serve(*asked: Any, **more: Any) -> Any:
        answer = real(*asked, **more)
        answer["Cache-Control"] = "max-age=600"
        return answer

    monkeypatch.setattr(handlers, "serve", serve)


@pytest.fixture(params=[1440, 390], ids=["desktop", "phone"])
def page(request: Any, browser: Browser) -> Iterator[Page]:
    """A window of one width that must not have complained by the end."""
    context = browser.new_context(viewport={"width": request.param, "height": 900}, locale="zh-CN")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    assert [words for words in complaints if not HARMLESS.search(words)] == []


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


# What a narrow window changes; the other walks are the same at both widths, and narrow in the long form only.
NARROW = ("nothing_is_clipped", "without_javascript", "three_orders_leave")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "[phone" in item.name and not any(name in item.name for name in NARROW):
            item.add_marker(pytest.mark.long)
