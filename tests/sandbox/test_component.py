"""Third-party platforms: tickets, tokens, authorisations, their lives and their limits (store-api.md 3.2)."""

import json
from typing import Any

import pytest

from sandbox import component

from .conftest import Shop

PLATFORM, SECRET = "wxcomponent000001", "c" * 32
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
BASE = "/cgi-bin/component/"


def call(shop: Shop, name: str, token: str = "", **body: Any) -> Any:
    query = f"?component_access_token={token}" if token else ""
    return shop.remote.ask("POST", f"{BASE}{name}{query}", {"component_appid": PLATFORM, **body})


@pytest.fixture
def ready(own: Shop, monkeypatch: Any) -> tuple[Shop, str, str]:
    """A platform, its ticket and its token."""
    made: list[str] = []
    honest = component.new_ticket
    monkeypatch.setattr(component, "new_ticket", lambda *args: made.append(honest(*args)) or made[-1])
    own.remote.platform(PLATFORM, SECRET, "t0ken", KEY)
    own.remote.push(PLATFORM, "component_verify_ticket")
    answer = call(own, "api_component_token", component_appsecret=SECRET, component_verify_ticket=made[0])
    assert answer.keys() == {"component_access_token", "expires_in"}
    return own, made[0], answer["component_access_token"]


def granted(ready: tuple[Shop, str, str], **more: Any) -> Any:
    shop, _, token = ready
    code = shop.remote.authorize(PLATFORM, shop.appid, **more)
    return call(shop, "api_query_auth", token, authorization_code=code)["authorization_info"]


def refresh(ready: tuple[Shop, str, str], refresh_token: str) -> Any:
    shop, _, token = ready
    asked = {"authorizer_appid": shop.appid, "authorizer_refresh_token": refresh_token}
    return call(shop, "api_authorizer_token", token, **asked)


def probe(shop: Shop, token: str, path: str = "order/deliverycompanylist/get") -> int:
    return int(shop.remote.call(path, {}, token)["errcode"])


def test_what_a_component_token_needs(ready: tuple[Shop, str, str]) -> None:
    shop, good, _ = ready
    ask = {"component_appsecret": SECRET, "component_verify_ticket": good}
    assert call(shop, "api_component_token", **{**ask, "component_appsecret": "x"})["errcode"] == 40125
    assert call(shop, "api_component_token", component_verify_ticket=good)["errcode"] == 41004
    assert call(shop, "api_component_token", **{**ask, "component_verify_ticket": "x"})["errcode"] == 61006
    assert call(shop, "api_component_token", **{**ask, "component_appid": "wxother"})["errcode"] == 40013
    shop.remote.switch(clock_offset=12 * 3600 + 1.0)
    assert call(shop, "api_component_token", **ask)["errcode"] == 61005


def test_a_code_is_good_once_and_brings_the_rights(ready: tuple[Shop, str, str]) -> None:
    shop, _, token = ready
    code = shop.remote.authorize(PLATFORM, shop.appid)
    info = call(shop, "api_query_auth", token, authorization_code=code)["authorization_info"]
    assert info["authorizer_appid"] == shop.appid
    assert info["func_info"] == [{"funcscope_category": {"id": 131}}]
    assert probe(shop, info["authorizer_access_token"]) == 0
    assert call(shop, "api_query_auth", token, authorization_code=code)["errcode"] == 61010


def test_a_right_that_was_not_given_is_61007(ready: tuple[Shop, str, str]) -> None:
    token = granted(ready, funcs=[130])["authorizer_access_token"]
    assert probe(ready[0], token) == 61007
    assert ready[0].remote.call("merchant/address/list", {"offset": 0, "limit": 1}, token)["errcode"] == 0
    token = granted(ready)["authorizer_access_token"]
    assert ready[0].remote.call("merchant/address/list", {"offset": 0, "limit": 1}, token)["errcode"] == 61007


def test_a_refresh_replaces_both_and_the_old_ones_live_five_minutes(ready: tuple[Shop, str, str]) -> None:
    shop = ready[0]
    first = granted(ready)
    second = refresh(ready, first["authorizer_refresh_token"])
    assert second.keys() == {"authorizer_access_token", "expires_in", "authorizer_refresh_token"}
    assert second["authorizer_refresh_token"] != first["authorizer_refresh_token"]
    tokens = [first["authorizer_access_token"], second["authorizer_access_token"]]
    assert [probe(shop, token) for token in tokens] == [0, 0]
    shop.remote.switch(clock_offset=310.0)
    assert [probe(shop, token) for token in tokens] == [40001, 0]
    assert refresh(ready, first["authorizer_refresh_token"])["errcode"] == 61023
    assert "errcode" not in refresh(ready, second["authorizer_refresh_token"])


def test_the_list_shows_the_refresh_token_and_a_cancelled_store_is_gone(ready: tuple[Shop, str, str]) -> None:
    shop, _, token = ready
    info = granted(ready)
    listed = call(shop, "api_get_authorizer_list", token, offset=0, count=500)
    assert listed["total_count"] == 1
    assert listed["list"][0]["refresh_token"] == info["authorizer_refresh_token"]
    assert call(shop, "api_get_authorizer_list", token, offset=1, count=500)["list"] == []
    shop.remote.push(PLATFORM, "unauthorized", appid=shop.appid)
    assert probe(shop, info["authorizer_access_token"]) == 40001
    assert refresh(ready, info["authorizer_refresh_token"])["errcode"] == 61023
    assert call(shop, "api_get_authorizer_list", token, offset=0, count=500)["total_count"] == 0


def test_a_component_token_is_needed_and_runs_out(ready: tuple[Shop, str, str]) -> None:
    shop, _, token = ready
    assert call(shop, "api_create_preauthcode")["errcode"] == 41001
    assert call(shop, "api_create_preauthcode", shop.token)["errcode"] == 61011
    assert call(shop, "api_create_preauthcode", token)["pre_auth_code"]
    assert probe(shop, token) == 40001
    shop.remote.switch(clock_offset=7201.0)
    assert call(shop, "api_create_preauthcode", token)["errcode"] == 42001


def test_the_days_tokens_can_be_used_up(ready: tuple[Shop, str, str]) -> None:
    shop = ready[0]
    info = granted(ready)
    shop.remote.switch(tokens_a_day=1, rotate_refresh=False)
    assert refresh(ready, info["authorizer_refresh_token"])["errcode"] == 45009
    shop.remote.switch(tokens_a_day=2)
    assert refresh(ready, info["authorizer_refresh_token"])["authorizer_access_token"]


def test_the_ledger_keeps_no_secret_of_it(ready: tuple[Shop, str, str]) -> None:
    shop, good, token = ready
    info = granted(ready)
    call(shop, "api_get_authorizer_list", token, offset=0, count=1)
    text = json.dumps(shop.remote.ledger())
    for secret in (SECRET, good, token, info["authorizer_access_token"], info["authorizer_refresh_token"]):
        assert secret not in text
