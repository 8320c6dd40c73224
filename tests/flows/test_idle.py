"""When the worker has nothing left to do: it neither waits for ever nor leaves while something comes due."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import Credential, Merchant
from merchants.services import pause_merchant, resume_merchant
from sandbox import build
from shipping.dispatch import Pump
from shipping.dispatch.waiting import is_work_due
from shipping.drafts import Item
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = pytest.mark.django_db(transaction=True)
ONE = (Item("1001", "2001", 1),)


def seconds_to_idle(limit: float = 8) -> float:
    began = time.monotonic()
    Pump().run(limit, until_idle=True)
    return time.monotonic() - began


def conflicting(world: Any) -> Any:
    """An order of two pieces whose first parcel ended in conflict."""
    order = world.order([build.line("1001", "2001", 2)])
    world.remote.fault("busy_before")
    world.remote.fault("code", call="order/get", errcode=100002, order_id=order.order_id)
    shipment = ship(order, parcel(items=ONE))
    assert seconds_to_idle() < 4
    assert status_of(shipment) == ["conflict"]
    return order


def test_a_conflict_holds_the_order_back_and_the_worker_is_idle(world: Any) -> None:
    second = ship(conflicting(world), parcel("SF3100000000002", ONE))
    assert seconds_to_idle() < 2
    assert status_of(second) == ["queued"]
    assert not is_work_due()


def test_a_ticket_does_not_spin_on_what_it_may_not_claim(world: Any) -> None:
    ship(conflicting(world), parcel("SF3100000000002", ONE))
    began = time.monotonic()
    Pump().run(5)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("code", [45011, 45009])
def test_a_pause_that_ends_soon_is_waited_through(world: Any, monkeypatch: Any, code: int) -> None:
    monkeypatch.setattr("shipping.dispatch.recording.until", lambda code, now: now + timedelta(seconds=1.2))
    order = world.order()
    world.remote.fault("code", errcode=code)
    shipment = ship(order)
    assert seconds_to_idle() >= 1
    assert status_of(shipment) == ["shipped"]
    assert [row["errcode"] for row in world.sends(order)] == [code, 0]


def test_a_merchant_made_for_another_host_is_not_called_to_settle(world: Any, settings: Any) -> None:
    settings.SETTLE_GRACE = 1200
    order = world.order()
    world.remote.fault("busy_before")
    shipment = ship(order)
    Pump().run(0.5)
    assert status_of(shipment) == ["unknown"]
    Merchant.objects.update(api_host="api.elsewhere.example")
    before = len(world.remote.ledger())
    order.attempts.update(next_read_at=timezone.now())
    assert seconds_to_idle() < 2
    assert len(world.remote.ledger()) == before
    assert not is_work_due()


@pytest.mark.parametrize("has_row", [True, False])
def test_a_merchant_without_a_secret_is_paused_for_its_admin(world: Any, has_row: bool) -> None:
    order = world.order()
    Credential.objects.update(app_secret="", access_token="")
    if not has_row:
        Credential.objects.all().delete()
    shipment = ship(order)
    assert seconds_to_idle() < 2
    assert status_of(shipment) == ["queued"]
    assert world.merchant.pauses.get(ended_at=None).errcode == 41004


def test_what_is_due_within_ten_minutes_is_waited_for(world: Any) -> None:
    soon, far = ship(world.order()), ship(world.order(), parcel("SF3100000000002"))
    now = timezone.now()
    type(soon).objects.filter(pk=soon.pk).update(due_at=now + timedelta(seconds=1))
    type(far).objects.filter(pk=far.pk).update(due_at=now + timedelta(minutes=10, seconds=5))
    assert 1 <= seconds_to_idle() < 4
    assert (status_of(soon), status_of(far)) == (["shipped"], ["queued"])


def test_a_parcel_of_the_same_order_in_doubt_is_settled_for_a_waiting_file(world: Any, settings: Any) -> None:
    """`ship --wait` pumps its own shipments only; another one of the same order stands in their way."""
    order = world.order([build.line("1001", "2001", 2)])
    settings.SETTLE_GRACE = 0.6
    world.remote.fault("busy_after")
    world.remote.fault("reset_before", call="order/get", order_id=order.order_id)
    first, second = ship(order, parcel(items=ONE)), ship(order, parcel("SF3100000000002", ONE))
    while status_of(first) != ["unknown"]:
        Pump(only=[first.pk]).run(0.01)
    Pump(only=[second.pk]).run(8, until_idle=True)
    assert (status_of(first), status_of(second)) == (["shipped"], ["shipped"])


def test_a_store_that_stood_still_goes_on_with_what_is_due_first(
    world: Any, pump: Any, settings: Any
) -> None:
    settings.LANES = 1
    deadlines = (1900000000, 1800000000)
    orders = [world.order([build.line("1001", "2001", 1, delivery_deadline=at)]) for at in deadlines]
    pause_merchant(merchant=world.merchant, errcode=48001)
    for number, order in enumerate(orders):
        ship(order, parcel(f"SF310000000000{number}"))
    resume_merchant(merchant=world.merchant)
    pump()
    sent = [row["order_id"] for row in world.remote.ledger() if row["path"].endswith("delivery/send")]
    assert sent == [orders[1].order_id, orders[0].order_id]
