"""A call in doubt: what reads of order/get decide, and what reads that fail or are refused do not."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchants.services import resume_merchant
from sandbox import build
from shipping.dispatch import Pump
from shipping.dispatch.sweeping import sweep
from shipping.drafts import Item, PackageDraft
from shipping.models import Attempt
from tests.conftest import APPID, SECRET
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = pytest.mark.django_db(transaction=True)
ONE = (Item("1001", "2001", 1),)
GET = "order/get"


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: Any) -> None:
    settings.SETTLE_GRACE = 0.3
    monkeypatch.setattr("shipping.dispatch.sending.backoff", lambda count: timedelta(seconds=0.1))


def two_parcels(world: Any) -> Any:
    order = world.order([build.line("1001", "2001", 2)])
    return order, ship(order, parcel(items=ONE), parcel("SF3100000000002", ONE))


# --- a call with several packages ---------------------------------------------------------------------


def test_busy_counts_once_for_a_call_of_two_packages(world: Any, pump: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("shipping.dispatch.recording.table_wait", lambda *_: timedelta(0))
    monkeypatch.setattr("shipping.dispatch.readiness.BETWEEN_CALLS", timedelta(0))
    world.remote.switch(order_pace=False)
    world.remote.fault("code", errcode=100003, times=0)
    order, shipment = two_parcels(world)
    pump()
    assert status_of(shipment) == ["rejected", "rejected"]
    assert len(world.sends(order)) == 6


def test_a_dead_token_is_renewed_once_for_a_call_of_two_packages(world: Any, pump: Any) -> None:
    world.remote.fault("token_dead")
    order, shipment = two_parcels(world)
    pump()
    assert status_of(shipment) == ["shipped", "shipped"]
    assert [row["errcode"] for row in world.sends(order)] == [40001, 0]
    assert not world.merchant.pauses.exists()


def test_tries_of_one_code_are_not_spent_by_another(world: Any, pump: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("shipping.dispatch.recording.table_wait", lambda *_: timedelta(0))
    monkeypatch.setattr("shipping.dispatch.readiness.BETWEEN_CALLS", timedelta(0))
    world.remote.switch(order_pace=False)
    world.remote.fault("code", errcode=100003, times=4)
    world.remote.fault("code", errcode=268545009, times=2)
    order = world.order()
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert [row["errcode"] for row in world.sends(order)] == [100003] * 4 + [268545009] * 2 + [0]


# --- tokens -------------------------------------------------------------------------------------------


def test_a_token_refused_twice_pauses_and_a_resumed_store_starts_afresh(world: Any, pump: Any) -> None:
    order = world.order()
    world.remote.fault("token_dead", times=2)
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["queued"]
    assert world.merchant.pauses.get(ended_at=None).errcode == 40001
    resume_merchant(merchant=world.merchant)
    world.remote.fault("token_dead")
    pump()
    assert status_of(shipment) == ["shipped"]


def test_a_token_refused_twice_by_reads_pauses_too(world: Any, pump: Any) -> None:
    order = world.order()
    type(order).objects.update(read_at=None)
    world.remote.fault("token_dead", call=GET, times=0)
    shipment = ship(order)
    pump(8)
    assert status_of(shipment) == ["queued"]
    assert world.merchant.pauses.get(ended_at=None).errcode == 40001
    assert world.sends(order) == []


# --- reads that are refused ---------------------------------------------------------------------------


def test_an_account_that_may_not_read_orders_still_ships(world: Any, pump: Any) -> None:
    order = world.order()
    type(order).objects.update(read_at=timezone.now() - timedelta(hours=1))
    world.remote.merchant(APPID, SECRET, denied=[GET])
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert world.merchant.pauses.get(ended_at=None).call == GET
    assert len(world.remote.ledger(path="/channels/ec/order/get", order_id=order.order_id)) == 2


def test_in_doubt_without_the_right_to_read_is_a_managers_case(world: Any, pump: Any) -> None:
    order = world.order()
    world.remote.merchant(APPID, SECRET, denied=[GET])
    world.remote.fault("busy_before")
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["conflict"]
    assert world.merchant.pauses.get(ended_at=None).call == GET


def test_a_read_quota_stops_that_stores_reads_until_midnight(world: Any, pump: Any) -> None:
    orders = [world.order() for _ in range(3)]
    type(orders[0]).objects.update(read_at=None)
    world.remote.fault("code", call=GET, errcode=45009, times=0)
    shipments = [ship(order, parcel(f"SF310000000000{n}")) for n, order in enumerate(orders)]
    before = len(world.remote.ledger(path="/channels/ec/order/get"))
    pump(4)
    assert [status_of(shipment) for shipment in shipments] == [["queued"]] * 3
    assert len(world.remote.ledger(path="/channels/ec/order/get")) - before <= 3
    assert world.merchant.pauses.get(ended_at=None).until > timezone.now()


@pytest.mark.parametrize("code", [40164, 61007, 10080001])
def test_a_store_stopped_by_a_read_tells_its_admin(world: Any, pump: Any, code: int) -> None:
    order = world.order()
    type(order).objects.update(read_at=None)
    world.remote.fault("code", call=GET, errcode=code, times=0)
    shipment = ship(order)
    pump(8)
    assert status_of(shipment) == ["queued"]
    assert world.merchant.pauses.get(ended_at=None).errcode == code


def test_a_stopped_store_leaves_the_doubt_open_and_the_worker_idle(world: Any) -> None:
    order = world.order()
    world.remote.fault("busy_before")
    world.remote.fault("code", call=GET, errcode=40164, times=0)
    shipment = ship(order)
    began = timezone.now()
    Pump().run(10, until_idle=True)
    assert timezone.now() - began < timedelta(seconds=5)
    assert status_of(shipment) == ["unknown"]


def test_a_doubt_is_settled_as_soon_as_the_store_goes_on(world: Any, pump: Any) -> None:
    """Whoever ends the pause: a read that waited behind it does not wait its eleven minutes."""
    order = world.order()
    world.remote.fault("busy_after")
    world.remote.fault("code", call=GET, errcode=40164)
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["unknown"]
    resume_merchant(merchant=world.merchant)
    sweep()
    pump()
    assert status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 1


@pytest.mark.parametrize("code", [40097, 987654, 40001])
def test_an_order_that_stays_unreadable_is_a_managers_case(world: Any, pump: Any, code: int) -> None:
    order = world.order()
    world.remote.fault("busy_before")
    world.remote.fault("code", call=GET, errcode=code, times=0)
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["conflict"]
    assert shipment.packages.get().slug == "order_unreadable"
    assert len(world.sends(order)) == 1


# --- reads that prove nothing -------------------------------------------------------------------------


def test_a_read_of_an_older_state_is_no_miss(world: Any, pump: Any) -> None:
    """A replica that lags behind shows the order as it was before our parcel."""
    order = world.order()
    order.platform_updated_at = timezone.now() + timedelta(seconds=3600)
    order.save()
    world.remote.fault("reset_before")
    shipment = ship(order)
    Pump().run(2, until_idle=True)
    assert len(world.sends(order)) == 1
    assert Attempt.objects.get().misses == 0
    assert status_of(shipment) in (["unknown"], ["conflict"])


def test_stale_facts_are_not_sent_on(world: Any) -> None:
    order = world.order()
    stale = timezone.now() - timedelta(hours=1)
    type(order).objects.update(read_at=stale, platform_updated_at=timezone.now() + timedelta(hours=1))
    shipment = ship(order)
    Pump().run(1.5, until_idle=True)
    assert status_of(shipment) == ["queued"]
    assert shipment.packages.get().slug == "facts_unreadable"
    assert world.sends(order) == []


@pytest.mark.parametrize("fault", ["html_200", "truncated_json", "empty", "http502_html", "reset_before"])
def test_a_read_without_an_answer_is_no_miss(world: Any, pump: Any, fault: str) -> None:
    order = world.order()
    world.remote.fault("reset_after")
    world.remote.fault(fault, call=GET, times=5, order_id=order.order_id)
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 1


# --- somebody else ------------------------------------------------------------------------------------


def by_hand(waybill: str, count: int = 1, **more: Any) -> dict[str, Any]:
    goods = [{"product_id": "1001", "sku_id": "2001", "product_cnt": count}]
    return {"deliver_type": 1, "delivery_id": "SF", "waybill_id": waybill, "product_infos": goods} | more


@pytest.mark.parametrize(
    ("parcels", "slug"),
    [
        ([by_hand("SF9900000000009", 2)], "someone_else_shipped"),
        ([by_hand("sf3100000000001 ", 2)], "same_waybill_other_goods"),
    ],
)
def test_goods_gone_by_another_hand_are_a_managers_case(
    world: Any, pump: Any, parcels: list[dict[str, Any]], slug: str
) -> None:
    """The order stays open for its second line, only our goods are gone."""
    order = world.order([build.line("1001", "2001", 2), build.line("1002", "2002", 1)])
    world.remote.fault("reset_before")
    world.remote.ship_by_hand(order.order_id, parcels) if slug != "someone_else_shipped" else None
    shipment = ship(order, parcel(items=ONE))
    if slug == "someone_else_shipped":
        Pump().run(0.01)
        world.remote.ship_by_hand(order.order_id, parcels)
    pump()
    assert status_of(shipment) == ["conflict"]
    assert shipment.packages.get().slug == slug
    assert len(world.sends(order)) <= 1


def test_our_waybill_under_another_courier_code_is_ours(world: Any, pump: Any) -> None:
    order = world.order([build.line("1001", "2001", 2)])
    world.remote.fault("reset_before")
    shipment = ship(order, parcel(items=ONE))
    Pump().run(0.01)
    world.remote.ship_by_hand(order.order_id, [by_hand("sf3100000000001", delivery_id="OTHER")])
    pump()
    assert status_of(shipment) == ["shipped"]


# --- virtual goods ------------------------------------------------------------------------------------


def virtual(world: Any) -> Any:
    order = world.order([build.line("1001", "2001", 1)], deliver_method=1)
    return order, ship(order, PackageDraft(deliver_type=3))


@pytest.mark.parametrize("shows", [True, False])
def test_virtual_goods_are_known_by_the_orders_status(world: Any, pump: Any, shows: bool) -> None:
    """Some accounts' order/get never shows an entry of deliver_type 3."""
    world.remote.fault("reset_after")
    order, shipment = virtual(world)
    Pump().run(0.01)
    if not shows:
        world.remote.change(
            order.order_id, {"order_detail": {"delivery_info": {"delivery_product_info": []}}}
        )
    pump()
    assert status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 1


