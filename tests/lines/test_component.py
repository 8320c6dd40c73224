"""The third party's way: ticket, its own token, a store's authorisation, its tokens, and losing them."""

import http.client
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from merchants import errands, lines
from merchants.credentials import take_code
from merchants.models import Credential, Errand, Merchant, Pause, Platform, PushedEvent, User
from merchants.services import add_merchant
from tests.conftest import SECRET as OWN_SECRET
from tests.flows.test_dispatch import ship, status_of
from tests.lines.conftest import KEY, PLATFORM, SECRET, TOKEN, Provider
from tests.pages.test_admin import admin
from tests.pages.test_desk import member, page, run_tasks
from wechat.errcodes import LOCAL

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin"]  # the fixture


def url() -> str:
    return f"/admin/merchants/credential/{Credential.objects.get().pk}/change/"


def pauses() -> list[str]:
    return [pause.slug or str(pause.errcode) for pause in Pause.objects.filter(ended_at=None)]


def test_an_order_ships_end_to_end_with_the_authorizer_token(authorized: Provider, pump: Any) -> None:
    order = authorized.world.order()
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    [sent] = authorized.world.sends(order)
    assert (sent["errcode"], sent["token_valid"]) == (0, True)
    assert authorized.world.remote.ledger(path="stable_token") == []


def test_a_store_that_only_has_a_refresh_token_gets_its_token_in_the_pump(
    authorized: Provider, pump: Any
) -> None:
    """Two fetches in a row: the platform's token, then the store's."""
    order = authorized.world.order()
    Credential.objects.update(token_expires_at=None)
    Platform.objects.update(token_expires_at=None)
    authorized.world.remote.ask("DELETE", "/_sandbox/ledger")
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert len(authorized.calls("api_component_token")) == 1
    assert len(authorized.calls("api_authorizer_token")) == 1


def test_the_link_leads_out_and_the_return_page_back(provider: Provider, admin: Client) -> None:
    provider.ticket()
    answer = admin.post(url(), {"mode": "component", "_link": "1"})
    run_tasks()
    shown = page(admin.get(answer.url))
    [link] = re.findall(r'href="([^"]+componentloginpage[^"]+)"', shown)
    assert 'referrerpolicy="origin"' in shown, "WeChat checks where the visitor comes from"
    address = urlsplit(link.replace("&amp;", "&"))
    connection = http.client.HTTPConnection(address.netloc)
    connection.request("GET", f"{address.path}?{address.query}")
    back = urlsplit(str(connection.getresponse().getheader("Location")))
    connection.close()
    assert Client().get(f"{back.path}?{back.query}").status_code == 302, "a stranger is sent to the login"
    landed = admin.get(f"{back.path}?{back.query}")
    assert "auth_code" not in landed.url
    run_tasks()
    assert "已授权，权限集 131" in page(admin.get(landed.url))
    assert provider.row.permission_sets == [131]
    assert "已授权" in page(admin.get(url()))
    assert lines.ensure(provider.world.merchant) is not None


def test_the_return_page_takes_only_the_link_of_the_one_who_asked(provider: Provider, admin: Client) -> None:
    provider.ticket()
    answer = admin.post(url(), {"mode": "component", "_link": "1"})
    run_tasks()
    [state] = re.findall(r"authorized%2F(.+?)%2F", page(admin.get(answer.url)))
    target = f"/wechat/authorized/{state.replace('%3A', ':')}/?auth_code=x"
    assert member(provider.world, "manager").get(target).status_code == 404
    root = Client()
    root.force_login(User.objects.get(username="root"))
    assert root.get(target).status_code == 404
    assert admin.get(target.replace("?auth_code=x", "")).status_code == 404
    assert admin.get("/wechat/authorized/bent/?auth_code=x").status_code == 404
    assert Errand.objects.filter(kind="query_auth").count() == 0
    assert admin.get(target).status_code == 302


def test_a_code_that_comes_twice_is_used_once(provider: Provider) -> None:
    provider.ticket()
    code = provider.world.remote.authorize(PLATFORM, provider.world.merchant.appid)
    first, second = (take_code(merchant=provider.world.merchant, code=code, by=None) for _ in range(2))
    assert first.pk == second.pk
    run_tasks()
    assert Errand.objects.get(pk=first.pk).status == "done"
    assert len(provider.calls("api_query_auth")) == 1


