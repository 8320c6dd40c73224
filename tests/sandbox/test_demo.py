"""The demonstration shops: every code of the document has its order, and the ordinary shops look alive."""

import functools
import time
from collections import Counter
from typing import Any

import pytest

from sandbox import build, orders
from sandbox.answers import DOCUMENT
from sandbox.remote import Remote
from sandbox.seed.past import EACH
from sandbox.seed.shops import ORDERS_EACH
from sandbox.server import Sandbox

from .conftest import Shop

HALTING = {48001, 606003}
ORDERS = ORDERS_EACH + EACH


@functools.cache
def shop_of(demo: Sandbox, number: int) -> Shop:
    remote, appid = Remote(demo.url), f"wx100000000000000{number}"
    return Shop(remote, demo.url, appid, remote.token(appid, str(number) * 32))


def all_orders(shop: Shop) -> list[dict[str, Any]]:
    ids = shop.remote.ask("GET", f"/_sandbox/orders?appid={shop.appid}")
    return [shop.remote.truth(order_id) for order_id in ids]


def test_the_document_has_46_codes() -> None:
    assert len(DOCUMENT) == 46


@pytest.mark.parametrize("code", DOCUMENT)
def test_each_code_has_an_order_that_answers_it_for_ever(demo: Sandbox, code: int) -> None:
    shop = shop_of(demo, 4 if code in HALTING else 3)
    order_id = f"3720000000{code:09d}"
    order = shop.call("order/get", {"order_id": order_id})["order"]
    assert order["status"] == 20
    assert str(code) in order["order_detail"]["product_infos"][0]["title"]
    assert str(code) in order["order_detail"]["ext_info"]["merchant_notes"]
    kind: Any = {1: {"deliver_type": 3}, 0: {}}[order["order_detail"]["delivery_info"]["deliver_method"]]
    for _ in range(2):
        answer = shop.send(order, build.package(build.goods(order), **kind))
        assert answer["errcode"] == code
        assert " rid: " in answer["errmsg"]
    assert shop.call("order/get", {"order_id": order_id})["order"] == order


def test_the_words_are_the_document_s_but_for_two(demo: Sandbox) -> None:
    shop = shop_of(demo, 3)
    said = {}
    for code in DOCUMENT.keys() - HALTING:
        order = {"order_id": f"3720000000{code:09d}"}
        said[code] = shop.send(order, build.package([]))["errmsg"].partition(" rid: ")[0]
    assert said.pop(109000) == ""
    assert said.pop(40097).startswith("invalid args, waybill_id: expecting delivery_list[0].waybill_id ")
    assert said == {code: DOCUMENT[code] for code in said}


def test_a_wrong_type_comes_before_the_code(demo: Sandbox) -> None:
    order = {"order_id": "3720000000000606005"}
    assert shop_of(demo, 3).send(order, {"deliver_type": "1"})["errcode"] == 47001


@pytest.mark.parametrize("number", [1, 2])
def test_an_ordinary_shop_shows_every_situation(demo: Sandbox, number: int) -> None:
    found = all_orders(shop_of(demo, number))
    assert len(found) == ORDERS
    assert all(len(order["order_id"]) == 19 and order["order_id"].startswith("37") for order in found)
    assert {order["status"] for order in found} >= {10, 12, 13, 20, 21, 30, 100, 200, 250}
    assert {orders.delivery(order)["deliver_method"] for order in found} == {0, 1, 3}
    waiting = [order for order in found if order["status"] == 20]
    late = [order for order in waiting if orders.lines(order)[0]["delivery_deadline"] < time.time()]
    assert 2 <= len(late) <= 6
    pairs = Counter(
        (order["openid"], orders.delivery(order)["address_info"]["hash_code"]) for order in waiting
    )
    assert sorted(pairs.values())[-2:] == [2, 2]


@pytest.mark.parametrize("number", [1, 2])
def test_only_a_paid_order_shows_a_payment(demo: Sandbox, number: int) -> None:
    for order in all_orders(shop_of(demo, number)):
        paid = order["order_detail"]["pay_info"]
        is_open = order["status"] in (10, 250)
        assert (paid["pay_time"] == 0) is (paid["transaction_id"] == "") is is_open


@pytest.mark.parametrize("number", [1, 2])
def test_every_demo_order_is_within_one_list_window_and_consistent(demo: Sandbox, number: int) -> None:
    shop, now = shop_of(demo, number), int(time.time())
    span = {"start_time": now - 7 * 86400, "end_time": now}
    page = shop.call("order/list/get", {"create_time_range": span, "page_size": 100})
    more = {"create_time_range": span, "page_size": 100, "next_key": page["next_key"]}
    rest = shop.call("order/list/get", more)
    assert len({*page["order_id_list"], *rest["order_id_list"]}) == ORDERS
    for order in all_orders(shop):
        assert order["create_time"] <= order["update_time"] <= now
        assert all(count >= 0 for count in orders.left(order).values())
        shipped = order["status"] in (30, 100)
        assert bool(orders.delivery(order)["ship_done_time"]) is shipped


def test_the_situations_answer_as_they_look(demo: Sandbox) -> None:
    codes = Counter(code for number in (1, 2) for code in answers(shop_of(demo, number)))
    wanted = {0, 101100, 109001, 109000, 108009, 10020115, 10020276, 606008, 606060, 606034, 606045, 606046}
    assert codes.keys() >= wanted | {606049, 109205}


def answers(shop: Shop) -> list[int]:
    return [shop.send(order)["errcode"] for order in all_orders(shop)]