def test_virtual_goods_accepted_late_are_shipped_not_rejected(world: Any, pump: Any) -> None:
    """Two reads lacked it, so it queues again; the fresh read before the second call shows it."""
    order, shipment = virtual(world)
    type(order).objects.update(read_at=None)
    entry = {"deliver_type": 3, "product_infos": [{"product_id": "1001", "sku_id": "2001", "product_cnt": 1}]}
    world.remote.ship_by_hand(order.order_id, [entry])
    pump()
    assert status_of(shipment) == ["shipped"]
    assert shipment.packages.get().slug == "already_on_platform"
    assert world.sends(order) == []


# --- pauses -------------------------------------------------------------------------------------------


def test_a_pause_stops_what_is_claimed_but_not_sent(world: Any, monkeypatch: Any) -> None:
    from merchants.services import pause_merchant
    from shipping.dispatch import pump as module

    order = world.order()
    shipment = ship(order)
    honest = module.needs_read
    monkeypatch.setattr(
        module, "needs_read", lambda a: (pause_merchant(merchant=a.merchant, errcode=48001), honest(a))[1]
    )
    Pump().run(2, until_idle=True)
    assert status_of(shipment) == ["queued"]
    assert world.sends(order) == []


def test_a_minutes_pause_does_not_shorten_the_days(world: Any) -> None:
    from merchants.services import pause_merchant

    midnight, minute = timezone.now() + timedelta(hours=5), timezone.now() + timedelta(seconds=30)
    pause_merchant(merchant=world.merchant, call="order/delivery/send", errcode=45009, until=midnight)
    pause_merchant(merchant=world.merchant, call="order/delivery/send", errcode=45011, until=minute)
    pause = world.merchant.pauses.get(ended_at=None)
    assert (pause.errcode, pause.until) == (45009, midnight)
