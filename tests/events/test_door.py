"""A store's own door: what is not from WeChat leaves no row, what is comes in once, at any age."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client

from merchants.admin.secrets import shown
from merchants.credentials import save_push_secrets
from merchants.models import Credential, Merchant, PushedEvent
from merchants.services import add_merchant
from sandbox import cipher
from shipping.models import Order, Reading
from tests.conftest import APPID
from tests.events.conftest import KEY, TOKEN, Pushing
from tests.figures import Figure
from tests.lines.test_door import database
from tests.pages.test_desk import member, page
from tests.wechat.test_envelope import JSON_MODE

ORDER_ID = "3705115058471208928"
STAMP, NONCE = "1714112445", "415670741"


@pytest.fixture
def store(transactional_db: None) -> Credential:
    merchant = add_merchant(appid=APPID, name="测试店")
    save_push_secrets(merchant=merchant, secrets={"push_token": TOKEN, "aes_key": KEY}, by=None)
    return Credential.objects.get(merchant=merchant)


def event(name: str = "channels_ec_order_ext_info_update", **told: Any) -> dict[str, Any]:
    inner = {"order_info": {"order_id": int(ORDER_ID), "type": 4}}
    return {"ToUserName": "gh_1", "FromUserName": "openid-of-a-buyer", "CreateTime": 1735000200,
            "MsgType": "event", "Event": name, **(told or inner)}  # fmt: skip


def push(row: Credential, message: Any, appid: str = APPID, **query: str) -> Any:
    encrypted = cipher.seal(json.dumps(message), KEY, appid)
    return post(row, json.dumps({"ToUserName": "gh_1", "Encrypt": encrypted}), encrypted, **query)


def post(row: Credential, body: str, encrypted: str = "", **query: str) -> Any:
    signed = {"timestamp": STAMP, "nonce": NONCE, "encrypt_type": "aes",
              "msg_signature": cipher.sign(TOKEN, STAMP, NONCE, encrypted)}  # fmt: skip
    client = Client(enforce_csrf_checks=True)
    return client.post(f"{door(row)}?{urlencode(signed | query)}", body, content_type="application/json")


def door(row: Credential) -> str:
    return f"/wechat/events/{row.event_key}/"


def test_ten_replays_are_one_row_and_one_wish(store: Credential) -> None:
    answers = [push(store, event()) for _ in range(10)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"success")}
    told = PushedEvent.objects.get()
    assert (told.order_id, told.detail, told.merchant, told.handled_at) == (ORDER_ID, 4, store.merchant, None)
    assert Reading.objects.get().order.order_id == ORDER_ID
    push(store, event(order_info={"order_id": ORDER_ID, "type": 16}))
    push(store, event() | {"CreateTime": 1735000201})
    assert PushedEvent.objects.count() == 3
    assert Reading.objects.count() == Order.objects.count() == 1


OBJECTS = {
    "channels_ec_order_new": "order_info",
    "channels_ec_order_pay": "order_info",
    "channels_ec_order_wait_shipping": "order_info",
    "channels_ec_order_deliver": "order_info",
    "channels_ec_order_confirm": "order_info",
    "channels_ec_order_settle": "order_info",
    "channels_ec_order_cancel": "order_info",
    "channels_ec_order_ext_info_update": "order_info",
    "channels_ec_aftersale_update": "finder_shop_aftersale_status_update",
    "channels_ec_present_aftersale_update": "finder_shop_present_aftersale_status_update",
    "channels_ec_guarantee_update": "finder_shop_guarantee_status_update",
    "channels_ec_complaint_update": "finder_shop_complaint",
}


@pytest.mark.parametrize(("name", "inner"), OBJECTS.items())
@pytest.mark.parametrize("order_id", [int(ORDER_ID), ORDER_ID])
def test_every_event_about_an_order_has_it_read(
    store: Credential, name: str, inner: str, order_id: Any
) -> None:
    told = {inner: {"order_id": order_id, "cancel_type": "1", "pay_time": 1735000200}}
    assert push(store, event(name, **told)).content == b"success"
    assert Reading.objects.get().order.order_id == ORDER_ID


def test_an_event_about_no_order_is_kept_and_does_no_harm(store: Credential, run_rest: Any) -> None:
    assert (
        push(store, event("channels_ec_close_store", close_info={"order_id": {"deep": [1]}})).status_code
        == 200
    )
    run_rest()
    assert PushedEvent.objects.get().handled_at is not None
    assert not Reading.objects.exists()


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
@pytest.mark.parametrize("bent", ["0" * 40, "", "签"])
def test_a_bent_signature_is_403_and_no_row(store: Credential, name: str, bent: str) -> None:
    assert push(store, event(), **{name: bent}).status_code == 403
    assert not PushedEvent.objects.exists()
    assert not Reading.objects.exists()


def test_another_accounts_push_is_403_though_its_signature_is_right(store: Credential) -> None:
    assert push(store, event(), appid="wxsomebodyelse").status_code == 403
    assert not PushedEvent.objects.exists()


BODIES = ["", "null", "[]", "{}", "{", '{"Encrypt": 5}', '{"Encrypt": "!"}', '{"Encrypt": null}', "<xml/>", "字",
          "[" * 40_000, '{"a":' * 9_000, '{"Encrypt": "' + "A" * 70_000 + '"}', "1" * 6_000]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_push_is_403_and_no_row(store: Credential, body: str) -> None:
    assert post(store, body).status_code == 403
    assert not PushedEvent.objects.exists()


@pytest.mark.parametrize(
    "message", [[], "text", {}, {"Event": "x"}, {"CreateTime": 1}, event() | {"CreateTime": "x"}]
)
def test_a_message_without_name_and_time_is_403(store: Credential, message: Any) -> None:
    assert push(store, message).status_code == 403
    assert not PushedEvent.objects.exists()


def test_a_message_in_clear_is_403_even_with_the_plain_signature(store: Credential) -> None:
    """store-api 4.2: own stores are pushed to in safe mode only."""
    plain = cipher.sign(TOKEN, STAMP, NONCE)
    assert post(store, json.dumps(event()), signature=plain, encrypt_type="").status_code == 403
    assert not PushedEvent.objects.exists()


def test_a_door_nobody_set_up_or_named_right_is_shut(store: Credential) -> None:
    other = add_merchant(appid="wx2", name="乙店").credential
    assert push(other, event(), appid="wx2").status_code == 403
    store.event_key = "guessed"
    assert push(store, event()).status_code == 403
    assert not PushedEvent.objects.exists()


def test_a_closed_stores_door_is_shut(store: Credential) -> None:
    Merchant.objects.update(is_active=False)
    assert push(store, event()).status_code == 403


def test_the_public_vector_passes_through_the_door(transactional_db: None) -> None:
    v = JSON_MODE
    merchant = add_merchant(appid=v["appid"], name="公开样例")
    save_push_secrets(merchant=merchant, secrets={"push_token": v["token"], "aes_key": v["key"]}, by=None)
    query = {name: v[name] for name in ("timestamp", "nonce", "msg_signature")}
    body = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": v["encrypt"]})
    path = f"{door(merchant.credential)}?{urlencode(query)}"
    assert Client().post(path, body, content_type="application/json").status_code == 200
    assert PushedEvent.objects.get().name == "debug_demo"


def test_the_public_vector_of_the_url_check_passes(transactional_db: None) -> None:
    merchant = add_merchant(appid="wx3", name="公开样例")
    save_push_secrets(merchant=merchant, secrets={"push_token": "AAAAA"}, by=None)
    asked = {"timestamp": "1714036504", "nonce": "1514711492", "echostr": "4375120948345356249",
             "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696"}  # fmt: skip
    answer = Client().get(door(merchant.credential), asked)
    assert (answer.status_code, answer.content) == (200, b"4375120948345356249")
    for name, bent in (("signature", ""), ("nonce", "1"), ("timestamp", "1"), ("echostr", "")):
        assert Client().get(door(merchant.credential), asked | {name: bent}).status_code == 403, name


def test_an_encrypted_url_check_is_answered_with_what_was_in_it(store: Credential) -> None:
    sealed = cipher.seal("4375120948345356249", KEY, APPID)
    asked = {"timestamp": STAMP, "nonce": NONCE, "echostr": sealed,
             "msg_signature": cipher.sign(TOKEN, STAMP, NONCE, sealed)}  # fmt: skip
    assert Client().get(door(store), asked).content == b"4375120948345356249"
    foreign = cipher.seal("4375120948345356249", KEY, "wxsomebodyelse")
    asked |= {"echostr": foreign, "msg_signature": cipher.sign(TOKEN, STAMP, NONCE, foreign)}
    assert Client().get(door(store), asked).status_code == 403


def test_an_echostr_is_never_a_page(store: Credential) -> None:
    page = "<script>alert(1)</script>"
    asked = {
        "timestamp": STAMP,
        "nonce": NONCE,
        "echostr": page,
        "signature": cipher.sign(TOKEN, STAMP, NONCE),
    }
    answer = Client().get(door(store), asked)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_secrets_and_what_was_pushed_are_sealed_at_rest(store: Credential) -> None:
    push(store, event())
    store.refresh_from_db()
    assert shown(store, "push_token").startswith(f"…{TOKEN[-4:]}")
    assert KEY not in shown(store, "aes_key")
    for canary in (TOKEN, KEY, "openid-of-a-buyer"):
        assert canary.encode() not in database()


def test_each_push_is_answered_within_a_second(pushing: Pushing, figure: Figure) -> None:
    """Over a real socket, twenty different events at once, by four senders."""
    address = urlsplit(pushing.door)
    bodies = [json.dumps({"Encrypt": cipher.seal(json.dumps(event() | {"CreateTime": 1735000300 + n}), KEY, APPID)})
              for n in range(20)]  # fmt: skip

    def send(body: str) -> float:
        import http.client

        signature = cipher.sign(TOKEN, STAMP, NONCE, json.loads(body)["Encrypt"])
        asked = urlencode({"timestamp": STAMP, "nonce": NONCE, "msg_signature": signature})
        began = time.monotonic()
        connection = http.client.HTTPConnection(address.netloc, timeout=5)
        connection.request("POST", f"{address.path}?{asked}", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"success")
        connection.close()
        return time.monotonic() - began

    with ThreadPoolExecutor(4) as senders:
        slowest = max(senders.map(send, bodies))
    assert slowest < 1
    figure("G15", "slowest answer to a push", f"{1000 * slowest:.0f} ms")
    assert PushedEvent.objects.count() == 20


def test_an_admin_types_the_secrets_in_and_never_sees_them_again(world: Any) -> None:
    admin, row = member(world, "admin"), world.merchant.credential
    path = f"/admin/merchants/credential/{row.pk}/change/"
    form = {"mode": "own", "new_push_token": TOKEN, "new_aes_key": "too short"}
    assert "43 位" in page(admin.post(path, form))
    assert admin.post(path, form | {"new_aes_key": KEY}).status_code == 302
    shown = page(admin.get(path))
    assert door(row) in shown
    assert f"…{KEY[-4:]}" in shown
    assert TOKEN not in shown
    assert KEY not in shown
    assert push(row, event()).status_code == 200
    assert admin.post(path, {"mode": "own"}).status_code == 302
    assert push(row, event()).status_code == 200, "an empty field keeps what is stored"
