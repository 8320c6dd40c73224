"""Corrections and parcels sent again, from the page to the platform and back, with lost answers between."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox import build
from shipping.drafts import Item, PackageDraft
from shipping.models import Attempt, Package
from shipping.syncing import read_order
from tests.conftest import APPID, SECRET
from tests.flows.test_dispatch import ship
from tests.pages.test_desk import member, page

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW, THIRD = "SF3100000000001", "SF3100000000002", "SF3100000000003"
UPDATE, AGAIN = "order/deliveryinfo/update", "order/delivery/compensation"


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: Any) -> None:
    settings.SETTLE_GRACE = 0.3
    monkeypatch.setattr("shipping.dispatch.readiness.BETWEEN_CALLS", timedelta(0))


def shipped(world: Any, pump: Any, pieces: int = 1, *numbers: str) -> Any:
    """An order that left, and was read again."""
    world.remote.switch(order_pace=False)
    order = world.order([build.line("1001", "2001", pieces)])
    items = (Item("1001", "2001", pieces // len(numbers)),) if numbers else None
    ship(order, *(PackageDraft(1, "SF", number, items) for number in numbers or (OLD,)))
    pump()
    return read_order(world.merchant, order.order_id)[0]


def again(order: Any) -> Any:
    return read_order(order.merchant, order.order_id)[0]


def correct(client: Any, order: Any, number: str = NEW, old: str = OLD, **more: str) -> Any:
    data = {"number": old, "p0-waybill_id": number, "p0-delivery_id": "SF", "form_key": number, **more}
    return client.post(f"/orders/{order.order_id}/correct/", data)


def resend(client: Any, order: Any, number: str = NEW, reason: str = "2", **more: str) -> Any:
    data = {"p0-waybill_id": number, "p0-delivery_id": "SF", "p0-cnt-0": "1", "reason": reason,
            "form_key": number, "p0-deliver_type": "1", **more}  # fmt: skip
    return client.post(f"/orders/{order.order_id}/resend/", data)


def calls(world: Any, order: Any, path: str) -> list[dict[str, Any]]:
    return [row for row in world.remote.ledger(order_id=order.order_id) if row["path"].endswith(path)]


def numbers(world: Any, order: Any) -> list[str]:
    info = world.remote.truth(order.order_id)["order_detail"]["delivery_info"]
    return [parcel["waybill_id"] for parcel in info["delivery_product_info"]]


def seen(client: Any, order: Any) -> str:
    return page(client.get(f"/orders/{order.order_id}/"))


def last() -> Package:
    return Package.objects.order_by("-pk")[0]


def test_a_number_is_put_right_and_the_desk_knows_it_is_the_same_parcel(world: Any, pump: Any) -> None:
    client, order = member(world), shipped(world, pump)
    assert "更正单号" in seen(client, order)
    form = page(client.get(f"/orders/{order.order_id}/correct/"))
    assert OLD in form
    assert "最多还能改 3 次" in form
    assert correct(client, order).status_code == 302
    attempt = Package.objects.get(kind="correction").attempt
    assert attempt is None, "saved before the call"
    pump()
    order = again(order)
    assert numbers(world, order) == [NEW]
    html = seen(client, order)
    for words in ("已更正", "单号已更正为", NEW, "原来：SF " + OLD):
        assert words in html
    # One parcel of one piece: nothing is left to ship, nothing counts twice.
    assert html.split('id="order-parcels"')[1].count("更正单号") == 0, "the button stands at the package"
    assert "还没有可以更正" not in page(client.get(f"/orders/{order.order_id}/correct/"))
    assert f"顺丰速运 {NEW}" in html.split('id="reply"')[1]
    assert OLD not in html.split('id="reply"')[1].split("</textarea>")[0]
    assert "delivery_list" in calls(world, order, UPDATE)[0]["body"]


def test_one_parcel_of_two_is_put_right_by_its_old_number(world: Any, pump: Any) -> None:
    client, order = member(world), shipped(world, pump, 2, OLD, THIRD)
    assert OLD in (form := page(client.get(f"/orders/{order.order_id}/correct/")))
    assert THIRD in form
    correct(client, order)
    pump()
    assert sorted(numbers(world, order)) == [NEW, THIRD]
    assert "change_infos" in calls(world, order, UPDATE)[0]["body"]


def test_a_parcel_of_the_back_office_keeps_its_button_after_a_correction(world: Any, pump: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 1)])
    goods = [{"product_id": "1001", "sku_id": "2001", "product_cnt": 1}]
    world.remote.ship_by_hand(order.order_id, [build.package(goods, OLD)])
    correct(client, again(order))
    pump()
    assert "更正单号" in seen(client, again(order)).split('id="order-parcels"')[1]


def test_a_fourth_correction_and_one_that_changes_nothing_are_stopped(world: Any, pump: Any) -> None:
    client, order = member(world), shipped(world, pump)
    assert "没有要改的" in page(correct(client, order, OLD))
    for old, new in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        # From the second on the page warns that some stores may only once.
        correct(client, order, new, old, form_key=f"{old}{new}{Package.objects.count()}", confirm="1")
        pump()
        order = again(order)
    assert numbers(world, order) == [NEW]
    assert "次数已经用完" in page(correct(client, order, THIRD, NEW, form_key="x", confirm="1"))
    assert len(calls(world, order, UPDATE)) == 3


def test_a_store_of_the_older_page_is_told_so_and_not_asked_again(world: Any, pump: Any) -> None:
    client, order = member(world), shipped(world, pump)
    world.remote.switch(corrections=1)
    correct(client, order)
    pump()
    order = again(order)
    assert "有的店铺微信只让改 1 次" in page(correct(client, order, OLD, NEW, form_key="b"))
    correct(client, order, OLD, NEW, form_key="b", confirm="1")
    pump()
    assert last().errcode == 606041
    assert "改单号的次数用完了" in seen(client, order)
    assert "次数已经用完" in page(correct(client, again(order), THIRD, NEW, form_key="c", confirm="1"))


@pytest.mark.parametrize("fault", ["lost_after", "busy_after", "worker"], ids=str)
def test_a_lost_answer_is_settled_by_reading(world: Any, pump: Any, fault: str) -> None:
    client, order = member(world), shipped(world, pump)
    names = {"lost_after": "reset_after", "busy_after": "busy_after", "worker": "empty"}
    for call, send in ((UPDATE, correct), (AGAIN, resend)):
        number = NEW if call == UPDATE else THIRD
        world.remote.fault(names[fault], call=call)
        send(client, order, number)
        pump()
        order = again(order)
        assert (last().status, last().attempt.errcode in (None, -1)) == ("shipped", True)
        assert len(calls(world, order, call)) == 1


def test_what_two_reads_lack_is_sent_once_more(world: Any, pump: Any) -> None:
    client, order = member(world), shipped(world, pump)
    world.remote.fault("reset_before", call=UPDATE)
    correct(client, order)
    pump()
    assert last().status == "shipped"
    assert len(calls(world, order, UPDATE)) == 2
    assert not Attempt.objects.filter(closed_at=None).exists()


def test_a_parcel_that_has_neither_number_is_a_managers_case(world: Any, pump: Any) -> None:
    client, order = member(world), shipped(world, pump)
    world.remote.fault("reset_before", call=UPDATE)
    correct(client, order)
    parcel = world.remote.truth(order.order_id)["order_detail"]["delivery_info"]["delivery_product_info"][0]
    other = {"delivery_product_info": [parcel | {"waybill_id": "SF3100000000777"}]}
    monkey = {"order_detail": {"delivery_info": other}}
    # Somebody corrects it in the back office between our call and the reads.
    from shipping.dispatch import Pump

    Pump().run(0.2)
    world.remote.change(order.order_id, monkey)
    pump()
    assert (last().status, last().slug) == ("conflict", "parcel_went_missing")


def test_one_piece_in_two_boxes_is_sent_again_as_a_split(world: Any, pump: Any) -> None:
    client = member(world)
    order = world.order([build.line("1001", "2001", 1)])
    world.remote.switch(order_pace=False)
    boxes = {"cards": "2", "p0-deliver_type": "1", "p0-waybill_id": OLD, "p0-delivery_id": "SF",
             "p0-cnt-0": "1", "p1-deliver_type": "1", "p1-waybill_id": NEW, "p1-delivery_id": "SF",
             "p1-cnt-0": "1", "form_key": "boxes"}  # fmt: skip
    offer = page(client.post(f"/orders/{order.order_id}/ship/", boxes))
    assert "一件商品分几箱" in offer
    assert f"/orders/{order.order_id}/resend/?reason=2&waybill_id={NEW}" in offer
    assert "先发第一个包裹" in page(resend(client, order))
    ship(order, PackageDraft(1, "SF", OLD))
    pump()
    order = again(order)
    resend(client, order)
    pump()
    order = again(order)
    assert numbers(world, order) == [OLD, NEW]
    assert [row["errcode"] for row in calls(world, order, AGAIN)] == [0]
    for words in ("已补发", "补发：一件分几箱"):
        assert words in seen(client, order)


def test_a_parcel_sent_again_takes_nothing_of_what_is_left(world: Any, pump: Any) -> None:
    from shipping.queries import order_facts

    client = member(world)
    world.remote.switch(order_pace=False)
    order = world.order([build.line("1001", "2001", 2)])
    ship(order, PackageDraft(1, "SF", OLD, (Item("1001", "2001", 1),)))
    pump()
    resend(client, again(order), reason="1")
    assert order_facts(order).goods[0].left == 1
    pump()
    assert order_facts(again(order)).goods[0].left == 1


def test_without_a_reason_or_a_right_it_does_not_leave_and_sending_goes_on(world: Any, pump: Any) -> None:
    client, order = member(world), shipped(world, pump)
    assert "请选补发的原因" in page(resend(client, order, reason=""))
    world.remote.merchant(APPID, SECRET, denied=[AGAIN])
    resend(client, order)
    pump()
    assert (last().status, last().errcode) == ("rejected", 48001)
    assert not world.merchant.pauses.filter(ended_at=None).exists()
    # Put right from the refusal: the form opens as it was.
    world.remote.merchant(APPID, SECRET)
    form = page(client.get(f"/orders/{order.order_id}/resend/?fix={last().pk}"))
    assert NEW in form
    resend(client, order, form_key="z", fix=str(last().pk))
    pump()
    assert last().status == "shipped"
