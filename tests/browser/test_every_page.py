"""Every route that can be looked at, in one walk per width: nothing jumps, sticks out, complains or weighs much.

The routes come from the resolver by way of tests/pages: a new one is walked without a line here.
"""

import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Error, Page

from merchants.models import User
from merchants.services import set_membership
from shipping import states
from shipping.models import OrderLine, Package
from tests.browser.conftest import HARMLESS
from tests.pages.access import ADMIN, ANYONE, MANAGER, OWNER, PUBLIC, ROUTES, Route, Store, make_store
from tests.pages.every import ADMIN_ROUTES, NOBODYS, is_open, model_of, path_of, rows_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = Path("tests/vendor/axe/axe.min.js").read_text(encoding="utf-8")
RULES = """tags => axe.run({resultTypes: ['violations'], preload: false, runOnly: tags})"""
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
KB = 200
SHIFT = 0.02
# Read before anything else of a page: what jumps without anybody touching it, and what the policy has stopped.
LISTEN = """
window.seen = {shift: 0, stopped: []};
const add = list => list.forEach(entry => { if (!entry.hadRecentInput) window.seen.shift += entry.value; });
const watch = new PerformanceObserver(list => add(list.getEntries()));
watch.observe({type: 'layout-shift', buffered: true});
window.seen.flush = () => add(watch.takeRecords());
document.addEventListener('securitypolicyviolation', e => window.seen.stopped.push(e.violatedDirective + ' ' + e.blockedURI));
"""
# Every poll of the page comes once, now; then two frames, after which a jump would have been seen.
SETTLE = """async () => {
  const polls = [...document.querySelectorAll('[hx-get][hx-trigger*=every]')];
  await Promise.all(polls.map(e => htmx.ajax('GET', e.getAttribute('hx-get'), {source: e, target: e, swap: 'outerHTML'})));
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  seen.flush();
  return {
    shift: seen.shift, stopped: seen.stopped, wide: document.documentElement.scrollWidth - innerWidth,
    page: performance.getEntriesByType('navigation')[0].transferSize,
    loaded: performance.getEntriesByType('resource').filter(e => e.initiatorType != 'xmlhttprequest').map(e => e.name),
  };
}"""
# The same pages in another state than the one the routes lead to.
ASIDE = (
    "/?tab=trouble", "/search/?q=37", "/search/?q=zzzz", "/errors/?q=6060", "/history/?show=calls", "/?tab=all",
    "/no/such/page/",
)  # fmt: skip


BOTH = pytest.mark.parametrize(("width", "look"), [(1440, "light"), (390, "dark")], ids=["desktop", "phone"])


@BOTH
def test_every_page_of_the_desk_is_calm_light_and_whole(
    browser: Browser, live_server: Any, width: int, look: str
) -> None:
    store = lived_in()
    walk = Walk(browser, live_server.url, width, look, store)
    for name, route in ROUTES.items():
        if route.method == "GET":
            walk.look_at(route.who, _address(name, route, store))
    for path in ASIDE:
        walk.look_at(MANAGER, path)
    walk.close()


@BOTH
def test_every_page_of_the_admin_is_calm_light_and_whole(
    browser: Browser, live_server: Any, width: int, look: str
) -> None:
    store = lived_in()
    walk = Walk(browser, live_server.url, width, look, store)
    for name in ADMIN_ROUTES:
        if path := _admin_address(name, store):
            walk.look_at(ADMIN, path)
    walk.close()


def lived_in() -> Store:
    """A store in which something has gone wrong, beside what `make_store` leaves."""
    store = make_store(1)
    Package.objects.filter(pk=store.package.pk).update(status=states.REJECTED, errcode=606005)
    OrderLine.objects.update(title="茶叶 250 克", sku_attrs="绿色")
    return store


def _address(name: str, route: Route, store: Store) -> str:
    asked = urlencode(route.data(store), doseq=True)
    return reverse(name, args=route.args(store)) + (f"?{asked}" if asked else "")


def _admin_address(name: str, store: Store) -> str:
    """Nothing for what a person cannot open, such as a form to delete a row, or never looks at."""
    model = model_of(name)
    mine = rows_of(model, store, store)[0] if model else 1
    is_closed = name in ("admin:logout", "admin:autocomplete") or mine in NOBODYS or not is_open(name)
    return "" if is_closed else path_of(name, mine)


class Walk:
    """A window for each role; what it has found, as sentences that begin with the address."""

    def __init__(self, browser: Browser, url: str, width: int, look: Any, store: Store) -> None:
        self.browser, self.url, self.width, self.look, self.store = browser, url, width, look, store
        self.windows: dict[str, Page] = {}
        self.found: list[str] = []

    def look_at(self, role: str, path: str) -> None:
        if role not in self.windows:
            self.windows[role] = self._open(role)
        page = self.windows[role]
        self.complaints: list[str] = []
        try:
            answer = page.goto(self.url + path)
        except Error as error:
            assert "Download is starting" in error.message, path
            return
        # The browser tells of an answer that is a refusal, which a page for it is.
        told = f"status of {answer.status}" if answer else "status of"
        self.complaints = [words for words in self.complaints if told not in words]
        # A fragment is looked at in the page that holds it.
        if page.evaluate("document.doctype"):
            self.found += [f"{path}: {words}" for words in self._what_is_wrong(page, path)]

    def close(self) -> None:
        for page in self.windows.values():
            page.context.close()
        if self.found:
            pytest.fail("\n".join(self.found))

    def _open(self, role: str) -> Page:
        context = self.browser.new_context(
            viewport={"width": self.width, "height": 900}, locale="zh-CN", color_scheme=self.look
        )
        if role != PUBLIC:
            cookie = {"name": "sessionid", "value": self._session(role), "url": self.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        context.add_init_script(LISTEN)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _session(self, role: str) -> str:
        user = self.store.owner if role == OWNER else User.objects.create_user(role)
        if role not in (ANYONE, OWNER):
            set_membership(user=user, merchant=self.store.merchant, role=role)
        client = Client()
        client.force_login(user)
        return client.cookies["sessionid"].value

    def _what_is_wrong(self, page: Page, path: str) -> Iterator[str]:
        seen = page.evaluate(SETTLE)
        if seen["shift"] >= SHIFT:
            yield f"jumps by {seen['shift']:.3f}"
        if seen["wide"] > 0:
            yield f"sticks out by {seen['wide']} px"
        weight = seen["page"] + sum(_on_the_wire(url) for url in set(seen["loaded"]))
        if weight > KB * 1000:
            yield f"weighs {weight / 1000:.0f} kB"
        yield from (f"is stopped by the policy: {words}" for words in seen["stopped"])
        yield from (f"says {words}" for words in self.complaints if not HARMLESS.search(words))
        page.evaluate(AXE)
        # What is only good practice is Django's own affair in its admin.
        tags = WCAG if path.startswith("/admin/") else (*WCAG, "best-practice")
        found = page.evaluate(RULES, tags)["violations"]
        yield from (f"{each['id']} at {each['nodes'][0]['html'][:150]}" for each in found)


@cache
def _on_the_wire(url: str) -> int:
    """Bytes of a file as whitenoise sends it, compressed beforehand, with its header of some 400."""
    path = urlsplit(url).path
    file = finders.find(path.removeprefix("/static/")) if path.startswith("/static/") else None
    return len(gzip.compress(Path(str(file)).read_bytes())) + 400 if file else 0
