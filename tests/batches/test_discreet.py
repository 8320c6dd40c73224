"""A file's findings name another store's order only to who may see it; a parcel is withdrawn whole."""

from typing import Any

import pytest
from django.utils import timezone

from merchants.models import User
from merchants.services import set_membership
from shipping.dispatch.claiming import claim_some
from shipping.models import Order, Package, SerialUse, Shipment
from tests.batches.test_rehearsal import HEAD, upload, work
from tests.pages.people import colleague, second_store
from tests.pages.test_desk import member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss(world: Any) -> User:
    user = User.objects.create_user("boss", password="x")
    set_membership(user=user, merchant=world.merchant, role="manager")
    return user


def label(n: int) -> str:
    return f"SF31000000000{n:02d}"


def test_a_parcel_of_two_orders_is_withdrawn_whole_or_not_at_all(world: Any, boss: Any) -> None:
    """Scanning out one label of two orders; the worker claims the first before 'undo' is scanned."""
    client = member(world)
    same = {"openid": "buyer-a"}
    orders = [world.order(**same), world.order(**same)]
    rows = [f"{order.order_id},SF,{label(1)}" for order in orders]
    batch = upload(boss, HEAD, *rows)
    client.post("/scan/setup/", {"station": "1", "batch": batch.pk})
    client.post("/scan/", {"code": label(1), "key": "k1"})
    if Package.objects.filter(status="queued").count() != 2:
        client.post("/scan/", {"code": "FH-YES", "key": "k2"})
    assert Package.objects.filter(status="queued").count() == 2
    Shipment.objects.update(due_at=timezone.now())
    assert len(claim_some("run", 1)) == 1
    client.post("/scan/", {"code": "FH-UNDO", "key": "k3"})
    assert sorted(Package.objects.values_list("status", flat=True)) in (
        ["queued", "sending"],
        ["cancelled"] * 2,
    )


def test_a_manager_is_not_told_the_orders_of_another_store_of_the_uploader(world: Any, boss: Any) -> None:
    """The rehearsal looks in all stores of the uploader; what it found is kept and shown to managers of one."""

    order, second = world.order(openid="buyer-a"), second_store(world, "boss")
    other = Order.objects.create(merchant=second, order_id="3700000000000000777", status=20, openid="buyer-b")
    shipment = Shipment.objects.create(merchant=second, order=other)
    Package.objects.create(
        merchant=second, order=other, shipment=shipment, position=0, status="shipped", deliver_type=1,
        delivery_id="SF", waybill_id=label(1),
    )  # fmt: skip
    batch = upload(boss, HEAD, f"{order.order_id},SF,{label(1)}")
    manager = colleague(world, "manager", "manager")
    assert manager.get(f"/orders/{other.order_id}/").status_code == 404
    assert other.order_id not in page(manager.get(f"/batches/{batch.pk}/?show=all"))


def test_a_manager_is_not_told_who_packed_what_in_another_store(world: Any, boss: Any) -> None:

    order, second = world.order(), second_store(world, "boss")
    other = Order.objects.create(merchant=second, order_id="3700000000000000777", status=20)
    shipment = Shipment.objects.create(merchant=second, order=other, created_by=boss)
    package = Package.objects.create(
        merchant=second, order=other, shipment=shipment, position=0, status="shipped", deliver_type=1,
        delivery_id="SF", waybill_id=label(2),
    )  # fmt: skip
    SerialUse.objects.create(merchant=second, package=package, kind="sn", number="SN-0001")
    batch = upload(boss, HEAD + ",SN码", f"{order.order_id},SF,{label(1)},SN-0001")
    work(batch)
    manager = colleague(world, "manager", "manager")
    shown = page(manager.get(f"/batches/{batch.pk}/?show=all"))
    assert order.order_id in shown
    assert other.order_id not in shown