def test_a_code_of_another_store_saves_nothing(provider: Provider) -> None:
    provider.ticket()
    code = provider.world.remote.authorize(PLATFORM, "wxanotherstore")
    errand = take_code(merchant=provider.world.merchant, code=code, by=None)
    run_tasks()
    assert Errand.objects.get(pk=errand.pk).slug == "other_store_authorized"
    assert provider.row.refresh_token == ""


def test_a_missing_permission_set_is_named_and_stops_the_store(
    provider: Provider, admin: Client, pump: Any
) -> None:
    provider.ticket()
    provider.authorize(funcs=[130, 17])
    assert pauses() == ["permission_set_missing"]
    assert "缺少 131（订单与发货）。已有：17、130" in page(admin.get(url()))
    assert "131" in page(member(provider.world).get("/"))
    provider.push("updateauthorized", appid=provider.world.merchant.appid, funcs=[131])
    provider.work()
    assert pauses() == [], "a complete authorisation ends the pause"
    shipment = ship(provider.world.order())
    pump()
    assert status_of(shipment) == ["shipped"]


def test_both_tokens_of_a_refresh_are_saved_together(authorized: Provider) -> None:
    before = authorized.row
    Credential.objects.update(token_expires_at=None)
    assert lines.ensure(authorized.world.merchant) is not None
    after = authorized.row
    assert after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token
    assert after.token_version == before.token_version + 1


@pytest.mark.parametrize("seconds", [0.0, 400.0])
def test_a_crash_between_answer_and_commit_loses_no_store(authorized: Provider, seconds: float) -> None:
    """The answer's refresh token is gone: the old one works for five minutes, then the list has the new."""
    Credential.objects.update(token_expires_at=None)
    wanted = lines.ask(authorized.world.merchant)
    assert wanted is not None
    assert wanted.fetch().ok
    Credential.objects.update(lease_until=timezone.now())
    authorized.world.remote.switch(clock_offset=seconds)
    line = lines.ensure(authorized.world.merchant)
    assert line is not None
    assert bool(authorized.calls("api_get_authorizer_list")) is (seconds > 0)
    assert (authorized.row.recovered_at is not None) is (seconds > 0)
    assert pauses() == []


def test_a_lost_refresh_token_is_found_on_a_later_page(authorized: Provider, monkeypatch: Any) -> None:
    monkeypatch.setattr("merchants.component.PAGE", 2)
    for number in range(5):
        authorized.world.remote.authorize(PLATFORM, f"wx-older-{number}")
    Credential.objects.update(refresh_token="", token_expires_at=None)
    authorized.world.remote.authorize(PLATFORM, authorized.world.merchant.appid)
    assert lines.ensure(authorized.world.merchant) is not None
    assert len(authorized.calls("api_get_authorizer_list")) == 3


def test_a_recovered_store_has_its_rights_read_again_and_a_missing_set_named(
    authorized: Provider, admin: Client
) -> None:
    appid = authorized.world.merchant.appid
    authorized.world.remote.authorize(PLATFORM, appid, funcs=[192])
    Credential.objects.update(refresh_token="", token_expires_at=None)
    lines.ensure(authorized.world.merchant)
    assert authorized.row.permission_sets == [192]
    assert Pause.objects.get(ended_at=None).slug == "permission_set_missing"
    shown = page(admin.get(f"/admin/merchants/credential/{authorized.row.pk}/change/"))
    assert "缺少 131（订单与发货）" in shown
    authorized.world.remote.authorize(PLATFORM, appid)
    Credential.objects.update(refresh_token="", token_expires_at=None, recovered_at=None)
    assert lines.ensure(authorized.world.merchant) is not None
    assert authorized.row.permission_sets == [131]
    assert not Pause.objects.filter(ended_at=None).exists()


def test_a_recovery_whose_rights_cannot_be_read_keeps_what_was_known(authorized: Provider) -> None:
    Credential.objects.update(refresh_token="", token_expires_at=None)
    authorized.world.remote.fault("code", call="api_get_authorizer_info", errcode=-1)
    assert lines.ensure(authorized.world.merchant) is not None
    assert authorized.row.permission_sets == [131]
    assert not Pause.objects.filter(ended_at=None).exists()


