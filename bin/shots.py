"""The pictures of docs/img and their gallery docs/PAGES.md: a demo of its own, used by all three roles."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sandbox import build
from sandbox.remote import Remote
from sandbox.seed.shops import order_id

ROOT = Path(__file__).resolve().parent.parent
HOME, IMAGES, GALLERY = ROOT / "var" / "shots", ROOT / "docs" / "img", ROOT / "docs" / "PAGES.md"
WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
COLOURS = 64
PATIENCE = 120_000  # milliseconds for what the worker does, on a busy machine
PASSWORD = "fahuo-demo"  # noqa: S105 - printed on the demo's own login page
REJECTED, HALTS = "3720000000000606005", "3720000000000048001"
# Orders of the first shop by their place in sandbox/seed/scenes.py.
PHONE, SUBSIDY, ASKED, LOST = (order_id(1, place) for place in (3, 7, 28, 45))
MANY = [order_id(1, place) for place in range(46, 54)]


class Picture(NamedTuple):
    """A page as one role sees it; named as its route, or as what is special about it."""

    name: str
    who: str
    path: str
    says: str


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """A demo of its own, with little patience; yields its address and its sandbox's."""
    shutil.rmtree(HOME, ignore_errors=True)
    quick = {"SETTLE_GRACE": "2", "WECHAT_TIMEOUT": "5,5,8", "PYTHONUNBUFFERED": "1"}
    env = os.environ | {"DEMO_HOME": str(HOME), "PORT": "8700", "SANDBOX_PORT": "8800", **quick}
    command = [sys.executable, "-m", "sandbox.demo"]
    child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        told = ""
        for line in child.stdout or []:
            told += line
            if "Ctrl-C" in line:
                break
        yield re.findall(r"Fahuo: (http\S+)", told)[0], re.findall(r"received: (http\S+)", told)[0]
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=60)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for old in IMAGES.glob("*.png"):
        old.unlink()
    with demo() as (url, sandbox), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium-headless-shell", args=FLAGS)
        pictures = [*usual(People(browser, url, "desktop"), Remote(sandbox))]
        for width in WIDTHS:
            shoot(People(browser, url, width), pictures, width)
        stopped = [*standing_still(People(browser, url, "desktop"))]
        for width in WIDTHS:
            shoot(People(browser, url, width), stopped, width)
        browser.close()
    GALLERY.write_text(gallery([*pictures, *stopped]), encoding="utf-8")


class People:
    """A window for each role, all of one width."""

    def __init__(self, browser: Browser, url: str, width: str) -> None:
        self.browser, self.url, self.width = browser, url, width
        self.windows: dict[str, Page] = {}

    def window(self, who: str) -> Page:
        """The window of this role, signed in; of a visitor for ""."""
        if who not in self.windows:
            across, down = WIDTHS[self.width]
            context = self.browser.new_context(viewport={"width": across, "height": down}, locale="zh-CN")
            context.set_default_timeout(PATIENCE)
            page = self.windows[who] = context.new_page()
            if who:
                page.goto(f"{self.url}/login/")
                page.fill("#id_username", who)
                page.fill("#id_password", PASSWORD)
                page.press("#id_password", "Enter")
                page.wait_for_url(f"{self.url}/")
        return self.windows[who]

    def goto(self, who: str, path: str) -> Page:
        page = self.window(who)
        page.goto(self.url + path)
        return page


def shoot(people: People, pictures: list[Picture], width: str) -> None:
    for picture in pictures:
        page = people.goto(picture.who, picture.path)
        page.wait_for_load_state("load")
        page.wait_for_timeout(300)
        image = Image.open(io.BytesIO(page.screenshot()))
        image.convert("RGB").quantize(COLOURS).save(IMAGES / f"{picture.name}-{width}.png", optimize=True)


def gallery(pictures: list[Picture]) -> str:
    head = "# Every page\n\nMade by `make shots` from the running demo; at a desk and on a phone.\n"
    rows = (
        f"\n## {one.says}\n\n`{one.name}`{', as ' + one.who if one.who else ''}\n\n"
        f'<img src="img/{one.name}-desktop.png" width="640" alt="{one.says}"> '
        f'<img src="img/{one.name}-phone.png" width="200" alt="{one.says}, on a phone">\n'
        for one in pictures
    )
    return head + "".join(rows)


