"""One parcel for several orders of one buyer: one tracking number, one call and one status for each."""

from html import unescape
from typing import Any

import pytest

from sandbox import build
from shipping.models import Package, Shipment
from tests.pages.people import colleague
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


def ship(client: Any, order: Any, *also: Any, **more: str) -> Any:
    typed = {**fields(order, **more), "also": [other.order_id for other in also]}
    return client.post(f"/orders/{order.order_id}/ship/", typed)


def test_the_other_orders_of_this_buyer_at_this_address_are_offered(world: Any) -> None:
    client, order = member(world), world.order()
    same = [world.order(), world.order()]
    others = [
        world.order(address_info=build.address(hash_code="h-other")),
        world.order(openid="oAnotherBuyer"),
        world.order([build.subsidy_line()]),
        world.order(aftersale_detail={"on_aftersale_order_cnt": 1}),
        world.order(status=12),
    ]
    html = page(client.get(f"/orders/{order.order_id}/ship/"))
    assert "同一买家同一地址还有 2 单" in html
    offered = html.split("同一买家同一地址还有")[1].split("</fieldset>")[0]
    assert all(each.order_id in offered for each in same)
    assert not any(each.order_id in offered for each in others)
    assert "同一买家" not in page(client.get(f"/orders/{others[2].order_id}/ship/"))


def test_the_chosen_orders_leave_with_one_number_and_a_call_each(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    second, third, left = world.order([build.line("1001", "2001", 3)]), world.order(), world.order()
    world.remote.fault("code", errcode=606005, order_id=third.order_id)
    answer = ship(client, order, second, third)
    ship(client, order, second, third)
    assert "3 个订单" in page(client.get(answer.url))
    pump()
    found = {p.order.order_id: (p.waybill_id, p.status) for p in Package.objects.select_related("order")}
    assert found == {
        order.order_id: ("SF3100000000001", "shipped"),
        second.order_id: ("SF3100000000001", "shipped"),
        third.order_id: ("SF3100000000001", "rejected"),
    }
    assert [len(world.sends(each)) for each in (order, second, third, left)] == [1, 1, 1, 0]
    assert Package.objects.get(order=second).items.get().product_cnt == 3


def test_none_leaves_when_a_rule_stops_one_of_them(world: Any) -> None:
    client, order, other = member(world), world.order(), world.order()
    assert ship(client, order, other, **{"p0-waybill_id": "7835#1122"}).status_code == 200
    assert not Shipment.objects.exists()


def test_one_that_a_colleague_shipped_meanwhile_is_named(world: Any) -> None:
    client, order, other = member(world), world.order(), world.order()
    ship(colleague(world, "second"), other, form_key="key-2", **{"p0-waybill_id": "SF3100000000002"})
    asked = unescape(page(ship(client, order, other)))
    assert other.order_id in asked
    assert "不能一起发了" in asked
    assert Shipment.objects.count() == 1
    assert ship(client, order, other, confirm="1").status_code == 302
    assert Shipment.objects.count() == 2


def test_a_number_of_another_buyer_or_address_warns_loudly(world: Any) -> None:
    client, order = member(world), world.order()
    stranger = world.order(openid="oAnotherBuyer")
    moved = world.order(address_info=build.address(hash_code="h-other"))
    ship(client, order)
    for number, other in enumerate((stranger, moved)):
        asked = page(ship(client, other, form_key=f"key-{number}-2"))
        assert "那是另一位买家或另一个地址" in asked
        assert order.order_id in asked
        assert 'name="confirm"' in asked
    assert Shipment.objects.count() == 1
    assert ship(client, stranger, form_key="key-0-2", confirm="1").status_code == 302


def test_the_choice_is_kept_with_the_draft(world: Any) -> None:
    client, order, other = member(world), world.order(), world.order()
    ship(client, order, other, preview="1")
    html = page(client.get(f"/orders/{order.order_id}/ship/"))
    assert f'value="{other.order_id}" checked' in html