def test_a_store_on_no_list_is_told_and_not_asked_for_in_a_loop(provider: Provider) -> None:
    provider.ticket()
    for _ in range(3):
        assert lines.ensure(provider.world.merchant) is None
    assert len(provider.calls("api_get_authorizer_list")) == 1
    assert lines.obstacle(provider.world.merchant) == {"slug": "not_authorized"}
    provider.authorize()
    assert lines.obstacle(provider.world.merchant) == {}
    assert lines.ensure(provider.world.merchant) is not None


def test_shipping_for_a_store_on_no_list_pauses_it(provider: Provider, pump: Any) -> None:
    provider.ticket()
    Credential.objects.update(mode="own", app_secret=OWN_SECRET)
    order = provider.world.order()
    Credential.objects.update(mode="component", app_secret="", access_token="", token_expires_at=None)
    shipment = ship(order)
    pump(2)
    assert status_of(shipment) == ["queued"]
    assert pauses() == ["not_authorized"]


def test_the_platforms_secret_stays_with_its_host(provider: Provider) -> None:
    provider.ticket()
    Platform.objects.update(api_host="api.weixin.qq.com")
    errand = Errand.objects.create(kind="start_push")
    errands.run(errand.pk)
    assert lines.ensure(provider.world.merchant) is None
    assert provider.world.remote.ledger() == []


def test_a_cancelled_authorisation_stops_the_store_and_a_new_one_starts_it(
    authorized: Provider, pump: Any
) -> None:
    order = authorized.world.order()
    authorized.push("unauthorized", appid=authorized.world.merchant.appid)
    authorized.work()
    assert pauses() == ["authorization_cancelled"]
    assert (authorized.row.access_token, authorized.row.refresh_token) == ("", "")
    authorized.world.remote.ask("DELETE", "/_sandbox/ledger")
    shipment = ship(order)
    pump(1)
    assert status_of(shipment) == ["queued"]
    assert lines.ensure(authorized.world.merchant) is None
    assert authorized.world.remote.ledger() == [], "nothing is asked for a store that said no"
    assert LOCAL["authorization_cancelled"].means_zh in page(member(authorized.world).get("/"))
    authorized.authorize()
    assert pauses() == []
    pump()
    assert status_of(shipment) == ["shipped"]


def test_a_cancellation_older_than_the_authorisation_changes_nothing(authorized: Provider) -> None:
    """Pushes are repeated for hours and may overtake each other."""
    earlier = int((timezone.now() - timedelta(minutes=5)).timestamp())
    merchant = authorized.world.merchant
    authorized.push("unauthorized", appid=merchant.appid, create_time=earlier)
    authorized.work()
    assert pauses() == []
    assert authorized.row.refresh_token


def test_an_event_about_a_store_called_otherwise_is_ignored(authorized: Provider) -> None:
    Credential.objects.update(mode="own")
    authorized.push("unauthorized", appid=authorized.world.merchant.appid)
    authorized.work()
    assert pauses() == []
    assert authorized.row.refresh_token


def test_a_refused_platform_token_is_renewed_once(authorized: Provider) -> None:
    authorized.world.remote.expire_tokens(PLATFORM, dead=True)
    Credential.objects.update(token_expires_at=None)
    authorized.world.remote.ask("DELETE", "/_sandbox/ledger")
    assert lines.ensure(authorized.world.merchant) is not None
    assert len(authorized.calls("api_component_token")) == 1
    assert len(authorized.calls("api_authorizer_token")) == 2


def test_a_platform_token_that_stays_refused_ends_in_a_pause(authorized: Provider, pump: Any) -> None:
    order = authorized.world.order()
    Credential.objects.update(token_expires_at=None)
    authorized.world.remote.fault("code", call="api_authorizer_token", errcode=40001, times=0)
    authorized.world.remote.ask("DELETE", "/_sandbox/ledger")
    ship(order)
    pump(2)
    assert pauses() == ["40001"]
    assert len(authorized.calls("api_authorizer_token")) == 2


