"""A store that stands still: everybody reads why and for how long, an admin ends it from the task list."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import Merchant
from merchants.services import add_merchant, pause_merchant
from shipping.drafts import Draft, PackageDraft
from shipping.models import Order, Package
from shipping.services import queue_shipment
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)
NOT_ALLOWED = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 1-2-3"


def wait_behind(world: Any, number: int, hours: int) -> Order:
    order = world.order()
    Order.objects.filter(pk=order.pk).update(deadline_at=timezone.now() + timedelta(hours=hours))
    waybill = f"SF310000000000{number}"
    queue_shipment(order=order, draft=Draft(order.order_id, (PackageDraft(1, "SF", waybill),)), user=None)
    return order


def test_the_banner_says_who_acts_what_waits_and_which_deadline_comes_first(world: Any) -> None:
    pause_merchant(merchant=world.merchant, errcode=40164, errmsg=NOT_ALLOWED)
    wait_behind(world, 1, 30)
    urgent = wait_behind(world, 2, 5)
    shown = page(member(world).get("/errors/"))
    for words in (
        "测试店 暂停发货",
        "由您的管理员处理",
        "203.0.113.7",
        "2 个包裹在等",
        urgent.order_id,
        "剩 4 小时",
    ):
        assert words in shown, words
    assert "去处理" not in shown


def test_a_quota_says_when_it_returns_and_a_reading_call_stops_no_parcel(world: Any) -> None:
    client, midnight = member(world), timezone.now() + timedelta(hours=2)
    Merchant.objects.update(orders_read_at=timezone.now())
    pause_merchant(merchant=world.merchant, call="order/list/get", errcode=48001)
    assert "暂停读取，发货照常" in page(client.get("/"))
    pause_merchant(merchant=world.merchant, call="order/delivery/send", errcode=45009, until=midnight)
    shown = page(client.get("/"))
    assert f"到 {timezone.localtime(midnight):%m-%d %H:%M} 自动恢复" in shown
    assert "由微信处理" in shown


def test_packers_go_on_and_the_parcel_leaves_once_an_admin_resumes(world: Any, pump: Any) -> None:
    pause = pause_merchant(merchant=world.merchant, errcode=606003)
    staff, admin, order = member(world), member(world, "admin"), world.order()
    staff.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    assert Package.objects.get().status == "queued"
    assert f"/pauses/{pause.pk}/resume/" in page(admin.get("/todo/"))
    admin.post(f"/pauses/{pause.pk}/resume/")
    pump()
    assert Package.objects.get().status == "shipped"
    assert "没有停下来的店铺" in page(admin.get("/todo/"))
    pause.refresh_from_db()
    assert str(pause.ended_by) == "admin"


def test_the_task_list_holds_the_own_stores_only(world: Any) -> None:
    other = add_merchant(appid="wx00000000000000bb", name="别家店")
    foreign = pause_merchant(merchant=other, errcode=48001)
    admin, manager = member(world, "admin"), member(world, "manager")
    assert "别家店" not in page(admin.get("/todo/"))
    assert admin.post(f"/pauses/{foreign.pk}/resume/").status_code == 404
    assert manager.get("/todo/").status_code == 404
    foreign.refresh_from_db()
    assert foreign.ended_at is None
