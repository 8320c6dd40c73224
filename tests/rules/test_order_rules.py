"""The order itself: every problem stands at `order`."""

import re

import pytest

from shipping import rules
from shipping.drafts import Goods, SerialHolder
from shipping.rules import RULES_OF, check, stops

from .cases import draft, expected, express, facts, found, serial

SOURCE = r"Section \d|store-api \d|HOUSE|\b\d{5,9}\b|Our own"


def at_order(*problems):
    return expected(*((name, "order", is_hard) for name, is_hard in problems))


@pytest.mark.parametrize(
    ("status", "is_paid", "problems"),
    [
        (20, True, []),
        (21, True, []),
        (30, True, [(109001, True)]),
        (100, True, [(109001, True)]),
        *((status, True, [(101100, True)]) for status in (5, 12, 13, 190, 200, 250)),
        (10, False, [(101100, True)]),
        (10, True, [(101100, False)]),
        (0, True, [("order_status_unknown", False)]),
        (77, True, [("order_status_unknown", False)]),
        (None, True, [("order_status_unknown", False)]),
    ],
)
def test_order_waits_for_shipment(status, is_paid, problems):
    assert found(express(), facts(status=status, is_paid=is_paid)) == at_order(*problems)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"on_aftersale": 1}, [(108009, True)]),
        ({"address_under_review": True}, [(10020115, True)]),
        ({"sku_change_waiting": True}, [(10020276, True)]),
        ({"on_aftersale": 2, "sku_change_waiting": True}, [(108009, True), (10020276, True)]),
    ],
)
def test_order_has_nothing_pending(changes, problems):
    assert found(express(), facts(**changes)) == at_order(*problems)


@pytest.mark.parametrize(
    ("known", "problems"),
    [(True, []), (False, [(606003, True)]), (None, [("return_address_never_read", False)])],
)
def test_merchant_has_a_return_address(known, problems):
    assert found(express(), facts(has_return_address=known)) == at_order(*problems)


@pytest.mark.parametrize(
    ("kind", "status", "errcode"),
    [(0, None, None), (1, None, 606034), (1, 0, 606034), (1, 4, 606034), (1, 7, 606034), (1, 5, None),
     (1, 6, None), (1, 11, None), (2, None, 606045), (2, 200, 606045), (2, 202, None), (1, 202, 606034)],
)  # fmt: skip
def test_inspected_goods_have_passed(kind, status, errcode):
    order = facts(quality_inspect_type=kind, inspect_status=status)
    assert found(express(), order) == at_order(*([(errcode, False)] if errcode else []))


@pytest.mark.parametrize(
    ("mark", "errcode"),
    [("needs_ewaybill", 606046), ("has_risk", 606049), ("has_online_waybill", 109205)],
)
def test_order_is_free_to_ship_ourselves(mark, errcode):
    assert found(express(), facts(**{mark: True})) == at_order((errcode, False))


BAD = {
    "status": 250,
    "deliver_method": 1,
    "goods": (Goods("1", "1"),),
    "on_aftersale": 1,
    "address_under_review": True,
    "sku_change_waiting": True,
    "is_subsidy": True,
    "quality_inspect_type": 1,
    "has_risk": True,
    "needs_ewaybill": True,
    "has_online_waybill": True,
}


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        (BAD, []),
        ({"has_return_address": None}, []),
        ({"has_return_address": False}, [(606003, "order", True)]),
        ({"couriers": None}, [("couriers_never_read", "packages[0].delivery_id", False)]),
        ({"serials_used": {"SN1": SerialHolder("7")}}, [(268545011, "packages[0].serial.sn_code", True)]),
    ],
)
def test_facts_never_read_silence_the_order_and_nothing_else(changes, problems):
    package = serial() if "serials_used" in changes else express()
    expects = expected(("facts_never_read", "order", False), *problems)
    assert found(package, facts(is_read=False, **changes)) == expects


def test_a_warning_alone_does_not_stop():
    assert not stops([])
    assert not stops(check(draft(express()), facts(status=77)))
    assert stops(check(draft(express()), facts(status=250)))


def test_every_rule_is_listed_once_and_says_where_it_comes_from():
    taken = {rule.__name__ for kind in RULES_OF.values() for rule in kind}
    written = {
        name
        for name, value in vars(rules).items()
        if getattr(value, "__annotations__", {}).get("return") == rules.Problems
    }
    assert taken == written
    assert all(len(set(kind)) == len(kind) for kind in RULES_OF.values())
    assert [
        rule.__name__
        for kind in RULES_OF.values()
        for rule in kind
        if not re.search(SOURCE, rule.__doc__ or "")
    ] == []
