"""Holding an order back: nobody can queue it from any door until it is released or its time has come."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from merchants.models import User
from shipping.models import Hold, Package, Shipment
from shipping.services import Refused, confirm_change, hold_order
from tests.pages.people import colleague, moved
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


def hold(client: Any, order: Any, **more: str) -> Any:
    return client.post(f"/orders/{order.order_id}/hold/", {"reason": "缺货，等补货", **more})


def ship(client: Any, order: Any, **more: str) -> Any:
    return client.post(f"/orders/{order.order_id}/ship/", fields(order, **more))


def test_a_held_order_leaves_by_no_door(world: Any, pump: Any, tmp_path: Any) -> None:
    client, other, order = member(world), colleague(world, "xiaowang"), world.order()
    hold(client, order)
    for more in ({}, {"confirm": "1"}, {"next": "1"}):
        shown = page(ship(other, order, **more))
        assert "把这个订单设成了暂不发货：缺货，等补货" in shown
        assert "SF3100000000001" in shown, "what was typed is still there"
    assert "暂不发货：缺货，等补货" in page(other.get(f"/orders/{order.order_id}/ship/")), (
        "told when it is opened"
    )
    sheet = tmp_path / "orders.csv"
    sheet.write_text(
        f"order_id,delivery_id,waybill_id\n{order.order_id},SF,SF3100000000009\n", encoding="utf-8"
    )
    with pytest.raises(SystemExit):
        call_command("ship", str(sheet), merchant=world.merchant.appid)
    pump()
    assert not Shipment.objects.exists()
    assert world.sends(order) == []
    assert "暂不发货：缺货，等补货" in page(other.get("/?tab=held"))
    assert f'{order.order_id}/ship/"' not in page(other.get("/?tab=held"))


def test_what_is_queued_goes_back_to_draft_and_who_held_and_released_is_told(world: Any, pump: Any) -> None:
    client, other, order = member(world), colleague(world, "xiaowang"), world.order()
    ship(client, order)
    hold(other, order)
    pump()
    assert Package.objects.get().status == "draft"
    assert world.sends(order) == []
    client.post(f"/orders/{order.order_id}/release/")
    detail = page(client.get(f"/orders/{order.order_id}/"))
    timeline = detail.split('id="order-steps"')[1]
    for words in ("暂不发货", "xiaowang · 缺货，等补货", "恢复发货"):
        assert words in timeline
    assert "SF3100000000001" in page(other.get(f"/orders/{order.order_id}/ship/"))
    ship(other, order, form_key="key-2")
    pump()
    assert Package.objects.order_by("pk").last().status == "shipped"


def test_a_stopped_package_of_a_held_order_is_not_confirmed(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    ship(client, order)
    moved(world, order)
    pump()
    hold_order(order=order, user=None, reason="等买家确认")
    with pytest.raises(Refused):
        confirm_change(package=Package.objects.get(), user=User.objects.get())
    package = Package.objects.get()
    told = page(client.get(client.post(f"/packages/{package.pk}/confirm/").url))
    assert "等买家确认" in told
    assert Package.objects.count() == 1


def test_a_hold_ends_when_its_time_has_come(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    until = timezone.localtime(timezone.now() + timedelta(hours=2))
    hold(client, order, until=f"{until:%Y-%m-%dT%H:%M}")
    assert f"到 {until:%m-%d %H:%M} 自动恢复" in page(client.get(f"/orders/{order.order_id}/"))
    assert ship(client, order).status_code == 200
    Hold.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert order.order_id in page(client.get("/?tab=todo"))
    assert ship(client, order).status_code == 302
    hold(client, order, reason="还要等")
    assert Package.objects.get().status == "draft"
    assert [h.released_by for h in Hold.objects.exclude(released_at=None)] == [None], "its time had come"
    assert "恢复发货" in page(client.get(f"/orders/{order.order_id}/")).split('id="order-steps"')[1]


@pytest.mark.parametrize("more", [{"reason": " "}, {"until": "2020-01-01T10:00"}, {"until": "明天"}])
def test_a_hold_without_a_reason_or_with_an_odd_time_is_refused_and_keeps_what_was_typed(
    world: Any, more: dict[str, str]
) -> None:
    client, order = member(world), world.order()
    answer = client.post(f"/orders/{order.order_id}/hold/", {"reason": "缺货，等补货", **more}, follow=True)
    shown = page(answer)
    assert not Hold.objects.exists()
    assert "请写明" in shown or "要填以后的" in shown
    if more.get("until"):
        assert 'value="缺货，等补货"' in shown


def test_a_stranger_holds_and_releases_nothing(world: Any) -> None:
    order = world.order()
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger"))
    for verb in ("hold", "release", "intercepted"):
        assert stranger.post(f"/orders/{order.order_id}/{verb}/", {"reason": "x"}).status_code == 404
    assert not Hold.objects.exists()
