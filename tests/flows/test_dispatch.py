"""What an answer, or the lack of one, does to packages; the sandbox's ledger is the truth."""

from typing import Any

import pytest

from sandbox import build
from shipping import states
from shipping.drafts import Draft, Item, PackageDraft
from shipping.models import Attempt, Package, Shipment, StatusChange
from shipping.services import Refused, queue_shipment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def parcel(waybill: str = "SF3100000000001", items: tuple[Item, ...] | None = None) -> PackageDraft:
    return PackageDraft(delivery_id="SF", waybill_id=waybill, items=items)


def ship(order: Any, *packages: PackageDraft) -> Shipment:
    return queue_shipment(order=order, draft=Draft(order.order_id, packages or (parcel(),)), user=None)


def status_of(shipment: Shipment) -> list[str]:
    return [package.status for package in shipment.packages.all()]


def test_one_parcel_is_shipped_once(world: Any, pump: Any) -> None:
    order = world.order()
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert [row["errcode"] for row in world.sends(order)] == [0]
    assert Attempt.objects.get().closed_at is not None
    assert [(c.source, c.target) for c in StatusChange.objects.all()] == [
        ("draft", "queued"), ("queued", "sending"), ("sending", "shipped"),
    ]  # fmt: skip


# fault -> (final status, how many parcels the platform accepted, at most this many sends)
FAULTS = {
    "timeout_accepted": ("shipped", 1, 1),
    "timeout_not_accepted": ("shipped", 1, 2),
    "late_accept": ("shipped", 1, 1),
    "reset_before": ("shipped", 1, 2),
    "reset_after": ("shipped", 1, 1),
    "http500_before": ("shipped", 1, 2),
    "http500_after": ("shipped", 1, 1),
    "http502_html": ("shipped", 1, 2),
    "html_200": ("shipped", 1, 2),
    "redirect_307": ("shipped", 1, 2),
    "truncated_json": ("shipped", 1, 1),
    "empty": ("shipped", 1, 1),
    "drip": ("shipped", 1, 1),
    "huge_body": ("shipped", 1, 1),
    "errcode_missing": ("shipped", 1, 1),
    "errcode_not_int": ("shipped", 1, 1),
    "busy_before": ("shipped", 1, 2),
    "busy_after": ("shipped", 1, 1),
    "token_dead": ("shipped", 1, 2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_shipped_once(world: Any, pump: Any, settings: Any, fault: str) -> None:
    settings.SETTLE_GRACE, settings.WECHAT_TIMEOUT = 0.6, (0.3, 0.3, 0.5)
    order = world.order()
    world.remote.fault(fault, seconds=0.4 if fault == "late_accept" else 1)
    shipment = ship(order)
    pump()
    status, accepted, sends = FAULTS[fault]
    rows = world.sends(order)
    assert status_of(shipment) == [status]
    assert sum(len(row["accepted"] or []) for row in rows) == accepted
    assert len(rows) <= sends


def test_a_partial_success_ships_one_and_rejects_one(world: Any, pump: Any) -> None:
    world.remote.switch(packages="partial", strict_patterns=True)
    order = world.order([build.line("1001", "2001", 2)])
    good = parcel("SF3100000000001", (Item("1001", "2001", 1),))
    bad = parcel("SFX", (Item("1001", "2001", 1),))
    shipment = ship(order, good, bad)
    pump()
    assert status_of(shipment) == ["shipped", "rejected"]
    assert shipment.packages.get(status="rejected").errcode in (606005, 6060479)


def test_the_rules_stop_before_anything_is_saved(world: Any) -> None:
    order = world.order()
    with pytest.raises(Refused) as refused:
        ship(order, parcel(""))
    assert [p.errcode for p in refused.value.problems if p.stops] == [606005]
    assert not Package.objects.exists()


def test_the_worker_checks_again_on_fresh_facts(world: Any, pump: Any) -> None:
    order = world.order()
    shipment = ship(order)
    world.remote.change(order.order_id, {"aftersale_detail": {"on_aftersale_order_cnt": 1}})
    type(order).objects.update(read_at=None)
    pump()
    package = shipment.packages.get()
    assert (package.status, package.errcode) == ("rejected", 108009)
    assert world.sends(order) == []


def test_quota_keeps_the_package_queued_and_pauses_only_the_sending(world: Any, pump: Any) -> None:
    order = world.order()
    world.remote.fault("code", errcode=45009, errmsg="reach max api daily quota limit")
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["queued"]
    assert len(world.sends(order)) == 1
    assert world.merchant.pauses.get(ended_at=None).call == "order/delivery/send"


def test_109001_is_never_believed_without_the_parcel(world: Any, pump: Any) -> None:
    order = world.order()
    world.remote.fault("code", errcode=109001)
    shipment = ship(order)
    pump()
    package = shipment.packages.get()
    assert (package.status, package.errcode) == ("rejected", 109001)


def test_an_unlisted_code_is_rejected_after_two_reads(world: Any, pump: Any, settings: Any) -> None:
    settings.SETTLE_GRACE = 0.6
    order = world.order()
    world.remote.fault("code", errcode=987654, errmsg="新错误")
    shipment = ship(order)
    pump()
    package = shipment.packages.get()
    assert (package.status, package.errcode, package.attempt.misses) == ("rejected", 987654, 2)


def test_three_lost_calls_become_a_conflict_for_a_manager(world: Any, pump: Any, settings: Any) -> None:
    settings.SETTLE_GRACE = 0.3
    order = world.order()
    world.remote.fault("reset_before", times=0)
    shipment = ship(order)
    pump()
    assert status_of(shipment) == [states.CONFLICT]
    assert len(world.sends(order)) == 3
