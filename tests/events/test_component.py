"""Stores called through our third-party platform: their events come in XML, sealed for the platform."""

from typing import Any
from urllib.parse import urlencode

from django.test import Client

from merchants.models import PushedEvent
from sandbox import cipher
from shipping.models import Order, Reading
from tests.conftest import APPID
from tests.lines.conftest import KEY, PLATFORM, TOKEN, Provider

STAMP, NONCE = "1714112445", "415670741"
EVENT = (
    "<xml><ToUserName><![CDATA[gh_000000000000]]></ToUserName><FromUserName><![CDATA[OPENID]]></FromUserName>"
    "<CreateTime>1735000300</CreateTime><MsgType><![CDATA[event]]></MsgType>"
    "<Event><![CDATA[channels_ec_aftersale_update]]></Event><finder_shop_aftersale_status_update>"
    "<status><![CDATA[USER_WAIT_RETURN]]></status><after_sale_order_id>2000000000000001</after_sale_order_id>"
    "<order_id>3700000000000000001</order_id></finder_shop_aftersale_status_update></xml>"
)


def push(appid: str, inner: str = PLATFORM) -> Any:
    encrypted = cipher.seal(EVENT, KEY, inner)
    asked = {"timestamp": STAMP, "nonce": NONCE, "msg_signature": cipher.sign(TOKEN, STAMP, NONCE, encrypted)}
    body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    path = f"/wechat/events/component/{appid}/?{urlencode(asked)}"
    return Client(enforce_csrf_checks=True).post(path, body, content_type="text/xml")


def test_an_authorized_stores_event_has_its_order_read(provider: Provider) -> None:
    for _ in range(10):
        assert push(APPID).content == b"success"
    assert PushedEvent.objects.get().merchant == provider.world.merchant
    assert Reading.objects.get().order == Order.objects.get(order_id="3700000000000000001")


def test_another_platforms_or_stores_is_403_and_no_row(provider: Provider) -> None:
    assert push(APPID, inner=APPID).status_code == 403
    assert push("wxunknown").status_code == 403
    assert not PushedEvent.objects.exists()
