"""Access tokens: two kinds that never touch, with the platform's lives and limits (store-api.md 3.1)."""

import http.client
import json
from typing import Any

import pytest

from sandbox.remote import Remote

from .conftest import Shop

SECRET = "s" * 32


def stable(shop: Shop, **more: Any) -> dict[str, Any]:
    asked = {"grant_type": "client_credential", "appid": shop.appid, "secret": SECRET, **more}
    answer: dict[str, Any] = shop.remote.ask("POST", "/cgi-bin/stable_token", asked)
    return answer


def classic(shop: Shop, **more: str) -> dict[str, Any]:
    asked = {"grant_type": "client_credential", "appid": shop.appid, "secret": SECRET, **more}
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    answer: dict[str, Any] = shop.remote.ask("GET", f"/cgi-bin/token?{query}")
    return answer


def probe(shop: Shop, token: str) -> int:
    path = f"/channels/ec/order/deliverycompanylist/get?access_token={token}"
    return int(shop.remote.ask("POST", path, {})["errcode"])


def later(shop: Shop, seconds: float) -> None:
    shop.remote.switch(clock_offset=seconds)


def test_success_carries_no_errcode_and_a_long_token(own: Shop) -> None:
    for answer in (stable(own), classic(own)):
        assert answer.keys() == {"access_token", "expires_in"}
        assert len(answer["access_token"]) >= 130


def test_the_stable_token_stays_until_its_last_five_minutes(own: Shop) -> None:
    first = stable(own)["access_token"]
    later(own, 6890)
    again = stable(own)
    assert again["access_token"] == first
    assert 300 <= again["expires_in"] <= 310
    later(own, 6910)
    second = stable(own)
    assert second["access_token"] != first
    assert second["expires_in"] == 7200
    assert [probe(own, token) for token in (first, second["access_token"])] == [0, 0]
    later(own, 7201)
    assert [probe(own, token) for token in (first, second["access_token"])] == [42001, 0]


def test_force_kills_the_one_before_but_only_every_thirty_seconds(own: Shop) -> None:
    first = own.token
    second = stable(own, force_refresh=True)["access_token"]
    assert [probe(own, token) for token in (first, second)] == [40001, 0]
    assert stable(own, force_refresh=True)["access_token"] == second
    later(own, 31)
    assert stable(own, force_refresh=True)["access_token"] != second


def test_force_works_twenty_times_a_day(own: Shop) -> None:
    seen = []
    for turn in range(22):
        later(own, 31 * (turn + 1))
        seen.append(stable(own, force_refresh=True)["access_token"])
    assert len(set(seen)) == 20
    later(own, 86400 + 1000)
    assert stable(own, force_refresh=True)["access_token"] not in seen


def test_a_classic_token_lives_five_minutes_beside_its_successor(own: Shop) -> None:
    first, second = (classic(own)["access_token"] for _ in range(2))
    assert first != second
    later(own, 290)
    assert [probe(own, token) for token in (first, second)] == [0, 0]
    later(own, 310)
    assert [probe(own, token) for token in (first, second)] == [40001, 0]


def test_the_kinds_never_touch(own: Shop) -> None:
    for _ in range(3):
        classic(own)
    later(own, 400)
    assert probe(own, own.token) == 0
    old = classic(own)["access_token"]
    stable(own, force_refresh=True)
    assert probe(own, old) == 0


BAD = [
    ({"appid": "wxnobody"}, 40013),
    ({"secret": "wrong"}, 40125),
    ({"grant_type": "password"}, 40002),
    ({"appid": ""}, 41002),
    ({"secret": ""}, 41004),
    ({"force_refresh": "true"}, 47001),
    ({"appid": 5}, 47001),
]


@pytest.mark.parametrize(("more", "code"), BAD)
def test_bad_token_requests(shop: Shop, more: dict[str, Any], code: int) -> None:
    answer = stable(shop, **more)
    assert answer["errcode"] == code
    assert " rid: " in answer["errmsg"]
    if "force_refresh" not in more and code != 47001:
        assert classic(shop, **more)["errcode"] == code


def test_the_wrong_method(shop: Shop) -> None:
    assert shop.remote.ask("POST", "/cgi-bin/token", {})["errcode"] == 43001
    assert shop.remote.ask("GET", "/cgi-bin/stable_token")["errcode"] == 43002
    path = f"/channels/ec/order/get?access_token={shop.token}"
    assert shop.remote.ask("GET", path)["errcode"] == 43002


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("nonsense", 40001)])
def test_a_token_that_is_none(shop: Shop, token: str, code: int) -> None:
    assert probe(shop, token) == code


@pytest.mark.parametrize(("dead", "code"), [(False, 42001), (True, 40001)])
def test_tokens_can_be_ended_by_hand(own: Shop, dead: bool, code: int) -> None:
    own.remote.expire_tokens(own.appid, dead)
    assert probe(own, own.token) == code
    assert probe(own, stable(own)["access_token"]) == 0


def test_no_token_and_no_secret_can_be_read_back(own: Shop) -> None:
    classic(own)
    probe(own, own.token)
    text = json.dumps(own.remote.ledger())
    assert own.token not in text
    assert SECRET not in text
    page = http.client.HTTPConnection(own.url.removeprefix("http://"))
    page.request("GET", "/")
    assert own.token not in page.getresponse().read().decode()
    page.close()
    known, unknown = own.remote.ledger(path="deliverycompanylist/get")[-1], own.remote.ledger()[-1]
    assert (known["token_valid"], len(known["token_print"])) == (True, 8)
    assert unknown["seq"] == known["seq"]


def test_a_shop_s_token_opens_only_its_shop(own: Shop) -> None:
    remote = Remote(own.url)
    remote.merchant("wxother")
    order = own.order()
    answer = remote.call("order/get", {"order_id": order["order_id"]}, remote.token("wxother"))
    assert answer["errcode"] == 100002
