"""Reading calls: pages of ids, masked orders, courier lists, addresses, and what the gates refuse."""

import http.client
import json
import time
from typing import Any

import pytest

from sandbox import build
from sandbox.server import Sandbox

from .conftest import Shop, open_shop

WEEK = 7 * 86400
NOW = int(time.time())


def span(start: int = NOW - 3000, end: int = NOW + 3000) -> dict[str, int]:
    return {"start_time": start, "end_time": end}


def listed(shop: Shop, **more: Any) -> dict[str, Any]:
    return shop.call("order/list/get", {"page_size": 100, **more})


def test_pages_cover_every_order_once(shop: Shop) -> None:
    # Three orders a second: the key must not lose those of one moment.
    made = [shop.order(create_time=NOW - 100 + number // 3)["order_id"] for number in range(11)]
    seen: list[str] = []
    key, more = "", True
    while more:
        page = listed(shop, create_time_range=span(), page_size=4, next_key=key)
        key, more = page["next_key"], page["has_more"]
        seen += page["order_id_list"]
    assert sorted(seen) == sorted(made)
    assert all(isinstance(order_id, str) for order_id in seen)


def test_update_time_finds_what_changed(shop: Shop) -> None:
    old = shop.order(create_time=NOW - 86400)
    assert listed(shop, update_time_range=span())["order_id_list"] == []
    shop.send(old)
    assert listed(shop, update_time_range=span())["order_id_list"] == [old["order_id"]]
    assert listed(shop, create_time_range=span())["order_id_list"] == []


def test_asking_for_20_or_30_also_returns_21(shop: Shop) -> None:
    ids = {status: shop.order(status=status, create_time=NOW)["order_id"] for status in (20, 21, 30, 100)}
    for status, found in {20: (20, 21), 30: (30, 21), 21: (21,), 100: (100,), 250: ()}.items():
        page = listed(shop, create_time_range=span(), status=status)
        assert set(page["order_id_list"]) == {ids[one] for one in found}


def test_a_buyer_s_orders(shop: Shop) -> None:
    shop.order(create_time=NOW)
    mine = shop.order(create_time=NOW, openid="oMine")["order_id"]
    assert listed(shop, create_time_range=span(), openid="oMine")["order_id_list"] == [mine]


def test_only_the_own_shop_is_listed(shared: Sandbox, shop: Shop) -> None:
    open_shop(shared).order(create_time=NOW)
    assert listed(shop, create_time_range=span())["order_id_list"] == []


BAD_LISTS = [
    ({}, 40097),
    ({"create_time_range": span(NOW - WEEK - 1, NOW)}, 40097),
    ({"create_time_range": span(NOW - WEEK, NOW)}, 0),
    ({"update_time_range": span(NOW, NOW - 1)}, 40097),
    ({"update_time_range": {"start_time": NOW}}, 40097),
    ({"create_time_range": span(), "page_size": 101}, 40097),
    ({"create_time_range": span(), "page_size": 0}, 40097),
    ({"create_time_range": span(), "next_key": "nonsense"}, 40097),
    ({"create_time_range": {"start_time": "1"}}, 47001),
    ({"create_time_range": span(), "page_size": "10"}, 47001),
    ({"create_time_range": span(), "openid": 5}, 47001),
]


@pytest.mark.parametrize(("body", "code"), BAD_LISTS)
def test_bad_lists(shop: Shop, body: dict[str, Any], code: int) -> None:
    answer = listed(shop, **body)
    assert answer["errcode"] == code
    assert code != 40097 or answer["errmsg"].startswith("invalid args, ")


def test_an_order_shows_nothing_personal_and_nothing_of_ours(shop: Shop) -> None:
    clear = build.address("林小满", phone="18312342807") | {"detail_info": "新港中路 397 号"}
    made = shop.order(
        address_info=clear, address_under_review=dict(clear), sandbox={"risk": False, "course_skus": ["1"]}
    )
    shop.remote.ship_by_hand(made["order_id"], [build.package(build.goods(made))])
    order = shop.call("order/get", {"order_id": made["order_id"]})["order"]
    info = order["order_detail"]["delivery_info"]
    places = [
        info["address_info"],
        info["address_under_review"],
        info["delivery_product_info"][0]["delivery_address"],
    ]
    for address in places:
        found = [address[name] for name in ("user_name", "detail_info", "tel_number")]
        assert found == ["林**", "****", "183****2807"]
    assert "_sandbox" not in order
    assert "林小满" not in json.dumps(order, ensure_ascii=False)


def test_pictures_are_addressed_by_the_host_that_was_asked(shop: Shop) -> None:
    order = shop.call("order/get", {"order_id": shop.order()["order_id"]})["order"]
    address = order["order_detail"]["product_infos"][0]["thumb_img"]
    assert address.startswith(f"{shop.url}/img/")
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"))
    connection.request("GET", address.removeprefix(shop.url))
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "image/svg+xml"
    assert "示例" in response.read().decode()
    connection.close()


def test_the_old_courier_list_wants_nothing_the_new_one_its_member(shop: Shop) -> None:
    old = shop.call("order/deliverycompanylist/get", {})
    assert {"delivery_id": "YUNDA", "delivery_name": "韵达速递"} in old["company_list"]
    assert "OTHER" not in [company["delivery_id"] for company in old["company_list"]]
    assert shop.call("order/deliverycompanylist/new/get", {"ewaybill_only": False}) == old
    assert shop.call("order/deliverycompanylist/new/get", {})["errcode"] == 40097
    assert shop.call("order/deliverycompanylist/new/get", {"ewaybill_only": 1})["errcode"] == 47001
    assert shop.call("order/deliverycompanylist/get", [])["errcode"] == 47001


@pytest.mark.parametrize("has_one", [True, False])
def test_the_default_return_address_is_found_by_asking_each(shared: Sandbox, has_one: bool) -> None:
    shop = open_shop(shared, return_address=has_one)
    ids = shop.call("merchant/address/list", {"offset": 0, "limit": 100})["address_id_list"]
    details = [shop.call("merchant/address/get", {"address_id": one})["address_detail"] for one in ids]
    assert any(detail["default_recv"] for detail in details) is has_one
    assert shop.call("merchant/address/get", {"address_id": "1"})["errcode"] == 40097


def raw(shop: Shop, body: bytes, path: str = "order/delivery/send") -> dict[str, Any]:
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"))
    connection.request("POST", f"/channels/ec/{path}?access_token={shop.token}", body)
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    connection.close()
    assert response.status == 200
    return answer


BODIES = [
    (b"", 44002),
    (b"{", 47001),
    (b"[]", 47001),
    (b"null", 47001),
    (b"\xff\xfe", 47001),
    (b'{"order_id": "1"}' + b" " * 1048576, 45002),
    (b"[" * 200_000, 47001),
    (b'{"order_id": "\\ud800"}', 47001),
    (b'{"order_id": ' + b"9" * 5000 + b"}", 47001),
    (b'{"order_id": "' + b"9" * 5000 + b'"}', 47001),
    (b'{"order_id": 99999999999999999999}', 47001),
]


@pytest.mark.parametrize(("body", "code"), BODIES, ids=[str(body[:8]) for body, _ in BODIES])
def test_bodies_that_are_none(shop: Shop, body: bytes, code: int) -> None:
    assert raw(shop, body)["errcode"] == code


def test_an_unknown_address_is_an_invalid_url(shop: Shop) -> None:
    assert raw(shop, b"{}", "order/nothing")["errcode"] == 40066
