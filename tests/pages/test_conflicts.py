"""Packages the records disagree on: a manager sees both sides, decides with a reason, and what waited goes on."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox import build
from shipping.dispatch import Pump
from shipping.drafts import Item
from shipping.models import Package, StatusChange
from tests.flows.test_dispatch import parcel, ship
from tests.pages.people import second_store
from tests.pages.test_desk import member, page

pytestmark = pytest.mark.django_db(transaction=True)
ONE = (Item("1001", "2001", 1),)


@pytest.fixture
def conflict(world: Any, settings: Any, pump: Any) -> Package:
    """The call was lost, and meanwhile a colleague shipped the same goods in WeChat's back office."""
    settings.SETTLE_GRACE = 0.3
    order = world.order([build.line("1001", "2001", 2), build.line("1002", "2002", 1)])
    world.remote.fault("reset_before")
    shipment = ship(order, parcel(items=ONE))
    Pump().run(0.01)
    goods = [{"product_id": "1001", "sku_id": "2001", "product_cnt": 2}]
    by_hand = {
        "deliver_type": 1,
        "delivery_id": "YTO",
        "waybill_id": "YT9900000000009",
        "product_infos": goods,
    }
    world.remote.ship_by_hand(order.order_id, [by_hand])
    pump()
    package = shipment.packages.get()
    assert (package.status, package.slug) == ("conflict", "someone_else_shipped")
    return package


def test_a_manager_sees_both_sides_and_the_count_leads_there(world: Any, conflict: Package) -> None:
    manager, staff = member(world, "manager"), member(world)
    assert '<span class="count">1</span>' in page(manager.get("/"))
    assert "待裁定" not in page(staff.get("/"))
    assert staff.get("/conflicts/").status_code == 404
    shown = page(manager.get("/conflicts/"))
    for words in (
        *("被别人发过了", "SF3100000000001", "已发出，没有得到回答", "YT9900000000009", "×2", "部分发货"),
        *("微信里有这个单号", "微信里没有这个单号", "这个包裹不发了"),
    ):
        assert words in shown, words
    assert "我们的单号" not in shown


def test_a_verdict_needs_a_reason_and_keeps_what_was_typed(world: Any, conflict: Package) -> None:
    manager, url = member(world, "manager"), f"/packages/{conflict.pk}/settle/"
    shown = page(manager.post(url, {"target": "cancelled", "reason": " ", "back": "list"}))
    assert "请写明依据" in shown
    assert 'value="cancelled" checked' in shown
    shown = page(manager.post(url, {"target": "queued", "reason": "后台是同事发的"}))
    assert "请选一个结论" in shown
    assert 'value="后台是同事发的"' in shown
    assert not StatusChange.objects.filter(who="manager").exists()


@pytest.mark.parametrize("verdict", ["shipped", "rejected", "cancelled"])
def test_who_decided_and_why_is_kept_and_what_waited_goes_on(
    world: Any, conflict: Package, pump: Any, verdict: str
) -> None:
    manager = member(world, "manager")
    rest = ship(conflict.order, parcel("SF3100000000002", (Item("1002", "2002", 1),)))
    pump()
    assert rest.packages.get().status == "queued"
    form = {"target": verdict, "reason": "后台是同事小李发的", "back": "list"}
    assert manager.post(f"/packages/{conflict.pk}/settle/", form).url == "/conflicts/"
    change = StatusChange.objects.get(who="manager")
    assert (change.target, str(change.by), change.reason) == (verdict, "manager", "后台是同事小李发的")
    assert "后台是同事小李发的" in page(manager.get(f"/orders/{conflict.order.order_id}/"))
    assert "没有要裁定的包裹" in page(manager.get("/conflicts/"))
    pump()
    assert rest.packages.get().status == "shipped"
    shown = page(manager.post(f"/packages/{conflict.pk}/settle/", form, follow=True))
    assert "已经有了结果" in shown
    assert StatusChange.objects.filter(who="manager").count() == 1


def test_a_late_acceptance_is_pointed_out(world: Any, conflict: Package) -> None:
    from shipping.syncing import read_order

    own = {"deliver_type": 1, "delivery_id": "SF", "waybill_id": "sf3100000000001", "product_infos": []}
    own["product_infos"] = [{"product_id": "1002", "sku_id": "2002", "product_cnt": 1}]
    world.remote.ship_by_hand(conflict.order.order_id, [own])
    read_order(world.merchant, conflict.order.order_id)
    assert "微信现在显示了我们的单号" in page(member(world, "manager").get("/conflicts/"))


def test_the_oldest_come_first_page_by_page_and_other_stores_stay_hidden(
    world: Any, conflict: Package, monkeypatch: Any
) -> None:
    monkeypatch.setattr("shipping.views.conflicts.PAGE", 2)
    manager, other = member(world, "manager"), second_store(world)
    packages = [conflict]
    for number in range(3):
        package = ship(world.order(), parcel(f"SF310000000001{number}")).packages.get()
        packages.append(package)
    for age, package in enumerate(packages):
        at = conflict.status_at - timedelta(hours=age)
        Package.objects.filter(pk=package.pk).update(status="conflict", status_at=at)
    Package.objects.filter(pk=packages[3].pk).update(merchant=other)
    first = page(manager.get("/conflicts/"))
    assert first.index(packages[2].waybill_id) < first.index(packages[1].waybill_id)
    assert conflict.waybill_id not in first
    assert packages[3].waybill_id not in first
    mark = first.split("?after=")[1].split('"')[0]
    second = page(manager.get(f"/conflicts/?after={mark}"))
    assert conflict.waybill_id in second
    assert "?after=" not in second
