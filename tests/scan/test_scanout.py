"""Scanning out: a file has tied labels to orders; only what is scanned leaves, the rest stays listed."""

from typing import Any

import pytest
from django.test import Client

from merchants.models import User
from merchants.services import set_membership
from sandbox import build
from shipping.batches import controls
from shipping.models import Batch, Package
from shipping.services import hold_order
from tests.batches.test_rehearsal import HEAD, upload, verdicts, work
from tests.pages.people import colleague
from tests.pages.test_desk import member, page

from .test_station import TEA, scan, tone

pytestmark = pytest.mark.django_db(transaction=True)
LABELS = ("SF3100000000001", "SF3100000000002", "SF3100000000003")


def begin(client: Client, batch: Batch, **more: str) -> str:
    return page(client.post("/scan/setup/", {"station": "1", "batch": batch.pk, **more}, follow=True))


@pytest.fixture
def boss(world: Any) -> User:
    user = User.objects.create_user("boss", password="x")
    set_membership(user=user, merchant=world.merchant, role="manager")
    return user


def uploaded(world: Any, user: User, orders: list[Any], *labels: str) -> Batch:
    rows = [f"{order.order_id},SF,{label}" for order, label in zip(orders, labels, strict=True)]
    return upload(user, HEAD, *rows)


def in_two_packages(user: User, order: Any) -> Batch:
    rows = [f"{order.order_id},SF,{LABELS[0]},1001,2001,1", f"{order.order_id},SF,{LABELS[1]},1002,2002,1"]
    return upload(user, f"{HEAD},product_id,sku_id,product_cnt", *rows)


def left(shown: str) -> str:
    return shown.split('id="scan-left"')[1]


def test_a_scanned_label_leaves_and_the_others_stay_listed(world: Any, boss: User, pump: Any) -> None:
    client, orders = member(world), [world.order([TEA]) for _ in LABELS]
    batch = uploaded(world, boss, orders, *LABELS)
    shown = begin(client, batch)
    assert ("还有 3 单没扫" in shown, "扫描出库" in shown, tone(shown)) == (True, True, "idle")
    shown = scan(client, LABELS[1])
    assert (tone(shown), "茶叶" in shown, "×2" in shown, "还有 2 单没扫" in shown) == ("ok", True, True, True)
    assert orders[1].order_id not in left(shown)
    assert orders[0].order_id in left(shown)
    pump()
    assert [len(world.sends(order)) for order in orders] == [0, 1, 0]
    assert verdicts(batch) == ["ready", "queued", "ready"]
    assert tone(scan(client, LABELS[1])) == "ok"
    assert Package.objects.count() == 1


def test_ship_all_afterwards_ships_the_rest_and_nothing_twice(world: Any, boss: User, pump: Any) -> None:
    client, orders = member(world), [world.order([TEA]) for _ in LABELS]
    batch = uploaded(world, boss, orders, *LABELS)
    begin(client, batch)
    scan(client, LABELS[0])
    controls.confirm(batch=batch, user=boss)
    work(batch)
    pump()
    assert [len(world.sends(order)) for order in orders] == [1, 1, 1]
    assert "都扫完了" in page(client.get("/scan/"))
    shown = scan(client, LABELS[2])
    assert (tone(shown), "已经保存过" in shown) == ("ok", True)


def test_what_is_not_in_the_file_or_held_turns_red(world: Any, boss: User) -> None:
    client, order = member(world), world.order([TEA])
    batch = uploaded(world, boss, [order], LABELS[0])
    hold_order(order=order, user=None, reason="等买家回复")
    begin(client, batch)
    assert tone(scan(client, LABELS[1])) == "bad"
    assert tone(scan(client, order.order_id)) == "bad"
    shown = scan(client, LABELS[0])
    assert (tone(shown), "等买家回复" in shown, Package.objects.exists()) == ("bad", True, False)