# --- what people do before the pictures are taken ---------------------------------------------------------


def usual(people: People, remote: Remote) -> Iterator[Picture]:
    """A day without a standstill."""
    yield Picture("login", "", "/login/", "The login; the demo's has a button for each role")
    yield Picture("order_list", "staff", "/", "Orders to ship, the nearest deadline first")
    yield Picture("order_ship", "staff", f"/orders/{PHONE}/ship/", "The form of one order")
    yield from shipping(people)
    yield from refusing(people)
    yield from lost(people, remote)
    yield from files_and_scans(people)
    yield from managing(people)
    yield from inviting(people)
    yield from administering(people)


def ship(people: People, order: str, waybill: str = "", **more: str) -> Page:
    """Fill in what is not filled in, and press."""
    page = people.goto("staff", f"/orders/{order}/ship/")
    for field, value in {"waybill_id": waybill, **more}.items():
        if value:
            page.fill(f"#p0-{field}", value)
    page.click(".submit-bar button >> nth=0")
    page.wait_for_selector("[id^=package-], button[name=confirm]")
    if page.locator("button[name=confirm]").count():
        page.click("button[name=confirm] >> nth=0")
    return page


def shipping(people: People) -> Iterator[Picture]:
    first, chosen = f"/orders/{MANY[0]}/", "&".join(f"order={one}" for one in MANY[1:4])
    yield Picture("order_detail", "staff", first, "An order that has left, with all that was done")
    yield Picture("trouble", "staff", "/?tab=trouble", "Orders with a package in trouble")
    yield Picture("search", "staff", "/search/?q=SF3100000000901", "The search, by a tracking number")
    yield Picture(
        "order_asked", "staff", f"/orders/{ASKED}/", "A buyer asks for another address: nothing ships before"
    )
    yield Picture("orders_ship", "staff", f"/orders/ship/?{chosen}", "Several orders shipped together")
    yield Picture("slip_list", "staff", f"/slips/?paper=a4&{chosen}", "Packing slips")
    yield Picture("order_enter", "staff", "/orders/enter/", "An order entered by hand")
    yield Picture("order_receiver", "staff", f"{first}receiver/", "The full receiver, once, with a reason")
    yield Picture("parcel_correct", "staff", f"{first}correct/", "A wrong number put right after it left")
    yield Picture("order_resend", "staff", f"{first}resend/", "One more parcel for goods that have left")
    page = ship(people, MANY[0], "SF3100000000901")
    page.wait_for_selector(".package-shipped")
    page.click("text=重新读取")
    page.wait_for_selector("#order-parcels .id >> text=SF3100000000901")


def refusing(people: People) -> Iterator[Picture]:
    """A parcel of a subsidised device, and one that WeChat refuses."""
    page = ship(people, SUBSIDY, "SF3100000000902", sn_code="C02XK1JQJGH5", imei1="490154203237518")
    page.wait_for_selector(".package-shipped, .package-rejected")
    page = ship(people, REJECTED)
    page.wait_for_selector(".package-rejected")
    report = page.locator("a[href^='/attempts/']").first.get_attribute("href") or ""
    pk = (page.locator(".package-rejected").first.get_attribute("id") or "").removeprefix("package-")
    yield Picture(
        "package_rejected", "staff", f"/orders/{REJECTED}/", "A refused package: what happened, who acts"
    )
    yield Picture("package_call", "staff", f"/packages/{pk}/call/", "Whom to ask about it, and what to say")
    yield Picture("attempt_report", "staff", report, "One call, as WeChat's support may see it")


def lost(people: People, remote: Remote) -> Iterator[Picture]:
    """A call without an answer, and meanwhile somebody ships the order in the back office: a conflict."""
    remote.fault("timeout_not_accepted", order_id=LOST)
    page = ship(people, LOST, "SF3100000000903")
    goods = build.goods(remote.truth(LOST))
    remote.ship_by_hand(LOST, [build.package(goods, "SF3100000000904")])
    page.wait_for_selector(".package-conflict")
    yield Picture(
        "conflict_list", "manager", "/conflicts/", "A package on which WeChat and the desk disagree"
    )


