"""What is inside: 109002, 606031, 109000, 606051."""

from typing import Any

import pytest

from shipping.drafts import Goods
from shipping.rules import check

from .cases import A, B, draft, expected, express, facts, found, item, virtual, virtual_facts

P, Q = "packages[0]", "packages[1]"
SECOND = {"waybill_id": "SF1234567890124"}


@pytest.mark.parametrize("items", [(), None])
def test_package_holds_products(items):
    assert found((express(), express(items=items, **SECOND))) == [(109002, f"{Q}.items", True)]


@pytest.mark.parametrize(
    ("pair", "is_read", "is_wrong"),
    [
        (A, True, False),
        ((A[0], B[1]), True, True),
        (("9", "9"), True, True),
        (("9", "9"), False, False),
        (("", A[1]), False, True),
        ((A[0], " "), False, True),
        (("", ""), True, True),
    ],
)
def test_products_belong_to_the_order(pair, is_read, is_wrong):
    expects: list[Any] = [(606031, f"{P}.items[1].product_id", True)] if is_wrong else []
    expects += [] if is_read else [("facts_never_read", "order", False)]
    assert found(express(items=(item(), item(pair=pair))), facts(is_read=is_read)) == expected(*expects)


def test_an_answer_without_lines_stops_nothing_as_foreign():
    assert found(express(), facts(goods=())) == [("facts_never_read", "order", False)]


def _goods(ordered, refunded=0, taken=0, shipped=0):
    return facts(goods=(Goods(*A, "tea", ordered, refunded, taken, shipped), Goods(*B, "cup", 9)))


@pytest.mark.parametrize(
    ("counts", "order", "where", "is_hard"),
    [
        ([[3]], _goods(3), None, None),
        ([[4]], _goods(3), "packages[0].items[0]", True),
        ([[2, 1, 1]], _goods(3), "packages[0].items[2]", True),
        ([[2], [1]], _goods(3), None, None),
        ([[2], [2]], _goods(3), "packages[1].items[0]", True),
        ([[4], [4]], _goods(3), "packages[0].items[0]", True),
        ([[1]], _goods(3, refunded=3), "packages[0].items[0]", True),
        ([[1]], _goods(3, taken=3), "packages[0].items[0]", True),
        ([[2]], _goods(3, refunded=2), "packages[0].items[0]", True),
        ([[2]], _goods(3, refunded=2, taken=1, shipped=1), "packages[0].items[0]", False),
        ([[2]], _goods(3, refunded=2, taken=1), "packages[0].items[0]", True),
        ([[1], [1]], _goods(3, refunded=1, taken=1, shipped=1), "packages[1].items[0]", False),
        ([[3]], _goods(3, refunded=1, taken=1, shipped=1), "packages[0].items[0]", True),
    ],
)
def test_counts_fit_what_is_left(counts, order, where, is_hard):
    packages = tuple(
        express(waybill_id=f"SF123456789012{n}", items=tuple(item(count) for count in items))
        for n, items in enumerate(counts)
    )
    assert found(packages, order) == ([(109000, f"{where}.product_cnt", is_hard)] if where else [])


def test_counts_name_what_is_left_and_what_was_asked():
    packages = (express(items=(item(2),)), express(items=(item(3), item(1, B)), **SECOND))
    (problem,) = check(draft(*packages), facts())
    assert problem.params == {"left": 3, "asked": 5, "title": "tea"}


@pytest.mark.parametrize(
    ("packages", "order", "problems"),
    [
        (virtual(), virtual_facts(), []),
        (virtual(items=(item(3),)), virtual_facts(), [(606051, f"{P}.items", True)]),
        (virtual(items=(item(3), item(2, B))), virtual_facts(), [(606051, f"{P}.items", True)]),
        ((virtual(items=(item(3),)), virtual(items=(item(3, B),))), virtual_facts(), []),
        (virtual(items=(item(1),)), virtual_facts(goods=(Goods(*A, "", 3, 1, 1),)), []),
        (
            (virtual(items=(item(3),)), express(items=(item(3, B),))),
            virtual_facts(),
            [(606051, f"{P}.items", True), (606008, f"{Q}.deliver_type", True)],
        ),
        (virtual(items=(item(1),)), facts(), [(606008, f"{P}.deliver_type", True)]),
        (
            virtual(items=(item(1),)),
            facts(deliver_method=3),
            [(606051, f"{P}.items", True), (606008, f"{P}.deliver_type", False)],
        ),
        (
            virtual(items=(item(1),)),
            facts(deliver_method=None),
            [(606051, f"{P}.items", False), ("deliver_method_never_read", f"{P}.deliver_type", False)],
        ),
        (
            (express(), virtual(items=(item(1),))),
            facts(deliver_method=None),
            [(606051, f"{Q}.items", False), ("deliver_method_never_read", f"{Q}.deliver_type", False)],
        ),
    ],
)
def test_virtual_ships_whole(packages, order, problems):
    assert found(packages, order) == expected(*problems)
