"""Members, the second factor and the task list in a real browser: at a desk and on a phone, under the policy."""

import time
from base64 import b32decode
from typing import Any

import pytest
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from merchants.models import User
from merchants.services import pause_merchant, set_membership
from tests.browser.test_ship import page

__all__ = ["page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "parcels-all-day"


def log_in(page: Page, live_server: Any, name: str) -> None:
    page.goto(live_server.url + "/login/")
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")


def boss(world: Any, role: str) -> None:
    user = User.objects.create_user("boss", password=PASSWORD)
    set_membership(user=user, merchant=world.merchant, role=role)


def fits(page: Page) -> None:
    """Nothing sticks out to the side."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], page.url


def code_for(key: str, ahead: int = 0) -> str:
    totp = TOTP(b32decode(key.replace(" ", "")))
    totp.time = time.time() + ahead * 30
    return f"{totp.token():06d}"


def test_an_invited_person_joins_sets_a_phone_up_and_logs_in_with_it(
    page: Page, world: Any, live_server: Any
) -> None:
    boss(world, "manager")
    log_in(page, live_server, "boss")
    page.goto(live_server.url + "/members/")
    page.fill("#id_name", "小李")
    page.click("text=生成邀请链接")
    fits(page)
    link = page.input_value("#one-time-link")
    page.click("text=退出")
    page.goto(link)
    for field, value in (("username", "xiaoli"), ("password1", PASSWORD), ("password2", PASSWORD)):
        page.fill(f"#id_{field}", value)
    page.click("main button")
    expect(page.locator("main")).to_contain_text("您已加入 测试店")
    page.goto(live_server.url + "/me/second-factor/")
    fits(page)
    page.click("summary")
    key = page.inner_text("code.id")
    page.fill("#id_code", code_for(key))
    page.click("main form.panel button")
    expect(page.locator("main")).to_contain_text("两步验证已开启")
    page.click("text=退出")
    TOTPDevice.objects.update(last_t=-1)
    log_in(page, live_server, "xiaoli")
    page.fill("#id_code", code_for(key))
    page.press("#id_code", "Enter")
    expect(page.locator("nav .me")).to_contain_text("小李")
    page.goto(live_server.url + "/me/password/")
    fits(page)


def test_an_admin_mends_what_stands_still_and_walks_through_the_admin(
    page: Page, world: Any, live_server: Any
) -> None:
    boss(world, "admin")
    words = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist"
    pause_merchant(merchant=world.merchant, errcode=40164, errmsg=words)
    log_in(page, live_server, "boss")
    page.click("text=去处理")
    expect(page.locator("main input.id")).to_have_value("203.0.113.7")
    fits(page)
    page.click("text=处理好了，恢复发货")
    expect(page.locator("main")).to_contain_text("没有停下来的店铺")
    for path in (
        "",
        "merchants/merchant/",
        "merchants/membership/add/",
        "merchants/audit/",
        "merchants/user/",
    ):
        page.goto(f"{live_server.url}/admin/{path}")


def test_the_login_over_the_page_asks_for_the_code_and_goes_on(
    page: Page, world: Any, live_server: Any
) -> None:
    boss(world, "admin")
    key = "3132333435363738393031323334353637383930"
    TOTPDevice.objects.create(user=User.objects.get(), key=key, confirmed=True)
    log_in(page, live_server, "boss")
    plain = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    page.fill("#id_code", code_for(plain))
    page.press("#id_code", "Enter")
    page.wait_for_selector("nav .me")
    page.context.clear_cookies()
    page.evaluate("document.querySelector('#signed-out').removeAttribute('hidden')")
    page.click("[data-login]")
    TOTPDevice.objects.update(last_t=-1)
    page.fill("#again_username", "boss")
    page.fill("#again_password", PASSWORD)
    page.click("#login-slot button")
    page.fill("#login-slot input[name=code]", code_for(plain))
    page.click("#login-slot button")
    expect(page.locator("#login-dialog")).not_to_be_visible()
    page.goto(live_server.url + "/members/")
    expect(page.locator("h1")).to_have_text("成员")
