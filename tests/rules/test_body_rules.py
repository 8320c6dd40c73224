"""What the body may hold: 47001, 40097."""

import pytest

from .cases import course, draft, expected, express, facts, found, item, virtual_facts

P = "packages[0]"


def test_a_sound_draft_has_no_problem():
    assert found(express()) == []
    assert found(course(items=(item(3),)), virtual_facts(goods=facts().goods[:1])) == []


@pytest.mark.parametrize(
    ("package", "problems"),
    [
        (express(deliver_type="快递"), [(47001, f"{P}.deliver_type", True)]),
        (express(deliver_type="1"), [(47001, f"{P}.deliver_type", True)]),
        (express(deliver_type=None), [(47001, f"{P}.deliver_type", True)]),
        (express(items=(item("two"),)), [(47001, f"{P}.items[0].product_cnt", True)]),
        (express(items=(item(), item(None))), [(47001, f"{P}.items[1].product_cnt", True)]),
    ],
)
def test_numbers_are_numbers(package, problems):
    assert found(package) == expected(*problems)


@pytest.mark.parametrize(
    ("times", "fields"),
    [
        ({"start_time": None, "end_time": None}, []),
        ({"start_time": "soon"}, ["start_time"]),
        ({"start_time": "2023-02-01", "end_time": ""}, ["start_time", "end_time"]),
    ],
)
def test_course_times_are_numbers(times, fields):
    order = virtual_facts(goods=facts().goods[:1])
    expects = [(47001, f"{P}.course.{field}", True) for field in fields]
    assert found(course(items=(item(3),), **times), order) == expected(*expects)


@pytest.mark.parametrize("order_id", ["", "12a", "１２３", "-5", "1.5", " 123"])
def test_shipment_names_its_order(order_id):
    assert found(draft(express(), order_id=order_id)) == [(40097, "order", True)]


def test_shipment_names_its_packages():
    assert found(draft()) == [(40097, "order", True)]


@pytest.mark.parametrize(("count", "is_wrong"), [(1, False), (0, True), (-1, True)])
def test_counts_are_at_least_one(count, is_wrong):
    expects = [(40097, f"{P}.items[0].product_cnt", True)] if is_wrong else []
    assert found(express(items=(item(count),))) == expects


def test_a_negative_count_makes_no_room_for_another():
    problems = found(express(items=(item(-5), item(4))))
    assert problems == expected(
        (40097, f"{P}.items[0].product_cnt", True), (109000, f"{P}.items[1].product_cnt", True)
    )
