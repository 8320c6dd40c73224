"""What the rules get to know of an order, from the platform's answer to the facts."""

from typing import Any

import pytest

from sandbox import build
from shipping.drafts import Draft, Item, PackageDraft
from shipping.queries import order_facts
from shipping.services import queue_shipment

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
