"""From the buyer's click to the page: the platform pushes, the door stores, a worker reads, the order shows it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchants.models import PushedEvent
from shipping import tasks, timekeeper
from shipping.models import Order, Reading, SyncCursor
from tests.events.conftest import Pushing
from tests.pages.test_desk import fields, member, page

CASES = {
    "ask_new_address": ("改地址待处理", "买家申请改地址"),
    "change_address": ("", "买家自己改了地址"),
    "urge": ("买家催发货", "买家催发货"),
    "ask_new_sku": ("换规格待处理", "买家申请换规格"),
    "aftersale": ("售后中", "售后有变化"),
}


@pytest.mark.parametrize(("what", "shown"), CASES.items())
def test_what_the_buyer_does_shows_on_the_order(pushing: Pushing, what: str, shown: tuple[str, str]) -> None:
    client, order = member(pushing.world), pushing.world.order()
    pushing.happen(order, what)
    # An urge is in the event alone, all else is read.
    assert what == "urge" or not shown[0] or shown[0] not in page(client.get("/"))
    pushing.work()
    for words in shown:
        assert words in page(client.get(f"/orders/{order.order_id}/"))
    assert shown[0] in page(client.get("/"))
    assert PushedEvent.objects.get().handled_at is not None
    assert not Reading.objects.exists()


def test_a_push_nobody_takes_is_repeated_and_counts_once(pushing: Pushing, settings: Any) -> None:
    world, order = pushing.world, pushing.world.order()
    world.remote.switch(push_pace=0.02)
    settings.ALLOWED_HOSTS = ["nobody"]
    world.remote.happen(order.order_id, "ask_new_address")
    pushing.wait_for(lambda: world.remote.pushes()[0]["tries"] >= 3)
    assert not PushedEvent.objects.exists()
    settings.ALLOWED_HOSTS = ["*"]
    pushing.wait_for(lambda: world.remote.pushes()[0]["answer"] == "success")
    pushing.work()
    order.refresh_from_db()
    assert order.address_under_review
    assert PushedEvent.objects.count() == 1


def test_many_events_before_the_worker_comes_are_one_read(pushing: Pushing) -> None:
    order = pushing.world.order()
    reads = pushing.reads(order)
    for what in ("urge", "aftersale", "ask_new_address"):
        pushing.happen(order, what)
    pushing.work()
    assert pushing.reads(order) == reads + 1
    assert PushedEvent.objects.filter(handled_at=None).count() == 0


def test_an_order_nobody_has_read_comes_in_by_its_event(pushing: Pushing) -> None:
    made = pushing.world.remote.order(pushing.world.merchant.appid)
    pushing.world.remote.happen(made["order_id"], "urge")
    pushing.wait_for(lambda: PushedEvent.objects.exists())
    pushing.work()
    order = Order.objects.get(order_id=made["order_id"])
    assert order.status == 20
    assert order.urged_at is not None


def test_an_event_advances_nothing_in_the_cursor(pushing: Pushing) -> None:
    cursor = SyncCursor.objects.create(
        merchant=pushing.world.merchant, due_at=timezone.now() + timedelta(hours=1)
    )
    before = SyncCursor.objects.filter(pk=cursor.pk).values().get()
    order = pushing.world.order()
    pushing.happen(order, "ask_new_address")
    pushing.work()
    assert SyncCursor.objects.filter(pk=cursor.pk).values().get() == before


def test_a_read_by_anyone_answers_the_event(pushing: Pushing) -> None:
    order = pushing.world.order()
    pushing.happen(order, "ask_new_address")
    tasks.read_by_id.func(str(pushing.world.merchant.pk), order.order_id)
    assert PushedEvent.objects.get().handled_at is not None
    assert not Reading.objects.exists()


def test_an_event_just_before_the_call_stops_the_parcel(pushing: Pushing, pump: Any) -> None:
    """The facts are seconds old, yet an event came since: the worker reads before it sends."""
    client, order = member(pushing.world), pushing.world.order()
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pushing.happen(order, "ask_new_address")
    pump()
    assert not pushing.world.sends(order)
    assert order.packages.get().errcode == 10020115


def test_a_lost_task_and_a_failed_read_are_made_up_for(pushing: Pushing) -> None:
    order = pushing.world.order()
    pushing.happen(order, "ask_new_address")
    pushing.world.remote.fault("code", call="order/get", errcode=-1, times=3)
    tasks.read_overdue.func()
    waiting = Reading.objects.get()
    assert (waiting.tries, waiting.errcode) == (1, -1)
    Reading.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    timekeeper.wake_overdue()
    pushing.work()
    order.refresh_from_db()
    assert order.address_under_review
    assert not Reading.objects.exists()


def test_an_account_that_may_not_read_orders_is_not_asked_for_ever(pushing: Pushing) -> None:
    order = pushing.world.order()
    pushing.happen(order, "urge")
    pushing.world.remote.fault("code", call="order/get", errcode=48001)
    pushing.work()
    waiting = Reading.objects.get()
    assert (waiting.due_at, waiting.errcode) == (None, 48001)
    assert PushedEvent.objects.get().handled_at is not None
    assert "买家催发货" in page(member(pushing.world).get("/"))
    Reading.objects.update(asked_at=timezone.now() - timedelta(days=2))
    tasks.prune_tasks.func()
    assert not Reading.objects.exists()


def test_our_own_shipment_comes_back_as_an_event(pushing: Pushing, pump: Any) -> None:
    client, order = member(pushing.world), pushing.world.order()
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    pushing.wait_for(lambda: PushedEvent.objects.exists())
    pushing.work()
    order.refresh_from_db()
    assert order.status == 30
    assert "登记了发货" in page(client.get(f"/orders/{order.order_id}/"))


def test_a_strangers_order_page_tells_nothing(pushing: Pushing) -> None:
    order = pushing.world.order()
    pushing.happen(order, "urge")
    assert Client().get(f"/orders/{order.order_id}/").status_code == 302
