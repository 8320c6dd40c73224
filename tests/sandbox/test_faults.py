"""Faults as a caller meets them, read from a raw socket, and what the order says afterwards."""

import json
import socket
import time
from typing import Any

import pytest

from sandbox import build
from sandbox.faults import FAULTS

from .conftest import Shop


def exchange(shop: Shop, order: dict[str, Any], wait: float = 5.0) -> bytes:
    """Everything that comes back for one send until the other side closes; silence for ``wait`` s fails."""
    body = json.dumps({"order_id": order["order_id"], "delivery_list": [build.package(build.goods(order))]})
    head = (
        f"POST /channels/ec/order/delivery/send?access_token={shop.token} HTTP/1.1\r\n"
        f"Host: sandbox\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    host, port = shop.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), wait) as connection:
        connection.sendall((head + body).encode())
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def struck(shop: Shop, fault: str, **more: Any) -> tuple[dict[str, Any], bytes]:
    order = shop.order()
    shop.remote.fault(fault, order_id=order["order_id"], **more)
    return order, exchange(shop, order)


def parts(answer: bytes) -> tuple[int, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


# fault -> (HTTP status, what the body holds, whether the parcel was accepted)
ANSWERED = {
    "http500_before": (500, b"<html>", False),
    "http500_after": (500, b"<html>", True),
    "http502_html": (502, b"502 Bad Gateway", False),
    "html_200": (200, b"<html>", False),
    "redirect_307": (307, b"", False),
    "truncated_json": (200, b'{"errcode":0,', True),
    "empty": (200, b"", True),
    "huge_body": (200, b'"padding":"xxx', True),
    "errcode_missing": (200, b'{"errmsg":"ok"}', True),
    "errcode_not_int": (200, b'{"errcode":"0","errmsg":"ok"}', True),
    "busy_before": (200, b'{"errcode":-1,"errmsg":"system error rid: ', False),
    "busy_after": (200, b'{"errcode":-1,"errmsg":"system error rid: ', True),
    "token_dead": (200, b'{"errcode":40001,', False),
}


@pytest.mark.parametrize("fault", ANSWERED)
def test_faults_that_answer(shop: Shop, fault: str) -> None:
    status, words, accepted = ANSWERED[fault]
    order, answer = struck(shop, fault)
    assert parts(answer)[0] == status
    assert words in parts(answer)[1]
    assert shop.status(order) == (30 if accepted else 20)
    entry = shop.remote.ledger(order_id=order["order_id"])[-1]
    assert entry["fault"] == fault
    assert bool(entry["accepted"]) is accepted


@pytest.mark.parametrize(("fault", "status"), [("timeout_accepted", 30), ("timeout_not_accepted", 20)])
def test_a_timeout_is_silence_then_an_end(shop: Shop, fault: str, status: int) -> None:
    began = time.monotonic()
    order, answer = struck(shop, fault, seconds=0.15)
    assert answer == b""
    assert time.monotonic() - began >= 0.15
    assert shop.status(order) == status
    assert shop.remote.ledger(order_id=order["order_id"])[-1]["answer"] == ""


@pytest.mark.parametrize(("fault", "status"), [("reset_before", 20), ("reset_after", 30)])
def test_a_reset_is_a_reset(shop: Shop, fault: str, status: int) -> None:
    order = shop.order()
    shop.remote.fault(fault, order_id=order["order_id"])
    with pytest.raises(ConnectionResetError):
        exchange(shop, order)
    assert shop.status(order) == status


def test_a_late_call_is_accepted_when_its_moment_comes(shop: Shop) -> None:
    order, answer = struck(shop, "late_accept", seconds=0.2)
    assert answer == b""
    assert shop.status(order) == 20
    time.sleep(0.25)
    assert shop.status(order) == 30
    entry = shop.remote.ledger(order_id=order["order_id"])[-1]
    assert entry["accepted"][0]["waybill_id"] == "SF3100000000001"
    assert 0.2 <= entry["accepted_at"] - entry["at"] < 0.25


def test_a_late_call_is_judged_by_the_order_as_it_is_then(shop: Shop) -> None:
    order, _ = struck(shop, "late_accept", seconds=0.1)
    assert shop.send(order)["errcode"] == 0
    time.sleep(0.12)
    assert len(shop.parcels(order)) == 1
    assert shop.remote.ledger(order_id=order["order_id"])[0]["errcode"] == 109001


def test_a_drip_comes_byte_by_byte(shop: Shop) -> None:
    began = time.monotonic()
    order, answer = struck(shop, "drip", seconds=0.2)
    assert time.monotonic() - began >= 0.2
    assert parts(answer)[1] == b'{"errcode":0,"errmsg":"ok"}'
    assert shop.status(order) == 30


def test_a_code_is_answered_without_acting(shop: Shop) -> None:
    order, answer = struck(shop, "code", errcode=45009)
    assert b'{"errcode":45009,"errmsg":"reach max api daily quota limit rid: ' in parts(answer)[1]
    order, answer = struck(shop, "code", errcode=7777777, errmsg="新的说法")
    assert '{"errcode":7777777,"errmsg":"新的说法 rid: '.encode() in parts(answer)[1]
    assert shop.status(order) == 20


def test_whether_it_acts_can_be_turned_round(shop: Shop) -> None:
    order, answer = struck(shop, "http502_html", accepted=True)
    assert parts(answer)[0] == 502
    assert shop.status(order) == 30


def test_who_follows_the_redirect_sends_again(shop: Shop) -> None:
    _, answer = struck(shop, "redirect_307")
    assert b"\r\nLocation: /channels/ec/order/delivery/send?access_token=" in answer


def test_a_dead_token_kills_all_of_the_shop_s(own: Shop) -> None:
    other = own.remote.token(own.appid)
    struck(own, "token_dead")
    assert own.remote.call("order/deliverycompanylist/get", {}, other)["errcode"] == 40001
    assert own.remote.token(own.appid) != other


def test_a_fault_strikes_as_often_as_planned_and_only_where(own: Shop) -> None:
    own.remote.switch(order_pace=False)
    first, second = own.order(), own.order()
    own.remote.fault("busy_before", order_id=second["order_id"], times=2)
    codes = [own.send(order)["errcode"] for order in (first, second, second, second)]
    assert codes == [0, -1, -1, 0]
    assert own.remote.ask("GET", "/_sandbox/faults") == []


def test_a_fault_for_ever_until_cleared(own: Shop) -> None:
    own.remote.fault("busy_before", appid=own.appid, times=0)
    assert [own.send(own.order())["errcode"] for _ in range(3)] == [-1, -1, -1]
    assert own.remote.ask("GET", "/_sandbox/faults")[0]["times"] == 0
    own.remote.ask("DELETE", "/_sandbox/faults")
    assert own.send(own.order())["errcode"] == 0


def test_reading_and_token_calls_can_be_struck_too(own: Shop) -> None:
    own.remote.fault("code", call="order/get", errcode=48001)
    own.remote.fault("busy_before", call="cgi-bin/stable_token", appid=own.appid)
    order = own.order()
    assert own.call("order/get", {"order_id": order["order_id"]})["errcode"] == 48001
    with pytest.raises(KeyError):
        own.remote.token(own.appid)


BAD = [
    {"call": "order/get", "fault": "nonsense"},
    {"fault": "empty"},
    {"call": "order/get", "fault": "code"},
    {"call": "order/get", "fault": "empty", "times": "x"},
    {"call": "order/get", "fault": "empty", "seconds": "x"},
]


@pytest.mark.parametrize("wanted", BAD)
def test_a_misspelt_fault_is_refused(shop: Shop, wanted: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        shop.remote.ask("POST", "/_sandbox/faults", wanted)


def test_every_fault_is_tried_here() -> None:
    elsewhere = {"timeout_accepted", "timeout_not_accepted", "reset_before", "reset_after"}
    assert elsewhere | {"late_accept", "drip", "code"} | ANSWERED.keys() == FAULTS.keys()
