"""What happens between a claim and its call, and between a call and the next."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from merchants.models import Credential
from shipping import tasks
from shipping.models import Order, Reading
from shipping.syncing import read_order
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = pytest.mark.django_db(transaction=True)
MOVED = {"order_detail": {"delivery_info": {"address_info": {"hash_code": "another-house"}}}}


def soon(seconds: float, work: Any) -> threading.Timer:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    timer = threading.Timer(seconds, run)
    timer.start()
    return timer


def test_an_event_during_the_read_before_sending(world: Any, pump: Any) -> None:
    """order/get was asked, then an event says that the order changed: the answer in flight is older than it."""
    order = world.order()
    shipment = ship(order)
    Order.objects.update(read_at=None)
    world.remote.fault("drip", call="order/get", seconds=1)

    def event() -> None:
        world.remote.change(order.order_id, MOVED)
        now = timezone.now()
        Reading.objects.create(order=order, asked_at=now, due_at=now)

    timer = soon(0.4, event)
    pump()
    timer.join()
    assert (status_of(shipment), world.sends(order)) == (["rejected"], []), shipment.packages.get().slug


def test_what_another_worker_read_while_the_token_was_fetched(world: Any, pump: Any) -> None:
    """The old token lives on: the reading worker uses it, the pump waits for the new one, with old facts in hand."""
    order = world.order()
    shipment = ship(order)
    Credential.objects.update(token_expires_at=timezone.now() + timedelta(seconds=200))
    world.remote.fault("drip", call="stable_token", seconds=1)

    def reread() -> None:
        world.remote.change(order.order_id, MOVED)
        found, reply = read_order(world.merchant, order.order_id)
        assert found is not None, reply

    timer = soon(0.4, reread)
    pump()
    timer.join()
    assert Order.objects.get().address_hash == "another-house"
    assert (status_of(shipment), world.sends(order)) == (["rejected"], []), shipment.packages.get().slug


def test_control_the_same_change_known_before_the_claim_stops_the_parcel(world: Any, pump: Any) -> None:
    order = world.order()
    shipment = ship(order)
    world.remote.change(order.order_id, MOVED)
    read_order(world.merchant, order.order_id)
    pump()
    assert (status_of(shipment), world.sends(order)) == (["rejected"], []), shipment.packages.get().slug


@pytest.mark.parametrize("code", [45009, 45011])
def test_a_quota_on_reads_ends_the_task_that_reads_what_has_left(world: Any, pump: Any, code: int) -> None:
    orders = [world.order() for _ in range(4)]
    for number, order in enumerate(orders):
        ship(order, parcel(f"SF310000000000{number}"))
    pump()
    before = len(world.remote.ledger(path="/channels/ec/order/get"))
    world.remote.fault("code", call="order/get", errcode=code, times=0)
    for task in DBTaskResult.objects.filter(task_path="shipping.tasks.read_shipped"):
        tasks.read_shipped.func(*task.args_kwargs["args"])
    assert len(world.remote.ledger(path="/channels/ec/order/get")) - before <= 1