def files_and_scans(people: People) -> Iterator[Picture]:
    page = people.goto("staff", "/batches/")
    couriers = ("顺丰速运", "中通快递", "蜗牛速递", "顺丰速运")
    numbers = ("SF3100000000911", "73100000000912", "SF3100000000913", "7835#1122")
    rows = zip(MANY[4:8], couriers, numbers, strict=True)
    page.fill("#pasted", "\n".join(["订单号\t快递公司\t快递单号", *("\t".join(row) for row in rows)]))
    page.get_by_role("button", name="上传并预检").click()
    page.wait_for_selector(".cause")
    batch = page.url.removeprefix(people.url)
    page = people.goto("staff", "/scan/")
    page.fill("#scan-code", MANY[3])
    page.press("#scan-code", "Enter")
    page.wait_for_selector(".station-order")
    yield Picture("batch_list", "staff", "/batches/", "Ship from a file, or from rows copied out of Excel")
    yield Picture(
        "batch_detail", "staff", batch, "A file rehearsed: what would leave, and why the rest cannot"
    )
    yield Picture("scan", "staff", "/scan/", "The scan station: slip, label, next")
    yield Picture("scan_codes", "staff", "/scan/codes/", "Its commands, to print")
    yield Picture("scan_badges", "staff", "/scan/badges/", "Everybody's badge, to print")
    yield Picture("serial_list", "staff", "/serials/", "Which device went where")


def managing(people: People) -> Iterator[Picture]:
    page = people.goto("manager", "/history/")
    page.click("button[name=kind] >> nth=0")
    page.wait_for_selector("a[href$='/file/']")
    yield Picture("board", "manager", "/board/", "The board: what is due, what is wrong, how it went")
    yield Picture("digest", "manager", "/board/digest/", "The digest of every morning")
    yield Picture("history", "manager", "/history/", "The history: what became of every package")
    yield Picture(
        "history_calls", "manager", "/history/?show=calls", "The history: every call and its answer"
    )
    yield Picture("export_list", "manager", "/exports/", "Files of the history, for who asked")
    yield Picture("error_list", "manager", "/errors/", "Every code, and what to do")
    yield Picture("error_detail", "manager", "/errors/606005/", "One code, and how it ended here before")
    yield Picture("person", "manager", "/me/", "One's own settings")
    yield Picture("password_change", "manager", "/me/password/", "Another password")
    yield Picture("second_factor", "manager", "/me/second-factor/", "A second factor by phone")


def inviting(people: People) -> Iterator[Picture]:
    page = people.goto("manager", "/members/")
    page.fill("#id_name", "小李")
    page.click("text=生成邀请链接")
    join = page.input_value("#one-time-link").removeprefix(people.url)
    page = people.goto("manager", "/members/")
    page.click("tr:has-text('小王') summary")
    page.click("text=生成重设密码的链接")
    reset = page.input_value("#one-time-link").removeprefix(people.url)
    yield Picture("member_list", "manager", "/members/", "Who works here")
    yield Picture("invitation_accept", "", join, "A newcomer opens the invitation")
    yield Picture("password_reset", "", reset, "A new password by a link")


def administering(people: People) -> Iterator[Picture]:
    page = people.goto("admin", "/todo/")
    page.click("[id^=line-] >> text=测试线路 >> nth=0")
    page.wait_for_selector("[id^=errand-] >> text=线路通")
    errand = page.url.removeprefix(people.url)
    page = people.goto("admin", "/admin/merchants/credential/")
    credential = page.locator("#result_list tbody th a").first.get_attribute("href") or ""
    yield Picture("errand", "admin", errand, "A store's line, tested")
    yield Picture("admin_index", "admin", "/admin/", "The admin's pages")
    yield Picture("admin_credential", "admin", credential, "How a store is called, and with which secret")


def standing_still(people: People) -> Iterator[Picture]:
    """A store whose rights were taken away; its bar stands on every page after that."""
    ship(people, HALTS)
    page = people.goto("admin", "/todo/")
    for _ in range(30):
        if page.locator("[id^=pause-]").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    yield Picture("todo_list", "admin", "/todo/", "What an admin mends so that a store ships again")
    yield Picture("standstill", "staff", "/", "What staff see of it meanwhile")


if __name__ == "__main__":
    main()
