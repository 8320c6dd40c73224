"""Courses: 606036, 606037, 606038."""

import pytest

from .cases import A, B, course, expected, facts, found, item, virtual_facts

C = "packages[0].course"
ONE = virtual_facts(goods=facts().goods[:1])


def one(**changes):
    return course(items=(item(3),), **changes)


@pytest.mark.parametrize(
    ("package", "order", "problems"),
    [
        (one(), ONE, []),
        (course(items=(item(1), item(2))), ONE, []),
        (course(), virtual_facts(), [(606036, "packages[0].items", True)]),
    ],
)
def test_course_package_has_one_sku(package, order, problems):
    assert found(package, order) == expected(*problems)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"wxa_appid": ""}, [(606038, f"{C}.wxa_appid", True)]),
        ({"wxa_path": " "}, [(606038, f"{C}.wxa_path", True)]),
        (
            {"wxa_appid": "", "wxa_path": ""},
            [(606038, f"{C}.wxa_appid", True), (606038, f"{C}.wxa_path", True)],
        ),
        ({"wxa_path": "#小程序://课堂/abc"}, [(606038, f"{C}.wxa_path", False)]),
        ({"wxa_path": "pages/a?x=#小程序://"}, []),
    ],
)
def test_course_path_is_complete(changes, problems):
    assert found(one(**changes), ONE) == expected(*problems)


@pytest.mark.parametrize(
    ("start", "end", "is_reversed"),
    [(1, 2, False), (2, 2, False), (2, 1, True), (2, None, False), (None, 1, False), (1, 0, True)],
)
def test_course_ends_after_it_starts(start, end, is_reversed):
    expects = [("course_times_reversed", f"{C}.end_time", False)] if is_reversed else []
    assert found(one(start_time=start, end_time=end), ONE) == expects


@pytest.mark.parametrize(
    ("met", "problems"),
    [
        ((606037, *A), [(606037, C, False)]),
        ((606037, *B), []),
        ((606061, *A), []),
    ],
)
def test_course_goods_are_a_course(met, problems):
    order = virtual_facts(goods=facts().goods[:1], met_before=frozenset({met}))
    assert found(one(), order) == expected(*problems)
