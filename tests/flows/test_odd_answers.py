"""Answers that a database may refuse to store: they are one store's, or one order's, affair."""

from typing import Any

import pytest
from django.db import connection

from merchants import tokens
from merchants.models import Credential
from merchants.services import add_merchant
from sandbox import build
from shipping.dispatch import Pump, sending
from shipping.drafts import Item
from shipping.models import Order
from shipping.syncing import read_order, sync_couriers
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
OTHER = "wx00000000000000bb"


def order_elsewhere(world: Any) -> Order:
    """An order of another store."""
    world.remote.merchant(OTHER, "t" * 32)
    merchant = add_merchant(appid=OTHER, name="别家", secret="t" * 32)
    sync_couriers(merchant)
    order, _ = read_order(merchant, world.remote.order(OTHER, [build.line("1", "2", 1)])["order_id"])
    assert order is not None
    return order


def test_a_token_answer_we_stumble_over_ends_no_other_store_s_calls(world: Any) -> None:
    bad, good = ship(order_elsewhere(world), parcel("SF3100000000002")), ship(world.order())
    Credential.objects.exclude(merchant=world.merchant).update(token_expires_at=None)
    world.remote.fault("code", call="stable_token", appid=OTHER, errcode=3_000_000_000, times=0)
    world.remote.fault("drip", seconds=1)
    Pump().run(2.5)
    assert (status_of(bad), status_of(good)) == (["queued"], ["shipped"])


def test_a_long_number_in_an_order_keeps_no_parcel_waiting_in_silence(world: Any) -> None:
    """Someone else wrote more than 64 characters into a number of a parcel that has left."""
    order = world.order([build.line("1001", "2001", 2)])
    item = Item("1001", "2001", 1)
    world.remote.ship_by_hand(order.order_id, [build_parcel()])
    truth = world.remote.truth(order.order_id)
    parcels = truth["order_detail"]["delivery_info"]["delivery_product_info"]
    parcels[0]["waybill_id"] = "SF1234567890/" * 6
    patch = {"order_detail": {"delivery_info": {"delivery_product_info": parcels}}}
    world.remote.change(order.order_id, patch)
    shipment = ship(order, parcel("SF3100000000009", (item,)))
    Order.objects.update(read_at=None)
    Pump().run(3, until_idle=True)
    assert status_of(shipment) == ["shipped"], (connection.vendor, shipment.attempts.get().slug)


def build_parcel() -> dict[str, Any]:
    goods = [{"product_id": "1001", "sku_id": "2001", "product_cnt": 1}]
    return {"deliver_type": 1, "delivery_id": "SF", "waybill_id": "SF3100000000777", "product_infos": goods}


def test_a_fault_of_our_own_with_one_store_s_token_is_that_store_s_affair(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = ship(order_elsewhere(world), parcel("SF3100000000002")), ship(world.order())
    Credential.objects.exclude(merchant=world.merchant).update(token_expires_at=None)

    def stumble(*words: Any, **more: Any) -> None:
        raise LookupError(world.merchant.name)

    monkeypatch.setattr(tokens, "save", stumble)
    world.remote.fault("drip", seconds=1)
    Pump().run(2.5)
    assert (status_of(bad), status_of(good)) == (["queued"], ["shipped"])


def test_facts_we_stumble_over_let_the_others_go_and_say_why_the_parcel_waits(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = ship(world.order(), parcel("SF3100000000002")), ship(world.order())
    Order.objects.update(read_at=None)
    honest = sending.store_reply

    def store(merchant: Any, order_id: str, *words: Any) -> Any:
        if order_id == bad.order.order_id:
            raise LookupError(order_id)
        return honest(merchant, order_id, *words)

    monkeypatch.setattr(sending, "store_reply", store)
    Pump().run(2)
    assert (status_of(bad), status_of(good)) == (["queued"], ["shipped"])
    assert bad.packages.get().slug == "facts_unreadable"
    assert world.sends(bad.order) == []


def test_what_breaks_off_while_a_parcel_is_put_back_leaves_it_in_the_queue(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipment = ship(world.order())
    Order.objects.update(read_at=None)
    world.remote.fault("empty", call="order/get")
    honest, broken = sending._postpone, [True]

    def postpone(shipment: Any) -> None:
        if broken:
            raise LookupError(broken.pop())
        honest(shipment)

    monkeypatch.setattr(sending, "_postpone", postpone)
    Pump().run(1)
    shipment.refresh_from_db()
    assert (status_of(shipment), shipment.due_at is None) == (["queued"], False)
