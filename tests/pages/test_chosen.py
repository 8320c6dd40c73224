"""Orders chosen in the list and shipped on one page: all checked before any is queued, nothing typed lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from sandbox import build
from shipping.models import Package, Shipment
from shipping.services import hold_order
from tests.pages.test_desk import member, page
from tests.pages.test_slips import said, stranger_order

pytestmark = pytest.mark.django_db(transaction=True)
SF = "SF310000000000{}"


def form(orders: list[Any], *numbers: str, **more: Any) -> dict[str, Any]:
    ids = [order.order_id for order in orders]
    typed = {f"waybill-{each}": number for each, number in zip(ids, numbers, strict=False)}
    return {
        "row": ids,
        "order": ids,
        "form_key": "k" * 32,
        "courier": "顺丰",
        "back": "/?tab=todo",
        **typed,
        **more,
    }


def send(client: Client, orders: list[Any], *numbers: str, **more: Any) -> Any:
    return client.post("/orders/ship/", form(orders, *numbers, **more))


def test_the_list_leads_to_the_page_and_the_page_ships(world: Any, pump: Callable[..., None]) -> None:
    client, orders = member(world), [world.order(), world.order()]
    answer = client.post("/orders/ship/", {"order": [o.order_id for o in orders], "back": "/?tab=todo"})
    assert answer.status_code == 303
    shown = page(client.get(answer.url))
    assert [f"waybill-{order.order_id}" in shown for order in orders] == [True, True]
    done = send(client, orders, SF.format(1), "sf 3100000000002")
    assert (done.status_code, done.url) == (302, "/?tab=todo")
    pump()
    assert [p.status for p in Package.objects.all()] == ["shipped", "shipped"]
    assert [json.loads(world.sends(o)[0]["body"])["delivery_list"][0]["delivery_id"] for o in orders] == [
        "SF",
        "SF",
    ]
    assert {shipment.door for shipment in Shipment.objects.all()} == {"list"}


def test_one_order_that_a_rule_stops_keeps_all_and_loses_nothing(world: Any) -> None:
    client, orders = member(world), [world.order(), world.order()]
    shown = page(send(client, orders, SF.format(1), ""))
    assert not Shipment.objects.exists()
    assert (SF.format(1) in shown, 'value="顺丰"' in shown) == (True, True)
    assert "有 1 个订单发不了" in shown
    done = send(client, orders, SF.format(1), "", order=[orders[0].order_id])
    assert done.status_code == 302
    assert [s.order for s in Shipment.objects.all()] == [orders[0]]


def test_a_held_order_is_told_on_its_row(world: Any) -> None:
    client, order = member(world), world.order()
    hold_order(order=order, user=None, reason="等买家回复", until=None)
    assert "等买家回复" in page(send(client, [order], SF.format(1)))
    assert not Shipment.objects.exists()


def test_a_virtual_order_needs_neither_courier_nor_number(world: Any, pump: Callable[..., None]) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 2)], deliver_method=1)
    shown = page(client.get(f"/orders/ship/?order={order.order_id}"))
    assert ("无需物流" in shown, "waybill-" in shown.replace('id="waybill-', "")) == (True, False)
    assert send(client, [order], courier="").status_code == 302
    pump()
    assert Package.objects.get().deliver_type == 3


def test_a_pasted_column_is_filled_in_and_looked_at_before_it_leaves(world: Any) -> None:
    client, orders = member(world), [world.order() for _ in range(3)]
    pasted = f"{orders[2].order_id}\t{SF.format(3)}\n{SF.format(1)}\n\n{SF.format(2)}\n{SF.format(4)}"
    shown = page(send(client, orders, pasted=pasted))
    for number, order in enumerate(orders, 1):
        assert f'name="waybill-{order.order_id}" value="{SF.format(number)}"' in shown
    assert f"{SF.format(4)}</textarea>" in shown
    assert not Shipment.objects.exists()


def test_a_courier_told_by_the_number_is_confirmed_first(world: Any) -> None:
    client, order = member(world), world.order()
    assert "按单号猜是 顺丰速运" in page(send(client, [order], SF.format(1), courier=""))
    assert not Shipment.objects.exists()
    assert send(client, [order], SF.format(1), courier="", confirm="1").status_code == 302
    assert Package.objects.get().delivery_id == "SF"


def test_the_same_form_twice_ships_once(world: Any) -> None:
    client, orders = member(world), [world.order(), world.order()]
    for _ in range(2):
        send(client, orders, SF.format(1), SF.format(2))
    assert Shipment.objects.count() == 2


def test_a_number_of_two_buyers_is_a_warning(world: Any) -> None:
    client = member(world)
    orders = [world.order(openid="buyer-a"), world.order(openid="buyer-b")]
    assert page(send(client, orders, SF.format(1), SF.format(1))).count("那是另一位买家") == 2
    assert not Shipment.objects.exists()


def test_many_packages_ask_whose_they_are(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("shipping.chosen.ASK_FROM", 1)
    monkeypatch.setattr("shipping.views.chosen.ASK_FROM", 1)
    client, orders = member(world), [world.order(), world.order()]
    shown = page(send(client, orders, SF.format(1), SF.format(2)))
    assert "将发出 2 个包裹：测试店 2" in shown
    assert not Shipment.objects.exists()
    assert send(client, orders, SF.format(1), SF.format(2), confirm="1").status_code == 302


def test_nothing_chosen_and_a_strangers_order(world: Any) -> None:
    client = member(world)
    assert "勾选" in said(client.post("/orders/ship/", {"back": "/"}))
    stranger = stranger_order()
    assert client.get(f"/orders/ship/?order={stranger.order_id}").status_code == 404
    assert send(client, [stranger], SF.format(1)).status_code == 404