def test_goods_can_be_counted_before_a_package_of_a_file_leaves(world: Any, boss: User) -> None:
    client, order = member(world), world.order([TEA])
    begin(client, uploaded(world, boss, [order], LABELS[0]), must_count="on")
    shown = scan(client, LABELS[0])
    assert (tone(shown), "还差 2 件" in shown, Package.objects.exists()) == ("wait", True, False)
    assert tone(scan(client, "TEA-1", "TEA-1")) == "ok"
    assert tone(scan(client, "FH-UNDO")) == "wait"
    assert "还有 1 单没扫" in page(client.get("/scan/"))


def test_two_packages_of_one_order_leave_by_their_own_labels(world: Any, boss: User, pump: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 1), build.line("1002", "2002", 1)])
    batch = in_two_packages(boss, order)
    begin(client, batch)
    assert tone(scan(client, LABELS[1])) == "ok"
    assert verdicts(batch) == ["ready"]
    scan(client, "FH-UNDO")
    assert tone(scan(client, LABELS[1], LABELS[0])) == "ok"
    assert verdicts(batch) == ["queued"]
    pump()
    assert len(world.sends(order)) == 2


def test_a_package_withdrawn_after_the_rest_was_shipped_leaves_with_the_next_yes(
    world: Any, boss: User
) -> None:
    world.merchant.undo_seconds = 60
    world.merchant.save()
    client, order = member(world), world.order([build.line("1001", "2001", 1), build.line("1002", "2002", 1)])
    batch = in_two_packages(boss, order)
    begin(client, batch)
    scan(client, LABELS[0])
    controls.confirm(batch=batch, user=boss)
    work(batch)
    scan(client, "FH-UNDO")
    controls.confirm(batch=batch, user=boss)
    work(batch)
    living = Package.objects.exclude(status="cancelled")
    assert sorted(living.values_list("waybill_id", flat=True)) == list(LABELS[:2])
    assert verdicts(batch) == ["queued"]


def test_one_label_for_two_orders_of_a_buyer_ships_both(world: Any, boss: User, pump: Any) -> None:
    client, orders = member(world), [world.order([TEA], openid="one") for _ in range(2)]
    batch = uploaded(world, boss, orders, LABELS[0], LABELS[0])
    assert verdicts(batch) == ["ready", "ready"]
    begin(client, batch)
    shown = scan(client, LABELS[0])
    assert (tone(shown), orders[0].order_id in shown, orders[1].order_id in shown) == ("ok", True, True)
    scan(client, "FH-UNDO")
    assert verdicts(batch) == ["ready", "ready"]
    scan(client, LABELS[0])
    pump()
    assert [len(world.sends(order)) for order in orders] == [1, 1]


def test_a_file_without_orders_of_one_s_stores_is_not_offered(world: Any, boss: User) -> None:
    from merchants.services import add_merchant

    batch = uploaded(world, boss, [world.order([TEA])], LABELS[0])
    other = add_merchant(appid="wx00000000000000bb", name="别家店", secret="t" * 32)
    stranger = User.objects.create_user("stranger")
    set_membership(user=stranger, merchant=other, role="admin")
    client = Client()
    client.force_login(stranger)
    shown = begin(client, batch)
    assert ("发货.csv" in shown, "没扫" in shown, tone(shown)) == (False, False, "idle")
    assert "发货.csv" in page(colleague(world, "mei").get("/scan/"))


@pytest.mark.postgres
def test_trying_again_what_was_refused_ships_no_label_that_nobody_packed(
    world: Any, boss: User, pump: Any
) -> None:
    client, orders = member(world), [world.order([TEA]) for _ in LABELS]
    batch = uploaded(world, boss, orders, *LABELS)
    begin(client, batch)
    world.remote.fault("code", errcode=606049, times=1)
    scan(client, LABELS[0])
    pump()
    desk, at = Client(), f"/batches/{batch.pk}/"
    desk.force_login(boss)
    assert "再试一次能重试的 1 个" in page(desk.get(at))
    desk.post(f"{at}retry/")
    assert '还没发出 <b class="num">1</b>' in page(desk.get(f"{at}progress/?stage=queueing"))
    assert verdicts(work(batch)) == ["queued", "ready", "ready"]
    pump()
    assert [len(world.sends(order)) for order in orders] == [2, 0, 0]
