"""What openapi/quota/get tells holds a store back before WeChat does, and a tenth is kept for settling."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shipping import tasks
from shipping.dispatch import Pump
from shipping.dispatch.waiting import next_due
from shipping.models import Allowance
from shipping.pauses import READ, SEND
from shipping.syncing import read_order
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = pytest.mark.django_db(transaction=True)


def several(world: Any, count: int) -> list[Any]:
    return [ship(world.order(), parcel(f"SF31000000000{n:02}")) for n in range(count)]


def statuses(shipments: list[Any]) -> list[str]:
    return sorted(status for shipment in shipments for status in status_of(shipment))


def test_the_quota_of_stores_that_ship_is_asked_for_once(world: Any, pump: Any) -> None:
    tasks.read_allowances.func()
    assert not Allowance.objects.exists(), "nothing was called"
    several(world, 1)
    pump()
    tasks.read_allowances.func()
    tasks.read_allowances.func()
    asked = [row for row in world.remote.ledger() if row["path"].endswith("quota/get")]
    assert len(asked) == 4, "one for each call that shipping makes"
    sends = Allowance.objects.get(call=SEND)
    assert (sends.calls, sends.seconds) == (800, 30)
    assert sends.day_left == sends.day_limit - 1


def test_a_window_that_is_used_up_waits_for_the_next(world: Any) -> None:
    Allowance.objects.create(merchant=world.merchant, call=SEND, calls=20, seconds=60, used=15)
    shipments = several(world, 5)
    Pump().run(0.5)
    assert statuses(shipments) == ["queued"] * 2 + ["shipped"] * 3, "two of twenty are kept"
    assert next_due() == Allowance.objects.get().next_at
    Allowance.objects.update(began_at=timezone.now() - timedelta(minutes=2), next_at=timezone.now())
    Pump().run(0.5)
    assert statuses(shipments) == ["shipped"] * 5


def test_the_last_tenth_of_the_days_reads_is_kept_for_settling(world: Any, pump: Any, settings: Any) -> None:
    lost, late = several(world, 2)
    settings.SETTLE_GRACE = 0.3
    world.remote.fault("reset_after", order_id=lost.order.order_id)
    type(late).objects.filter(pk=late.pk).update(due_at=timezone.now() + timedelta(hours=1))
    Pump().run(0.1)
    for _ in range(10):
        read_order(world.merchant, late.order.order_id)
    reads = len([row for row in world.remote.ledger() if row["path"].endswith("order/get")])
    world.remote.switch(calls_a_day=reads + 1)
    tasks.read_allowances.func()
    pause = world.merchant.pauses.get(call=READ)
    assert (pause.slug, pause.ended_at) == ("quota_reserved", None)
    type(late).objects.filter(pk=late.pk).update(due_at=timezone.now())
    Pump().run(1)
    assert (status_of(lost), status_of(late)) == (["shipped"], ["queued"])