def test_no_ticket_is_waited_for_and_an_old_one_is_none(provider: Provider, admin: Client) -> None:
    assert lines.ensure(provider.world.merchant) is None
    assert provider.world.remote.ledger() == []
    answer = admin.post(url(), {"mode": "component", "_link": "1"})
    run_tasks()
    assert "还没收到微信的推送" in page(admin.get(answer.url))
    provider.ticket()
    Platform.objects.update(ticket_at=timezone.now() - timedelta(hours=13))
    assert lines.ensure(provider.world.merchant) is None
    assert provider.calls("api_component_token") == []


def test_the_newest_ticket_wins_whatever_comes_last(provider: Provider) -> None:
    provider.ticket()
    newest = provider.platform.verify_ticket
    provider.push("component_verify_ticket", create_time=int(timezone.now().timestamp()) - 600)
    provider.work()
    assert provider.platform.verify_ticket == newest


def test_many_stores_share_one_platform_token(authorized: Provider) -> None:
    for number in range(3):
        store = add_merchant(appid=f"wx-more-{number}", name=f"店{number}")
        Credential.objects.filter(merchant=store).update(mode="component")
        authorized.world.remote.merchant(store.appid)
        authorized.push("authorized", appid=store.appid)
    authorized.work()
    Credential.objects.update(token_expires_at=None)
    Platform.objects.update(token_expires_at=None)
    authorized.world.remote.ask("DELETE", "/_sandbox/ledger")
    lines.renew(Merchant.objects.all())
    lines.renew(Merchant.objects.all())
    assert len(authorized.calls("api_component_token")) == 1
    assert len(authorized.calls("api_authorizer_token")) == 4
    assert not Credential.objects.filter(token_expires_at=None).exists()


def test_only_superusers_see_the_platform_and_its_secrets_never_come_out(
    provider: Provider, admin: Client
) -> None:
    assert admin.get("/admin/merchants/platform/").status_code == 403
    assert admin.get("/admin/merchants/pushedevent/").status_code == 403
    root = Client()
    root.force_login(User.objects.get(username="root"))
    provider.ticket()
    shown = page(root.get("/admin/merchants/platform/1/change/"))
    assert provider.door in shown
    for secret in (SECRET, TOKEN, KEY):
        assert secret not in shown
        assert f"…{secret[-4:]} · " in shown
    shown = page(root.get("/admin/merchants/pushedevent/"))
    assert provider.platform.verify_ticket not in shown
    event = PushedEvent.objects.latest("id")
    assert root.get(f"/admin/merchants/pushedevent/{event.pk}/change/").status_code == 200
    assert root.get("/admin/merchants/platform/add/").status_code == 403, "one platform"


def test_the_platform_is_set_up_in_admin_and_a_wrong_key_is_told(provider: Provider) -> None:
    root = Client()
    root.force_login(User.objects.get(username="root"))
    target = "/admin/merchants/platform/1/change/"
    assert "43 位" in page(root.post(target, {"appid": PLATFORM, "new_aes_key": "short"}))
    assert root.post(target, {"appid": PLATFORM, "new_push_token": "another-token"}).status_code == 302
    assert (provider.platform.push_token, provider.platform.app_secret) == ("another-token", SECRET)
    Platform.objects.all().delete()
    added = root.post("/admin/merchants/platform/add/", {"appid": "wxnew", "new_app_secret": "n" * 32})
    assert added.status_code == 302
    assert (provider.platform.appid, provider.platform.app_secret) == ("wxnew", "n" * 32)


def test_the_ticket_is_asked_for_with_a_button(provider: Provider) -> None:
    root = Client()
    root.force_login(User.objects.get(username="root"))
    answer = root.post("/admin/merchants/platform/1/change/", {"appid": PLATFORM, "_start_push": "1"})
    run_tasks()
    assert "十分钟内会收到" in page(root.get(answer.url))
    [call] = provider.calls("api_start_push_ticket")
    assert set(json.loads(call["body"])) == {"component_appid", "component_secret"}


def test_the_third_party_cannot_be_chosen_before_it_is_set_up(world: Any, admin: Client) -> None:
    assert "还没有第三方平台" in page(admin.post(url(), {"mode": "component"}))
