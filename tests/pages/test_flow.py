"""Shipping in a row: the next order, one's own courier, drafts that save themselves, the undo window."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import Merchant
from sandbox import build
from shipping.models import Order, Package, Shipment, Typed
from shipping.services import hold_order
from tests.pages.people import OTHER_APPID, colleague, order_at, second_store
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


def ship(client: Any, order: Any, **more: str) -> Any:
    return client.post(f"/orders/{order.order_id}/ship/", fields(order, **more))


def opened(client: Any, order: Any, query: str = "") -> str:
    return page(client.get(f"/orders/{order.order_id}/ship/{query}"))


def due(order: Any, hours: int) -> Any:
    Order.objects.filter(pk=order.pk).update(deadline_at=timezone.now() + timedelta(hours=hours))
    order.refresh_from_db()
    return order


def value(html: str, name: str) -> str:
    return unescape(html.split(f'name="{name}" value="')[1].split('"')[0])


def test_the_next_due_order_of_the_same_list_opens(world: Any) -> None:
    client = member(world)
    other = second_store(world, "staff")
    first, second, third = (due(world.order(), hours) for hours in (30, 20, 40))
    held, elsewhere = due(world.order(), 31), due(order_at(world, other), 32)
    hold_order(order=held, user=None, reason="缺货")
    came = f"tab=todo&merchant={world.merchant.appid}"
    answer = ship(client, first, next="1", **{"from": came})
    assert answer.url.startswith(f"/orders/{third.order_id}/ship/?from=")
    html = page(client.get(answer.url))
    assert value(html, "from") == came
    assert first.order_id in html, "the one just done is one click away"
    # Behind the last one the list begins anew, then it is done.
    answer = ship(client, third, next="1", form_key="3", **{"from": came, "p0-waybill_id": "SF3100000000003"})
    assert second.order_id in answer.url
    answer = ship(
        client, second, next="1", form_key="2", **{"from": came, "p0-waybill_id": "SF3100000000002"}
    )
    assert answer.url == f"/?{came}"
    # A confirmation goes on as well, and the other store's list is its own.
    typed = {"from": f"tab=todo&merchant={OTHER_APPID}", "p0-waybill_id": "123456789012"}
    assert 'value="next"' in page(ship(client, elsewhere, next="1", form_key="4", **typed))
    assert ship(client, elsewhere, confirm="next", form_key="4", **typed).url.startswith("/?tab=todo")


def test_ones_last_courier_at_this_store_is_taken_when_no_guess_fits(world: Any) -> None:
    client = member(world)
    other = second_store(world, "staff")
    ship(client, world.order(), **{"p0-delivery_id": "ZTO", "p0-waybill_id": "75312345678901"})
    ship(
        client,
        order_at(world, other),
        form_key="o",
        **{"p0-delivery_id": "STO", "p0-waybill_id": "773123456789012"},
    )
    odd = {"p0-delivery_id": "", "p0-waybill_id": "AB-12345678"}
    asked = page(ship(client, world.order(), form_key="2", **odd))
    assert "您上次用的是 中通" in asked
    guessed = page(ship(client, world.order(), form_key="3", preview="1", **{"p0-delivery_id": ""}))
    assert "顺丰" in guessed
    assert "按单号猜的" in guessed
    fresh = page(ship(colleague(world, "second"), world.order(), form_key="4", **odd))
    assert "您上次用的" not in fresh


def test_a_draft_saves_itself_for_its_owner_until_it_is_sent(world: Any) -> None:
    client, other, order = member(world), colleague(world, "second"), world.order([build.line("1", "2", 3)])
    typed = {"cards": "2", "p1-deliver_type": "1", "p1-waybill_id": "SF3100000000002", "p1-cnt-0": "二",
             "p0-wxa_path": "pages/index", "p0-sn_code": "sn 1"}  # fmt: skip
    assert "已自动保存" in page(ship(client, order, preview="1", **typed))
    html = opened(client, order)
    for words in ("没发完的内容", "SF3100000000001", "SF3100000000002", 'value="二"', "pages/index", "sn 1"):
        assert words in html
    assert value(html, "form_key") == "key-1"
    assert "SF3100000000001" not in opened(other, order)
    # Also what was typed before a card was added, and in a form that a rule stopped.
    ship(client, order, add="1", **{"p0-waybill_id": "SF3100000000008"})
    assert "SF3100000000008" in opened(client, order)
    ship(client, order, **{"p0-waybill_id": "7835#1122"})
    assert "7835#1122" in opened(client, order)
    client.post(f"/orders/{order.order_id}/ship/", {"forget": "1"})
    assert "7835#1122" not in opened(client, order)


def test_a_save_that_comes_late_does_not_bring_back_what_was_sent(world: Any) -> None:
    client, order = member(world), world.order([build.line("1", "2", 3)])
    ship(client, order)
    late = page(ship(client, order, preview="1"))
    assert "已自动保存" not in late
    assert not Typed.objects.exists()
    html = opened(client, order)
    assert value(html, "form_key") != "key-1"
    # Sent in another window while this one was open: its form is not taken for a repetition.
    ship(client, order, preview="1", form_key="key-2", **{"p0-waybill_id": "SF3100000000002"})
    ship(colleague(world, "second"), world.order(), form_key="key-3")
    assert value(opened(client, order), "form_key") == "key-2"


def test_a_correction_is_kept_as_a_correction(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    world.remote.fault("code", errcode=606005, order_id=order.order_id)
    ship(client, order)
    pump()
    package = Package.objects.get()
    ship(
        client, order, fix=str(package.pk), preview="1", form_key="k2", **{"p0-waybill_id": "SF3100000000077"}
    )
    for query in (f"?fix={package.pk}", ""):
        html = opened(client, order, query)
        assert "SF3100000000077" in html, query
        assert value(html, "fix") == str(package.pk), query
    ship(client, order, fix=str(package.pk), form_key="k2", **{"p0-waybill_id": "SF3100000000077"})
    pump()
    assert Shipment.objects.last().corrects == package.shipment
    # Once corrected, its link opens nothing to correct again.
    assert 'name="fix"' not in opened(client, order, f"?fix={package.pk}")


def test_a_queued_package_waits_its_undo_window_and_can_be_withdrawn(world: Any, pump: Any) -> None:
    Merchant.objects.update(undo_seconds=60)
    client, order = member(world), world.order()
    html = page(client.get(ship(client, order).url))
    assert "离发出还有" in html
    assert "撤回" in html
    pump(0.3)
    assert world.sends(order) == []
    shipment = Shipment.objects.get()
    for words in ("已撤回 1 个包裹", "没有可以撤回的包裹"):
        assert words in page(client.get(client.post(f"/shipments/{shipment.pk}/cancel/").url))
    pump()
    assert world.sends(order) == []
    assert "SF3100000000001" in opened(client, order), "what was typed opens again"
    ship(client, order, form_key="key-2")
    Shipment.objects.update(due_at=timezone.now())
    pump()
    assert len(world.sends(order)) == 1
    told = page(client.get(client.post(f"/shipments/{Shipment.objects.last().pk}/cancel/").url))
    assert "没有可以撤回的包裹" in told


def test_the_row_of_the_next_order_says_how_long_the_last_can_be_undone(world: Any) -> None:
    Merchant.objects.update(undo_seconds=60)
    client, first, second = member(world), world.order(), world.order()
    html = page(client.get(ship(client, first, next="1").url))
    assert second.order_id in html
    assert f'href="/orders/{first.order_id}/"' in html
    assert "60 秒内可以撤回" in html
