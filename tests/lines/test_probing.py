"""A line tried by an admin's button: one harmless call on the store's own way, its answer in words."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchants.models import Audit, Credential, Errand, Pause, Platform
from merchants.services import pause_merchant
from sandbox.tokens import fingerprint
from tests.lines.conftest import Provider
from tests.lines.test_leaks import unreachable
from tests.pages.test_admin import admin
from tests.pages.test_desk import page, run_tasks
from wechat.errcodes import CODES, LOCAL, meaning

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin"]  # the fixture
IP = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 1-2-3"


def press(client: Client, what: str = "test") -> str:
    """What the page says once the worker has been there; the whole page, as without JavaScript."""
    pk = Credential.objects.values_list("merchant", flat=True).get()
    answer = client.post(f"/stores/{pk}/{what}/")
    assert "正在请求微信" in page(client.get(answer.url))
    run_tasks()
    return re.sub(r"\s+", " ", page(client.get(answer.url)))


def calls(world: Any) -> list[tuple[str, Any]]:
    return [(row["path"].split("/ec/")[-1], row["errcode"]) for row in world.remote.ledger()]


def test_a_line_that_works_says_so_after_one_call_and_a_fetch_where_one_is_due(
    world: Any, admin: Client
) -> None:
    world.remote.ask("DELETE", "/_sandbox/ledger")
    shown = press(admin)
    assert "线路通" in shown
    assert "17 家快递公司" in shown
    Credential.objects.update(token_expires_at=None)
    press(admin)
    couriers = ("order/deliverycompanylist/new/get", 0)
    assert calls(world) == [couriers, ("/cgi-bin/stable_token", 0), couriers]
    assert "上次测试" in page(admin.get("/todo/"))


def test_each_refusal_is_explained_with_its_owner_and_pauses_nothing(world: Any, admin: Client) -> None:
    for code in (48001, 61007, 61004, 85105, 45009, 10080001, -1):
        world.remote.fault("code", call="deliverycompanylist/new/get", errcode=code)
        shown = press(admin)
        for words in (
            CODES[code].title_zh,
            CODES[code].text("tested_do", "zh"),
            "由谁处理",
            "读快递公司名单",
        ):
            assert words in shown, words
        assert "暂停，包裹都还在排队" not in shown
    assert not Pause.objects.filter(ended_at=None).exists()


def test_the_ip_to_allow_is_named_wherever_wechat_names_it(world: Any, admin: Client) -> None:
    Credential.objects.update(token_expires_at=None)
    world.remote.fault("code", call="stable_token", errcode=40164, errmsg=IP)
    shown = press(admin)
    assert '<strong class="id">203.0.113.7</strong>' in shown
    assert "取店铺的 access_token" in shown


def test_a_wrong_credential_is_named_as_the_fetch_named_it(world: Any, admin: Client) -> None:
    for code in (40013, 40125):
        Credential.objects.update(token_expires_at=None, lease_until=timezone.now())
        world.remote.fault("code", call="stable_token", errcode=code)
        shown = press(admin)
        assert CODES[code].title_zh in shown
        assert "没拿到登录凭证" not in shown


def test_a_refused_token_is_renewed_once(world: Any, admin: Client) -> None:
    world.remote.expire_tokens(world.merchant.appid, dead=True)
    assert "线路通" in press(admin)


def test_a_line_without_a_server_behind_it_says_what_to_look_at(
    world: Any, admin: Client, settings: Any
) -> None:
    settings.WECHAT_API_URL = unreachable()
    shown = press(admin)
    assert LOCAL["refused_connection"].tested_do_zh in shown
    assert "包裹" not in shown.split("trouble")[1].split("</dl>")[0]
    settings.WECHAT_API_URL = world.url
    world.remote.fault("timeout_not_accepted", call="deliverycompanylist/new/get")
    settings.WECHAT_TIMEOUT = (0.3, 0.3, 0.5)
    assert LOCAL["read_timeout"].title_zh in press(admin)


@pytest.mark.parametrize("slug", ["tls_error", "unresolved_host", "connect_timeout", "http_error"])
def test_network_faults_speak_of_the_test_and_not_of_a_parcel(slug: str) -> None:
    for lang in ("zh", "en"):
        code = meaning(None, slug)
        assert code.text("tested_do", lang) != code.text("do", lang)
        assert "parcel" not in code.text("tested_means", lang)


def test_what_no_call_can_mend_is_said_without_one(world: Any, admin: Client) -> None:
    world.remote.ask("DELETE", "/_sandbox/ledger")
    past = timezone.now() - timedelta(minutes=1)
    Credential.objects.update(mode="pasted", token_expires_at=past)
    assert LOCAL["pasted_token_over"].title_zh in press(admin)
    Credential.objects.update(mode="cloud")
    assert LOCAL["cloud_not_set_up"].title_zh in press(admin)
    assert calls(world) == []


def test_a_cloud_store_is_tried_by_the_old_call_without_a_token(
    world: Any, admin: Client, settings: Any
) -> None:
    settings.WECHAT_CLOUD_API_URL = world.remote.cloud(world.merchant.appid)
    Credential.objects.update(mode="cloud", app_secret="", access_token="", token_expires_at=None)
    world.remote.ask("DELETE", "/_sandbox/ledger")
    assert "线路通" in press(admin)
    for code in (85107, 85112, 85113):
        world.remote.fault("code", call="deliverycompanylist/get", errcode=code)
        assert CODES[code].tested_do_zh in press(admin)
    assert calls(world) == [("order/deliverycompanylist/get", end) for end in (0, 85107, 85112, 85113)]
    assert LOCAL["not_in_cloud"].title_zh in press(admin, "quota")


def test_a_third_partys_line_names_the_step_and_the_missing_set(authorized: Provider, admin: Client) -> None:
    assert "线路通" in press(admin)
    Platform.objects.update(token_expires_at=None)
    Credential.objects.update(token_expires_at=None)
    authorized.world.remote.fault("code", call="api_component_token", errcode=40125)
    shown = press(admin)
    assert CODES[40125].title_zh in shown
    assert "component_access_token" in shown
    Platform.objects.update(failed_at=None, ticket_at=None)
    assert LOCAL["no_verify_ticket"].title_zh in press(admin)
    Credential.objects.update(permission_sets=[192])
    authorized.ticket()
    assert LOCAL["permission_set_missing"].title_zh in press(admin)


def test_used_and_left_are_drawn_for_each_call_that_counts(world: Any, admin: Client) -> None:
    world.remote.switch(calls_a_day=4000)
    world.order()
    shown = press(admin, "quota")
    assert 'aria-label="4000 次里用了 1 次"' in shown
    assert "<td>3999</td>" in shown
    assert "每 30 秒最多 800 次" in shown
    for call in ("order/delivery/send", "order/get", "order/list/get", "order/deliverycompanylist/new/get"):
        assert call in shown
    world.remote.fault("code", call="openapi/quota/get", errcode=76022)
    shown = press(admin, "quota")
    assert "微信没有给出（76022）" in shown
    world.remote.fault("code", call="openapi/quota/get", errcode=48001, times=4)
    assert CODES[48001].title_zh in press(admin, "quota")
    assert not Pause.objects.filter(ended_at=None).exists()


def test_a_days_calls_run_out_and_the_quota_tells(world: Any, admin: Client) -> None:
    world.remote.ask("DELETE", "/_sandbox/ledger")
    world.remote.switch(calls_a_day=1)
    assert "线路通" in press(admin)
    assert CODES[45009].tested_do_zh in press(admin)
    assert "<td>0</td>" in press(admin, "quota")


def test_an_admin_sets_the_days_count_back_and_what_waited_goes_on(world: Any, admin: Client) -> None:
    world.remote.ask("DELETE", "/_sandbox/ledger")
    world.remote.switch(calls_a_day=1)
    world.order()
    pause_merchant(merchant=world.merchant, call="order/get", errcode=45009)
    shown = press(admin, "quota/clear")
    assert "清空了" in shown
    assert 'aria-label="1 次里用了 0 次"' in shown
    assert not Pause.objects.filter(ended_at=None).exists()
    assert Audit.objects.filter(fields=["clear_quota"]).count() == 1
    for _ in range(9):
        press(admin, "quota/clear")
    assert "48006" in press(admin, "quota/clear")


def test_the_button_of_the_credential_and_a_second_press_ask_once(world: Any, admin: Client) -> None:
    url = f"/admin/merchants/credential/{Credential.objects.get().pk}/change/"
    assert 'name="_test"' in page(admin.get(url))
    first = admin.post(url, {"mode": "own", "_test": "1"})
    second = admin.post(f"/stores/{world.merchant.pk}/test/")
    assert first.url == second.url
    assert admin.post(url, {"mode": "own", "_quota": "1"}).url != first.url
    assert Errand.objects.count() == 2


def test_a_mended_line_leads_to_the_pause_it_left(world: Any, admin: Client) -> None:
    pause_merchant(merchant=world.merchant, errcode=40164)
    assert "去待办里恢复" in press(admin)
    assert fingerprint(Credential.objects.get().access_token) not in page(admin.get("/todo/"))
