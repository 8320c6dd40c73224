"""The sandbox's own doors: ledger, back office, patches, switches, the page; and its independence."""

import ast
import http.client
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox import build

from .conftest import Shop

PACKAGE = Path(sandbox.__file__).parent
PRODUCT = {"wechat", "merchants", "shipping", "config", "django", "requests", "tests"}


def page(shop: Shop) -> str:
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"))
    connection.request("GET", "/")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_the_ledger_keeps_the_body_byte_for_byte(shop: Shop) -> None:
    order = shop.order()
    body = f'{{ "order_id":"{order["order_id"]}",\n"note":"发货", "delivery_list":[] }}'.encode()
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"))
    connection.request("POST", f"/channels/ec/order/delivery/send?access_token={shop.token}", body)
    answer = connection.getresponse().read().decode()
    connection.close()
    [entry] = shop.remote.ledger(order_id=order["order_id"])
    assert entry["body"].encode() == body
    assert entry["answer"] == answer
    assert (entry["path"], entry["appid"]) == ("/channels/ec/order/delivery/send", shop.appid)
    assert abs(entry["at"] - time.time()) < 5


def test_the_ledger_can_be_filtered(own: Shop) -> None:
    order = own.order()
    own.send(order)
    own.call("order/get", {"order_id": order["order_id"]})
    assert [entry["seq"] for entry in own.remote.ledger()] == [1, 2, 3]
    assert [entry["seq"] for entry in own.remote.ledger(path="order/get")] == [3]
    assert [entry["seq"] for entry in own.remote.ledger(order_id=order["order_id"])] == [2, 3]
    assert own.remote.ledger(appid="wxnobody") == []
    own.remote.ask("DELETE", "/_sandbox/ledger")
    assert own.remote.ledger() == []


def test_a_person_ships_in_the_back_office(shop: Shop) -> None:
    order = shop.order([build.line(sku_cnt=2)], sandbox={"risk": True})
    one = [{**build.goods(order)[0], "product_cnt": 1}]
    shipped = shop.remote.ship_by_hand(order["order_id"], [build.package(one, "HAND-1")])
    assert shipped["status"] == 21
    with pytest.raises(ValueError, match="more pieces than are left"):
        shop.remote.ship_by_hand(order["order_id"], [build.package(build.goods(order))])
    assert shop.parcels(order) == [("SF", "HAND-1")]
    assert shop.remote.ledger(order_id=order["order_id"]) == []


def test_an_order_is_changed_by_a_merge_patch(shop: Shop) -> None:
    order = shop.order()
    patch = {"aftersale_detail": {"on_aftersale_order_cnt": 1}, "unionid": None}
    changed = shop.remote.change(order["order_id"], patch)
    assert changed["aftersale_detail"] == {"aftersale_order_list": [], "on_aftersale_order_cnt": 1}
    assert "unionid" not in changed
    assert changed["update_time"] > order["update_time"]
    assert shop.send(order)["errcode"] == 108009


def test_a_partial_order_is_completed(shop: Shop) -> None:
    partial: dict[str, Any] = {"order_detail": {"product_infos": [{"product_id": "7", "sku_cnt": 3}]}}
    placed = shop.remote.ask("POST", "/_sandbox/orders", {"appid": shop.appid, "order": partial})
    line = placed["order_detail"]["product_infos"][0]
    assert (line["product_id"], line["sku_cnt"], line["finish_aftersale_sku_cnt"]) == ("7", 3, 0)
    assert line["real_price"] == placed["order_detail"]["price_info"]["order_price"] == 6000
    assert shop.send(placed)["errcode"] == 0


WRONG = [
    ("POST", "/_sandbox/switches", {"nonsense": 1}, "does not fit"),
    ("POST", "/_sandbox/switches", {"packages": "some"}, "does not fit"),
    ("POST", "/_sandbox/switches", {"latency": True}, "does not fit"),
    ("GET", "/_sandbox/orders/1", None, "no such order"),
    ("POST", "/_sandbox/orders", {"appid": "wxnobody"}, "no such store"),
    ("POST", "/_sandbox/merchants", {"appid": "wx2"}, "secret is missing"),
    ("POST", "/_sandbox/merchants", [], "no JSON object"),
    ("POST", "/_sandbox/merchants", {"appid": "wx2", "secret": "s", "couriers": 5}, "odd shape"),
    ("PUT", "/_sandbox/faults", {}, "takes GET, POST, DELETE"),
    ("GET", "/_sandbox/nothing", None, "no such door"),
]


@pytest.mark.parametrize(("method", "path", "body", "words"), WRONG)
def test_mistakes_are_told(shop: Shop, method: str, path: str, body: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        shop.remote.ask(method, path, body)


def test_latency_and_answer_delay(own: Shop) -> None:
    order = own.order()
    own.remote.switch(latency=0.1, answer_delay=0.1)
    began = time.time()
    own.send(order)
    assert time.time() - began >= 0.2
    assert 0.1 <= own.remote.ledger(path="send")[0]["at"] - began < 0.2


def test_twenty_at_once_ship_one_piece_once(shop: Shop) -> None:
    order = shop.order()
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(shop.send(order)["errcode"])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(codes) == {0: 1, 109001: 19}
    assert len(shop.parcels(order)) == 1


def test_a_kept_connection_is_quick(shop: Shop) -> None:
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"))
    path = f"/channels/ec/order/deliverycompanylist/get?access_token={shop.token}"
    began = time.monotonic()
    for _ in range(20):
        connection.request("POST", path, b"{}")
        connection.getresponse().read()
    # Nagle with delayed ACK would cost 40 ms each.
    assert time.monotonic() - began < 0.4
    connection.close()


def test_the_page_shows_what_came_and_that_it_is_no_wechat(own: Shop) -> None:
    order = own.order()
    own.send(order)
    own.remote.merchant(own.appid, name="<b>店</b>")
    own.remote.fault("drip", times=0)
    text = page(own)
    assert "Nothing here goes to WeChat" in text
    assert order["order_id"] in text
    assert "SF SF3100000000001" in text
    assert "&lt;b&gt;店&lt;/b&gt;" in text
    assert "drip" in text
    assert "<script" not in text
    assert "//" not in text.replace("<!doctype", "")


@pytest.mark.parametrize(
    ("packages", "shown"),
    [
        ([build.package([], waybill_id="<i>9")], '<span class="mute"><code>SF &lt;i&gt;9</code> 0 件</span>'),
        ([build.package([{"product_cnt": 2}], deliver_type=3)], "<code>无需物流</code> 2 件"),
        ([1, {"product_infos": [1, {"product_cnt": "2"}]}], "<code>无需物流</code> 0 件"),
        ("none", "47001"),
    ],
)
def test_the_page_shows_what_was_asked_also_when_it_was_refused(
    own: Shop, packages: object, shown: str
) -> None:
    own.call("order/delivery/send", {"order_id": own.order()["order_id"], "delivery_list": packages})
    assert shown in page(own)


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def test_it_imports_nothing_of_the_product_and_names_no_shared_folder() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert not imported(path) & PRODUCT, path
        assert "../shared" not in path.read_text(encoding="utf-8")
