"""Rows of last night: what has left since is found, under its own number or another, and nothing leaves twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from merchants.models import Errand, Pause, User
from merchants.services import resume_merchant
from sandbox import build
from shipping import states
from shipping.drafts import CORRECTION, Draft, Item, PackageDraft
from shipping.models import Attempt, Batch, OrderErrand, Package, Restore, Shipment
from shipping.restored import calm
from shipping.services import queue_shipment
from shipping.syncing import read_order
from tests.conftest import APPID, SECRET
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
UPDATE = "/channels/ec/order/deliveryinfo/update"
ONE = (Item("1001", "2001", 1),)
Pumping = Callable[..., None]


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: Any) -> None:
    settings.SETTLE_GRACE = 0.2
    monkeypatch.setattr("shipping.dispatch.sending.backoff", lambda count: timedelta(seconds=0.1))


def come_back() -> None:
    """As after a restore, once no call of the lost desk can arrive any more."""
    long = timedelta(seconds=settings.SETTLE_GRACE + 2 * settings.WECHAT_TIMEOUT[2])
    at = timezone.now() - long
    calm("default", at=at, made_at=at, version="1.0")


def resume(world: Any) -> None:
    assert resume_merchant(merchant=world.merchant) == 1


def by_hand(world: Any, order: Any, waybill: str = "SF3100000000001", count: int = 1) -> None:
    """What the lost desk shipped after the backup, as the platform knows it."""
    items = [{"product_id": "1001", "sku_id": "2001", "product_cnt": count}]
    sent = {"deliver_type": 1, "delivery_id": "SF", "waybill_id": waybill, "product_infos": items}
    world.remote.ship_by_hand(order.order_id, [sent])


def order_of(world: Any, pieces: int) -> Any:
    return world.order([build.line("1001", "2001", pieces)])


def test_a_restored_store_stands_still_until_an_admin_goes_on(world: Any, pump: Pumping) -> None:
    order = world.order()
    shipment = ship(order)
    come_back()
    pump(1)
    assert status_of(shipment) == ["queued"]
    pause = Pause.objects.get(ended_at=None)
    assert (pause.slug, pause.until, pause.reason.fixed_by) == ("restored", None, "admin")
    resume(world)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 1


def test_what_left_after_the_backup_is_not_sent_again(world: Any, pump: Pumping) -> None:
    """The order has a second piece that a repeat would take, and its facts are but a second old."""
    order = order_of(world, 2)
    shipment = ship(order, parcel(items=ONE))
    by_hand(world, order)
    come_back()
    resume(world)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert world.sends(order) == []


def test_what_left_under_another_number_is_a_managers_case(world: Any, pump: Pumping) -> None:
    order = order_of(world, 2)
    shipment = ship(order, parcel(items=ONE))
    by_hand(world, order, "SF3100000000777")
    come_back()
    resume(world)
    pump()
    package = shipment.packages.get()
    assert (package.status, package.slug) == ("conflict", "restored_changed")
    assert world.sends(order) == []


def test_parcels_known_before_the_backup_stop_nothing(world: Any, pump: Pumping) -> None:
    order = order_of(world, 3)
    first = ship(order, parcel("SF3100000000009", ONE))
    pump()
    by_hand(world, order, "SF3100000000777")
    read_order(world.merchant, order.order_id)
    order.refresh_from_db()
    shipment = ship(order, parcel(items=ONE))
    come_back()
    resume(world)
    pump()
    assert status_of(first) == status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 2


def test_two_shipments_of_one_order_leave_one_after_the_other(world: Any, pump: Pumping) -> None:
    order = order_of(world, 2)
    both = [ship(order, parcel(items=ONE)), ship(order, parcel("SF3100000000002", ONE))]
    by_hand(world, order)
    come_back()
    resume(world)
    pump()
    assert [status_of(each) for each in both] == [["shipped"], ["shipped"]]
    assert len(world.sends(order)) == 1


def test_a_virtual_order_is_not_sent_again(world: Any, pump: Pumping) -> None:
    order = world.order([build.line("1001", "2001", 1)], deliver_method=1)
    shipment = ship(order, PackageDraft(3))
    items = [{"product_id": "1001", "sku_id": "2001", "product_cnt": 1}]
    world.remote.ship_by_hand(order.order_id, [{"deliver_type": 3, "product_infos": items}])
    come_back()
    resume(world)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert world.sends(order) == []


def test_a_store_that_may_not_read_sends_nothing_of_before(world: Any, pump: Pumping) -> None:
    order = world.order()
    shipment = ship(order)
    world.remote.merchant(APPID, SECRET, denied=["order/get"])
    come_back()
    resume(world)
    pump()
    package = shipment.packages.get()
    assert (package.status, package.slug) == ("conflict", "restored_unread")
    assert world.sends(order) == []


def test_facts_read_before_the_last_lost_call_are_none(world: Any, pump: Pumping) -> None:
    """A call of the lost desk arrives while the restored one has already read the order."""
    order = order_of(world, 2)
    shipment = ship(order, parcel(items=ONE))
    come_back()
    resume(world)
    Restore.objects.update(sure_at=timezone.now() + timedelta(hours=1))
    Shipment.objects.update(due_at=timezone.now())
    pump(1)
    assert status_of(shipment) == ["queued"]
    by_hand(world, order)
    Restore.objects.update(sure_at=timezone.now())
    pump()
    assert status_of(shipment) == ["shipped"]
    assert world.sends(order) == []


def test_a_call_in_doubt_is_settled_by_reads_from_now_on(world: Any, pump: Pumping) -> None:
    """One read had lacked it already; the lost desk then sent it again."""
    order = order_of(world, 2)
    world.remote.fault("timeout_not_accepted", seconds=0.3)
    shipment = ship(order, parcel(items=ONE))
    pump(0.2)
    assert status_of(shipment) == ["unknown"]
    Attempt.objects.update(misses=1, last_miss_at=timezone.now() - timedelta(hours=1))
    come_back()
    assert list(Attempt.objects.values_list("misses", "last_miss_at")) == [(0, None)]
    by_hand(world, order)
    pump(2)
    assert status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 1


def test_a_claim_of_the_lost_desk_is_looked_at_like_a_queued_one(world: Any, pump: Pumping) -> None:
    """Claimed and not sent when the backup was made: it may have been sent a moment later."""
    from shipping.dispatch.claiming import claim_some

    order = order_of(world, 2)
    shipment = ship(order, parcel(items=ONE))
    [attempt] = claim_some("lost", 1)
    assert attempt.sent_at is None
    by_hand(world, order)
    come_back()
    resume(world)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert world.sends(order) == []


def test_a_correction_made_after_the_backup_is_not_made_twice(world: Any, pump: Pumping) -> None:
    order = order_of(world, 1)
    ship(order, parcel())
    pump()
    read_order(world.merchant, order.order_id)
    fixed = PackageDraft(1, "SF", "SF3100000000002", ONE, old=("SF", "SF3100000000001"))
    order.refresh_from_db()
    shipment = queue_shipment(order=order, draft=Draft(order.order_id, (fixed,), kind=CORRECTION), user=None)
    pump()
    assert status_of(shipment) == ["shipped"]
    # The backup was made just before.
    Package.objects.filter(shipment=shipment).update(status=states.QUEUED, attempt=None)
    Shipment.objects.filter(pk=shipment.pk).update(due_at=timezone.now())
    calls = world.remote.ledger(order_id=order.order_id, path=UPDATE)
    come_back()
    resume(world)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert world.remote.ledger(order_id=order.order_id, path=UPDATE) == calls
    assert len(calls) == 1


def test_what_people_had_asked_of_wechat_is_not_asked_by_itself(world: Any) -> None:
    from shipping import errands

    order = world.order()
    wish = OrderErrand.objects.create(order=order, kind=OrderErrand.Kind.NOTES, notes="x")
    force = Errand.objects.create(kind=Errand.Kind.FORCE, merchant=world.merchant)
    batch = Batch.objects.create(
        created_by=User.objects.create_user("b"), sha256="0", stage=Batch.Stage.QUEUEING
    )
    come_back()
    for row in (wish, force, batch):
        row.refresh_from_db()
    assert (wish.status, wish.slug, wish.notes) == ("failed", "restored", "")
    assert (force.status, force.slug) == ("failed", "restored")
    assert batch.stage == "open"
    assert batch.paused_at is not None
    errands.hand_out()
    errands.run(wish.pk)
    assert not world.remote.ledger(order_id=order.order_id, path="/channels/ec/order/merchantnotes/update")
