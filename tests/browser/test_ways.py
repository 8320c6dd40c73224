"""One order shipped end to end in each of the three ways, by clicking: set up in Django admin, tested, shipped."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from merchants.models import Credential, Merchant, User
from merchants.services import add_merchant, set_membership
from sandbox import build
from shipping.syncing import read_order, sync_couriers, sync_return_address
from tests.lines.conftest import PLATFORM, Provider, provider
from tests.pages.test_desk import run_tasks

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["provider"]  # the fixture
PASSWORD = "parcels-all-day"
WIDE = pytest.mark.parametrize("page", [1440], indirect=True)


def log_in(page: Page, live_server: Any, store: Merchant) -> None:
    boss = User.objects.create_user("boss", password=PASSWORD)
    set_membership(user=boss, merchant=store, role="admin")
    page.goto(live_server.url + "/login/")
    page.fill("#id_username", "boss")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")


def choose(page: Page, live_server: Any, store: Merchant, mode: str, button: str, secret: str = "") -> None:
    """The way of calling, chosen in Django admin, and the button beside it."""
    page.goto(f"{live_server.url}/admin/merchants/credential/{store.credential.pk}/change/")
    page.select_option("#id_mode", mode)
    page.fill("#id_new_secret", secret)
    page.click(f"text={button}")


def line_works(page: Page) -> None:
    """The page follows its row: nothing is clicked between the question and the answer."""
    expect(page.locator("[id^=errand-]")).to_contain_text("正在请求微信")
    run_tasks()
    expect(page.locator("[id^=errand-]")).to_contain_text("线路通", timeout=10000)


def ship(page: Page, live_server: Any, remote: Any, store: Merchant, pump: Any) -> str:
    """Open the order, type the number, press; returns the fingerprint of the token that went with it."""
    sync_couriers(store)
    sync_return_address(store)
    placed = remote.order(store.appid, [build.line("1001", "2001", 1, thumb_img="")])
    read_order(store, placed["order_id"])
    page.goto(live_server.url + "/")
    page.click(f'a[href^="/orders/{placed["order_id"]}/ship/"]')
    page.fill("#p0-waybill_id", "SF3100000000001")
    page.click(".submit-bar button >> nth=0")
    expect(page.locator('[id^="package-"]')).to_have_count(1)
    pump()
    expect(page.locator('[id^="package-"]', has_text="已发货")).to_have_count(1, timeout=10000)
    assert remote.truth(placed["order_id"])["status"] == 30
    sent = [
        row for row in remote.ledger(order_id=placed["order_id"]) if row["path"].endswith("delivery/send")
    ]
    assert [row["errcode"] for row in sent] == [0]
    return str(sent[0]["token_print"])


@WIDE
def test_an_own_store_ships_with_its_secret(page: Page, world: Any, live_server: Any, pump: Any) -> None:
    store, secret = add_merchant(appid="wxown", name="自有店"), "o" * 32
    world.remote.merchant("wxown", secret)
    log_in(page, live_server, store)
    choose(page, live_server, store, "own", "测试线路", secret)
    line_works(page)
    assert ship(page, live_server, world.remote, store, pump)
    assert world.remote.ledger(path="cgi-bin/stable_token", appid="wxown")


@WIDE
def test_a_third_partys_store_ships_once_its_owner_has_agreed(
    page: Page, provider: Provider, live_server: Any, pump: Any
) -> None:
    provider.ticket()
    store = provider.world.merchant
    log_in(page, live_server, store)
    choose(page, live_server, store, "component", "生成授权链接")
    expect(page.locator("h1")).to_have_text("生成授权链接")
    run_tasks()
    with page.context.expect_page() as opened:
        page.click("text=打开微信的授权页")
    back = opened.value
    expect(back.locator("h1")).to_have_text("读取店铺的授权")
    run_tasks()
    expect(back.locator("[id^=errand-]")).to_contain_text("权限集 131", timeout=10000)
    back.close()
    page.goto(live_server.url + "/todo/")
    page.click(f"#line-{store.pk} >> text=测试线路")
    line_works(page)
    assert ship(page, live_server, provider.world.remote, store, pump)
    assert provider.world.remote.ledger(path="component/api_query_auth", appid=PLATFORM)
    assert Credential.objects.get(merchant=store).permission_sets == [131]


@WIDE
def test_a_cloud_store_ships_without_any_token(
    page: Page, world: Any, live_server: Any, pump: Any, settings: Any
) -> None:
    settings.WECHAT_CLOUD_API_URL = world.remote.cloud("wxcloud")
    world.remote.merchant("wxcloud", "c" * 32)
    store = add_merchant(appid="wxcloud", name="云上店")
    log_in(page, live_server, store)
    choose(page, live_server, store, "cloud", "测试线路")
    line_works(page)
    assert ship(page, live_server, world.remote, store, pump) == ""
    assert not [row for row in world.remote.ledger(appid="wxcloud") if "cgi-bin" in row["path"]]
