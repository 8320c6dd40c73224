"""What the rules get to know of an order, from the platform's answer to the facts."""

from typing import Any

import pytest

from sandbox import build
from shipping.drafts import Draft, Item, PackageDraft, SerialDraft
from shipping.queries import order_facts
from shipping.services import queue_shipment, tidy
from shipping.syncing import read_order

pytestmark = pytest.mark.django_db(transaction=True)
PHONE, CASE = ("10000001", "20000001"), ("10000002", "20000002")


def test_the_subsidy_is_on_the_line_that_shows_it(world: Any) -> None:
    order = world.order([build.subsidy_line(*PHONE), build.line(*CASE)])
    assert {goods.pair: goods.is_subsidy for goods in order_facts(order).goods} == {PHONE: True, CASE: False}


def test_a_subsidy_of_the_order_alone_marks_no_goods(world: Any) -> None:
    order = world.order([build.line(*PHONE)], price_info={"national_subsidy_discounted_price": 100})
    facts = order_facts(order)
    assert facts.is_subsidy
    assert [goods.is_subsidy for goods in facts.goods] == [False]


def test_what_is_only_queued_has_not_left(world: Any, pump: Any) -> None:
    order = world.order([build.line(*PHONE, 3)])
    package = PackageDraft(1, "SF", "SF3100000000001", (Item(*PHONE, 1),))
    queue_shipment(order=order, draft=Draft(order.order_id, (package,)), user=None)
    (goods,) = order_facts(order).goods
    assert (goods.taken, goods.shipped) == (1, 0)
    pump()
    (goods,) = order_facts(order).goods
    assert (goods.taken, goods.shipped) == (1, 1)


def test_what_people_type_is_read_in_its_plain_form() -> None:
    serial = SerialDraft(" ＳＮ a1", "４９０154203237518", "4901 5420 3237 518")
    typed = Draft("1", (PackageDraft(1, "ｓｆ", "ｓｆ 1", serial=serial),))
    (package,) = tidy(typed).packages
    assert (package.delivery_id, package.waybill_id) == ("SF", "SF1")
    assert package.serial == SerialDraft("SNa1", "490154203237518", "490154203237518")


@pytest.mark.parametrize(("refunded", "is_held"), [(0, True), (1, False)])
def test_a_device_that_may_have_come_back_can_be_sold_again(
    world: Any, pump: Any, refunded: int, is_held: bool
) -> None:
    sold, next_one = (world.order([build.subsidy_line(*PHONE), build.line(*CASE)]) for _ in range(2))
    serial = SerialDraft("SN1")
    package = PackageDraft(1, "SF", "SF3100000000001", (Item(*PHONE, 1),), serial=serial)
    queue_shipment(order=sold, draft=Draft(sold.order_id, (package,)), user=None)
    pump()
    lines = world.remote.truth(sold.order_id)["order_detail"]["product_infos"]
    lines[0]["finish_aftersale_sku_cnt"] = refunded
    world.remote.change(sold.order_id, {"order_detail": {"product_infos": lines}})
    read_order(world.merchant, sold.order_id)
    assert ("SN1" in order_facts(next_one, serials=["sn1"]).serials_used) is is_held
