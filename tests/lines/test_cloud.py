"""A store called from WeChat CloudRun: no token anywhere, its failures explained, couriers by the old call."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from merchants.models import Credential, Pause
from shipping.models import Package
from shipping.syncing import sync_couriers
from tests.flows.test_dispatch import ship, status_of
from tests.pages.test_admin import admin
from tests.pages.test_desk import member, page
from wechat.errcodes import CODES, LOCAL

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin"]  # the fixture


@pytest.fixture
def cloud(world: Any, settings: Any) -> Any:
    """The world's store in the cloud, without any secret, its ledger empty."""
    settings.WECHAT_CLOUD_API_URL = world.remote.cloud(world.merchant.appid)
    Credential.objects.update(mode="cloud", app_secret="", access_token="", token_expires_at=None)
    world.remote.ask("DELETE", "/_sandbox/ledger")
    return world


def test_an_order_ships_end_to_end_without_a_token(cloud: Any, pump: Any) -> None:
    order = cloud.order()
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert [row["errcode"] for row in cloud.sends(order)] == [0]
    assert {row["token_print"] for row in cloud.remote.ledger()} == {""}
    assert not [row for row in cloud.remote.ledger() if "cgi-bin" in row["path"]], "no token was asked for"


def test_couriers_come_by_the_old_call_alone(cloud: Any) -> None:
    cloud.merchant.couriers.all().delete()
    assert sync_couriers(cloud.merchant)
    assert [row["path"] for row in cloud.remote.ledger()] == ["/channels/ec/order/deliverycompanylist/get"]
    assert cloud.merchant.couriers.filter(delivery_id="SF").exists()


@pytest.mark.parametrize("bad_gateway", [False, True])
def test_a_path_that_is_not_on_the_list_pauses_and_says_where(
    cloud: Any, pump: Any, bad_gateway: bool
) -> None:
    order = cloud.order()
    cloud.remote.cloud(cloud.merchant.appid, allowed=["order/get"], bad_gateway=bad_gateway)
    shipment = ship(order)
    pump(5)
    assert status_of(shipment) == ["queued"], "a refusal is no lost call"
    assert Pause.objects.get(ended_at=None).errcode == 85107
    assert CODES[85107].do_zh in page(member(cloud).get("/"))
    assert len(cloud.sends(order)) == 1


def test_another_502_is_not_taken_for_a_refusal(cloud: Any, pump: Any) -> None:
    order = cloud.order()
    cloud.remote.fault("http502_html")
    shipment = ship(order)
    pump(0.5)
    assert shipment.packages.get().slug == "http_error"
    assert shipment.packages.get().status != "queued"


@pytest.mark.parametrize("code", [85112, 85113])
def test_a_cloud_that_is_not_ready_is_waited_for(cloud: Any, pump: Any, code: int, monkeypatch: Any) -> None:
    monkeypatch.setattr("shipping.dispatch.recording.table_wait", lambda *_: timedelta(0))
    order = cloud.order()
    cloud.remote.fault("code", errcode=code)
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert [row["errcode"] for row in cloud.sends(order)] == [code, 0]


def test_a_switch_that_is_off_is_explained_and_waited_for(cloud: Any, pump: Any) -> None:
    order = cloud.order()
    cloud.remote.cloud(cloud.merchant.appid, is_on=False)
    shipment = ship(order)
    pump(1)
    assert (Package.objects.get().status, Package.objects.get().slug) == ("queued", "cloud_switched_off")
    assert LOCAL["cloud_switched_off"].do_zh in page(member(cloud).get(f"/orders/{order.order_id}/"))
    cloud.remote.cloud(cloud.merchant.appid)
    pump()
    assert status_of(shipment) == ["shipped"]


def test_outside_the_cloud_it_cannot_be_chosen(world: Any, admin: Client, pump: Any, settings: Any) -> None:
    url = f"/admin/merchants/credential/{Credential.objects.get().pk}/change/"
    assert "只有部署在微信云托管里" in page(admin.post(url, {"mode": "cloud"}))
    settings.WECHAT_CLOUD_API_URL = world.remote.cloud(world.merchant.appid)
    assert admin.post(url, {"mode": "cloud"}).status_code == 302
    assert "云调用不需要" in page(admin.get(url))
    order = world.order()
    settings.WECHAT_CLOUD_API_URL = ""
    shipment = ship(order)
    pump(2)
    assert status_of(shipment) == ["queued"]
    assert Pause.objects.get(ended_at=None).slug == "cloud_not_set_up"
