"""The station by its page: one field and plain POSTs, rows, the worker and what became of it."""

import json
from typing import Any

import pytest
from django.test import Client

from merchants.models import User
from merchants.services import pause_merchant
from sandbox import build
from shipping.models import Package, ScanSession, Shipment, StatusChange
from shipping.scanning import badge_code
from shipping.services import hold_order
from tests.pages.people import changed, colleague, order_at, second_store
from tests.pages.test_desk import member, page

pytestmark = pytest.mark.django_db(transaction=True)
TEA = build.line("1001", "2001", 2, sku_code="TEA-1", title="茶叶")
LABEL = "SF3100000000001"


def scan(client: Client, *codes: str, **more: str) -> str:
    """Scans without JavaScript, each a page of its own; the last page."""
    answer = None
    for code in codes:
        answer = client.post("/scan/", {"code": code, **more}, follow=True)
        assert answer.status_code == 200
    return page(answer)


def tone(shown: str) -> str:
    return shown.split('data-tone="')[1].split('"')[0]


def test_slip_and_label_ship_an_order(world: Any, pump: Any) -> None:
    client, order = member(world), world.order([TEA])
    shown = scan(client, order.order_id)
    assert (tone(shown), "茶叶" in shown, "×2" in shown, "还没保存" in shown) == ("wait", True, True, True)
    shown = scan(client, LABEL)
    assert (tone(shown), "已保存" in shown, "station-unsaved" in shown) == ("ok", True, False)
    pump()
    (sent,) = world.sends(order)
    (parcel,) = json.loads(sent["body"])["delivery_list"]
    assert (parcel["waybill_id"], parcel["delivery_id"]) == (LABEL, "SF")
    assert parcel["product_infos"] == [{"product_id": "1001", "sku_id": "2001", "product_cnt": 2}]
    assert "已发货" in page(client.get("/scan/recent/"))
    assert Shipment.objects.get().door == "scan"


def test_a_reload_and_another_browser_go_on_where_the_station_was(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    scan(client, order.order_id, "TEA-1")
    other = Client()
    other.force_login(User.objects.get())
    assert "1/2" in page(other.get("/scan/"))
    assert tone(scan(other, "TEA-1", LABEL)) == "ok"
    assert Package.objects.get().items.get().product_cnt == 2


def test_two_stations_of_one_login_do_not_disturb_each_other(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    scan(client, order.order_id)
    second = Client()
    second.force_login(User.objects.get())
    second.post("/scan/setup/", {"station": "二号", "must_count": "on"})
    assert "工位 二号" in page(second.get("/scan/"))
    assert tone(scan(second, LABEL)) == "bad"
    assert tone(scan(client, LABEL)) == "ok"


def test_a_scan_sent_twice_is_worked_off_once(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    scan(client, order.order_id)
    for _ in range(3):
        shown = scan(client, "TEA-1", key="tab-1")
    assert "1/2" in shown
    answer = client.post("/scan/", {"code": "TEA-1", "key": "tab-2"}, headers={"HX-Request": "true"})
    assert "2/2" in page(answer)
    assert "<html" not in page(answer)


def test_what_is_held_or_in_aftersale_turns_red_with_the_reason(world: Any) -> None:
    client, held, returned = member(world), world.order([TEA]), world.order([TEA])
    hold_order(order=held, user=None, reason="等买家回复")
    shown = scan(client, held.order_id)
    assert (tone(shown), "等买家回复" in shown) == ("bad", True)
    aftersale = {"order_detail": {"product_infos": [{**TEA, "on_aftersale_sku_cnt": 1}]},
                 "aftersale_detail": {"on_aftersale_order_cnt": 1}}  # fmt: skip
    changed(world, returned, aftersale)
    shown = scan(client, returned.order_id)
    assert (tone(shown), "售后" in shown) == ("bad", True)
    assert not Package.objects.exists()


def test_a_hold_set_between_slip_and_label_stops_the_label(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    scan(client, order.order_id)
    hold_order(order=order, user=None, reason="等买家回复")
    assert tone(scan(client, LABEL)) == "bad"
    assert not Package.objects.exists()


def test_a_paused_store_says_that_the_parcel_waits(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    pause_merchant(merchant=world.merchant, errcode=48001)
    shown = scan(client, order.order_id, LABEL)
    assert (tone(shown), "恢复后会自动提交" in shown) == ("ok", True)


def test_undo_takes_the_parcel_back_before_it_leaves(world: Any, pump: Any) -> None:
    client, order = member(world), world.order([TEA])
    shown = scan(client, order.order_id, LABEL, "FH-UNDO")
    assert (tone(shown), Package.objects.get().status) == ("wait", "cancelled")
    assert tone(scan(client, LABEL)) == "ok"
    pump()
    shown = scan(client, "FH-UNDO")
    assert (tone(shown), "撤不回" in shown, len(world.sends(order))) == ("bad", True, 1)


def test_a_stranger_s_order_and_a_missing_one_read_alike(world: Any) -> None:
    client, order = member(world), order_at(world, second_store(world))
    foreign, missing = (
        scan(client, order_id).split('id="station"')[1].split("<dl")[0].replace(order_id, "")
        for order_id in (order.order_id, "3700000000000000001")
    )
    assert foreign.split("data-heard")[0] == missing.split("data-heard")[0]


def test_a_colleague_s_badge_names_the_packer_and_a_stranger_s_does_not(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    colleague(world, "mei")
    User.objects.filter(username="mei").update(display_name="小梅")
    mei, stranger = User.objects.get(username="mei"), User.objects.create_user("stranger")
    assert tone(scan(client, badge_code(stranger.badge))) == "bad"
    assert "打包人：小梅" in scan(client, badge_code(mei.badge))
    scan(client, order.order_id, LABEL)
    shipment = Shipment.objects.get()
    assert (shipment.packer, shipment.created_by.username) == (mei, "staff")
    assert StatusChange.objects.get(target="queued").packer == mei
    assert "小梅（登录：staff）" in page(client.get(f"/orders/{order.order_id}/"))


def test_a_badge_logs_nobody_in(world: Any) -> None:
    member(world)
    answer = Client().post("/scan/", {"code": badge_code(User.objects.get().badge)})
    assert 'name="password"' in page(answer)
    assert not ScanSession.objects.exists()


def test_a_packer_who_left_packs_no_more(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    colleague(world, "mei")
    mei = User.objects.get(username="mei")
    scan(client, badge_code(mei.badge))
    mei.memberships.update(is_active=False)
    assert tone(scan(client, order.order_id)) == "bad"


def test_commands_couriers_and_badges_are_printed(world: Any) -> None:
    client = member(world)
    colleague(world, "mei")
    codes = page(client.get("/scan/codes/"))
    assert all(f'alt="FH-{code}"' in codes for code in ("DONE", "UNDO", "SKIP", "NEXT", "YES", "K-SF"))
    badges = page(client.get("/scan/badges/"))
    assert badges.count('alt="FH-B-') == 2
    stranger = User.objects.create_user("stranger")
    assert stranger.badge not in badges


def test_warnings_want_a_yes(world: Any) -> None:
    client, order = member(world), world.order([TEA])
    shown = scan(client, order.order_id, "FH-K-JD", LABEL)
    assert (tone(shown), "请核对" in shown, Package.objects.count()) == ("wait", True, 0)
    assert tone(scan(client, "FH-YES")) == "ok"
    assert Package.objects.get().delivery_id == "JD"
