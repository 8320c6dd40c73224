"""The desk through its pages: Django's client posts, the worker works, the page tells."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from shipping.drafts import Item
from shipping.models import Package, Shipment
from shipping.syncing import read_order
from tests.flows.test_dispatch import parcel, ship

pytestmark = pytest.mark.django_db(transaction=True)


def member(world: Any, role: str = "staff") -> Client:
    user = User.objects.create_user(role, password="x")
    set_membership(user=user, merchant=world.merchant, role=role)
    client = Client()
    client.force_login(user)
    return client


def page(response: Any) -> str:
    return str(response.content.decode())


def run_tasks() -> None:
    """Work off what pages have enqueued, as the worker of the queue `rest` would."""
    call_command("db_worker", "--batch", "--queue-name", "rest", "--no-startup-delay", verbosity=0)


def fields(order: Any, waybill: str = "SF3100000000001", **more: str) -> dict[str, str]:
    return {"cards": "1", "form_key": "key-1", "p0-deliver_type": "1", "p0-waybill_id": waybill,
            "p0-delivery_id": "SF", "p0-cnt-0": "1", **more}  # fmt: skip


def test_an_order_is_shipped_from_its_page(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    assert order.order_id in page(client.get("/"))
    answer = client.post(f"/orders/{order.order_id}/ship/", fields(order))
    assert answer.status_code == 302
    pump()
    shown = page(client.get(answer.url))
    assert "已发货" in shown
    assert "SF3100000000001" in shown
    assert len(world.sends(order)) == 1


def test_a_wrong_form_keeps_what_was_typed_and_names_the_field(world: Any) -> None:
    client, order = member(world), world.order()
    answer = client.post(f"/orders/{order.order_id}/ship/", fields(order, "7835#1122"))
    shown = page(answer)
    assert answer.status_code == 200
    assert "7835#1122" in shown
    assert 'id="p0-waybill_id-error"' in shown
    assert not Shipment.objects.exists()


def test_the_same_form_posted_twice_ships_once(world: Any, pump: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 2)])
    for _ in range(3):
        client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    assert Package.objects.count() == 1
    assert len(world.sends(order)) == 1


def test_an_empty_courier_takes_the_guess(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    client.post(f"/orders/{order.order_id}/ship/", fields(order, **{"p0-delivery_id": ""}))
    assert Package.objects.get().delivery_id == "SF"


def test_a_second_card_holds_what_is_left(world: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 3)])
    shown = page(client.post(f"/orders/{order.order_id}/ship/", fields(order, add="1")))
    assert 'name="p1-cnt-0" inputmode="numeric" value="2"' in shown


def test_a_rejected_package_opens_its_form_again(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    world.remote.fault("code", errcode=606005)
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    package = Package.objects.get()
    assert f"?fix={package.pk}" in page(client.get(f"/packages/{package.pk}/status/"))
    assert all(order.order_id in page(client.get(f"/?tab={tab}")) for tab in ("mine", "trouble"))
    assert "SF3100000000001" in page(client.get(f"/orders/{order.order_id}/ship/?fix={package.pk}"))
    client.post(f"/orders/{order.order_id}/ship/", fields(order, fix=str(package.pk), form_key="key-2"))
    pump()
    assert [p.status for p in Package.objects.order_by("pk")] == ["rejected", "shipped"]
    assert Shipment.objects.order_by("pk").last().corrects_id == package.shipment_id
    # What was put right needs no hands: neither the counter nor a list leads to it.
    assert "toast-note" not in page(client.get("/trouble/?seen=1"))
    for tab in ("mine", "trouble"):
        assert order.order_id not in page(client.get(f"/?tab={tab}"))


def test_strangers_see_404_everywhere(world: Any) -> None:
    order = world.order()
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger"))
    for path in (f"/orders/{order.order_id}/", f"/orders/{order.order_id}/ship/", "/history/"):
        assert stranger.get(path).status_code == 404
    assert Client().get("/").status_code == 302


def test_managers_have_a_history_and_everybody_the_codes(world: Any, pump: Any) -> None:
    staff, manager, order = member(world), member(world, "manager"), world.order()
    staff.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    assert "SF3100000000001" in page(manager.get("/history/?status=shipped"))
    assert staff.get("/history/").status_code == 404
    assert "606005" in page(staff.get("/errors/?q=606005"))


def test_a_partly_shipped_order_says_what_is_left_and_a_shipped_one_is_not_overdue(
    world: Any, pump: Any
) -> None:
    order, client = world.order([build.line("1001", "2001", 2)]), member(world)
    url = f"/orders/{order.order_id}/"
    type(order).objects.update(deadline_at=timezone.now() - timedelta(hours=1))
    assert ("还剩" in page(client.get(url)), "已超时" in page(client.get(url))) == (False, True)
    ship(order, parcel("SF3100000000001", (Item("1001", "2001", 1),)))
    pump()
    assert "还剩 1" in page(client.get(url))
    ship(order, parcel("SF3100000000002", (Item("1001", "2001", 1),)))
    pump()
    read_order(world.merchant, order.order_id)
    assert ("还剩" in page(client.get(url)), "已超时" in page(client.get(url))) == (False, False)
