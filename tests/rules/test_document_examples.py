"""senddelivery.md 5.1 and 5.2 must pass against an order that matches them."""

import pytest

from shipping.drafts import CourseDraft, Draft, Goods, Item, OrderFacts, PackageDraft, fill_blanks
from shipping.rules import check, stops

from .cases import expected, named

ITEMS = (Item("12345", "678910", 1),)
PARCEL = Draft("123456", (PackageDraft(1, "YD", "23424324253", ITEMS),))
LESSON = CourseDraft(1675180800, 1675958400, "wxabcdes", "path")
COURSE = Draft("123456", (PackageDraft(3, items=ITEMS, course=LESSON),))


def order(method, couriers=None):
    goods = (Goods("12345", "678910", ordered=1),)
    known = {"status": 20, "deliver_method": method, "goods": goods, "has_return_address": True}
    return OrderFacts("123456", couriers=couriers, **known)


NOT_ITS_PATTERN = (6060479, "packages[0].waybill_id", False)


@pytest.mark.parametrize(
    ("draft", "facts", "warnings"),
    [
        (PARCEL, order(0, {"YD": "韵达"}), [NOT_ITS_PATTERN]),
        (PARCEL, order(0), [NOT_ITS_PATTERN, ("couriers_never_read", "packages[0].delivery_id", False)]),
        (COURSE, order(1), []),
    ],
)
def test_the_documents_examples_pass(draft, facts, warnings):
    problems = check(fill_blanks(draft, facts), facts)
    assert not stops(problems)
    assert named(problems) == expected(*warnings)


def test_example_5_1_passes_where_the_list_has_the_couriers_new_code_only():
    facts = order(0, {"YUNDA": "韵达"})
    old_code = ("courier_code_is_old", "packages[0].delivery_id", False)
    assert named(check(PARCEL, facts)) == expected(NOT_ITS_PATTERN, old_code)


def test_a_blank_draft_is_everything_left_the_orders_own_way():
    facts = order(1)
    assert check(fill_blanks(Draft("123456", (PackageDraft(),)), facts), facts) == []
