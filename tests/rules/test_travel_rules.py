"""How a package travels: 606008, 606004, 606005, 6060479, one waybill once."""

import pytest

from shipping.drafts import fill_blanks
from shipping.rules import check
from wechat.errcodes import meaning, problem_text

from .cases import draft, expected, express, facts, found, item, virtual, virtual_facts

P, Q = "packages[0]", "packages[1]"
TYPE = f"{P}.deliver_type"
WAYBILL, COURIER = f"{P}.waybill_id", f"{P}.delivery_id"


@pytest.mark.parametrize("kind", [0, 2, 4, 6, -1])
def test_delivery_type_is_known(kind):
    assert found(express(deliver_type=kind)) == [(606008, TYPE, True)]


@pytest.mark.parametrize(
    ("method", "package", "problems"),
    [
        (0, express(), []),
        (0, virtual(), [(606008, TYPE, True)]),
        (1, virtual(), []),
        (1, express(), [(606008, TYPE, True)]),
        (3, virtual(), [(606008, TYPE, False)]),
        (3, express(), [(606008, TYPE, False)]),
        (7, express(), [(606008, TYPE, False)]),
        (None, express(), []),
        (None, virtual(), [("deliver_method_never_read", TYPE, False)]),
        (1, express(deliver_type=2), [(606008, TYPE, True)]),
    ],
)
def test_delivery_type_fits_the_order(method, package, problems):
    assert found(package, facts(deliver_method=method)) == expected(*problems)


@pytest.mark.parametrize(("method", "suggested"), [(0, 1), (1, 3), (3, 3), (7, 1), (None, 1)])
def test_every_method_suggests_a_type(method, suggested):
    filled = fill_blanks(draft(express(deliver_type=None)), facts(deliver_method=method))
    assert filled.packages[0].deliver_type == suggested


def test_an_unknown_method_is_said_to_be_unknown():
    """Not that the type does not fit: nobody knows."""
    (problem,) = check(draft(express()), facts(deliver_method=7))
    assert "（7）" in problem_text(meaning(606008), problem.params, "zh")


@pytest.mark.parametrize("code", ["", "  "])
def test_express_names_its_courier(code):
    assert found(express(delivery_id=code)) == [(606004, COURIER, True)]
    assert found(express(delivery_id=code), facts(couriers=None)) == [(606004, COURIER, True)]


@pytest.mark.parametrize(
    ("code", "couriers", "problems"),
    [
        ("SF", {"SF": ""}, []),
        ("OTHER", {"SF": ""}, []),
        ("OTHER", None, []),
        ("ZTO", {"SF": ""}, [(606004, COURIER, True), (6060479, WAYBILL, False)]),
        ("SF", {}, [(606004, COURIER, True)]),
        ("YD", {"YUNDA": ""}, [(6060479, WAYBILL, False), ("courier_code_is_old", COURIER, False)]),
        ("SF", None, [("couriers_never_read", COURIER, False)]),
    ],
)
def test_courier_is_on_the_merchants_list(code, couriers, problems):
    assert found(express(delivery_id=code), facts(couriers=couriers)) == expected(*problems)


def test_couriers_never_read_is_said_once_at_the_first_that_needs_them():
    packages = (
        express(delivery_id="OTHER"),
        express(waybill_id="SF1234567890124"),
        express(waybill_id="SF1234567890125"),
    )
    assert found(packages, facts(couriers=None)) == [("couriers_never_read", f"{Q}.delivery_id", False)]


@pytest.mark.parametrize(
    ("number", "is_wrong"),
    [("", True), ("  ", True), ("单号123456", True), ("AB 12345", True), ("ab12345", True),
     ("ＡＢ12345", True), ("AB12345\u200b", True),
     ("AB/12345", True), ("AB12345\n", True), ("AB-12345", False)],
)  # fmt: skip
def test_express_names_its_waybill(number, is_wrong):
    expects = [(606005, WAYBILL, True)] if is_wrong else []
    assert found(express(delivery_id="OTHER", waybill_id=number)) == expects


@pytest.mark.parametrize(
    ("courier", "number", "problems"),
    [
        ("OTHER", "12345", [(606005, WAYBILL, False)]),
        ("OTHER", "123456", []),
        ("OTHER", "1" * 32, []),
        ("OTHER", "1" * 33, [(606005, WAYBILL, False)]),
        ("SF", "SF123456789012", [(6060479, WAYBILL, False)]),
        ("SF", "SF1", [(606005, WAYBILL, False), (6060479, WAYBILL, False)]),
        ("JD", "JDVA12345678901", []),
        ("YD", "312345678901234", []),
        ("YD", "SF1234567890123", [(6060479, WAYBILL, False)]),
    ],
)
def test_waybill_looks_usual(courier, number, problems):
    assert found(express(delivery_id=courier, waybill_id=number)) == expected(*problems)


@pytest.mark.parametrize(
    ("numbers", "repeats"),
    [
        (("AB123456", "AB123457"), []),
        (("AB123456", "AB123456"), [1]),
        (("AB123456", "AB123457", "AB123456", "AB123456"), [2, 3]),
    ],
)
def test_waybill_once_per_shipment(numbers, repeats):
    small = facts(goods=tuple(g.__class__(*g.pair, ordered=9) for g in facts().goods))
    packages = tuple(express(delivery_id="OTHER", waybill_id=number) for number in numbers)
    expects = [(109000, f"packages[{n}].waybill_id", True) for n in repeats]
    assert found(packages, small) == expected(*expects)


def test_the_same_waybill_in_another_spelling_is_the_same():
    packages = (express(delivery_id="OTHER", waybill_id="AB123456"), express(waybill_id="ａb 123456"))
    assert (109000, f"{Q}.waybill_id", True) in found(packages)


def test_two_blank_waybills_are_not_the_same():
    expects = expected((606005, WAYBILL, True), (606005, f"{Q}.waybill_id", True))
    assert found((express(waybill_id=""), express(waybill_id=""))) == expects


@pytest.mark.parametrize(
    ("used", "is_wrong"),
    [(set(), False), ({"SF1234567890123"}, True), ({"sf1234567890123 "}, True), ({""}, False)],
)
def test_waybill_is_new_to_the_order(used, is_wrong):
    expects = [("waybill_already_on_order", WAYBILL, True)] if is_wrong else []
    assert found(express(), facts(waybills_used=frozenset(used))) == expects


@pytest.mark.parametrize(
    ("package", "problems"),
    [
        (virtual(), []),
        (virtual(waybill_id="x"), [("waybill_not_sent", WAYBILL, False)]),
        (virtual(delivery_id="SF"), [("waybill_not_sent", COURIER, False)]),
        (virtual(waybill_id="x", delivery_id="SF"), [("waybill_not_sent", WAYBILL, False)]),
    ],
)
def test_virtual_carries_no_waybill(package, problems):
    assert found(package, virtual_facts(waybills_used=frozenset({"X"}))) == expected(*problems)


def test_params_say_what_was_typed():
    package = express(delivery_id="NOPE", waybill_id="AB1", items=(item(),))
    told = [dict(p.params) for p in check(draft(package), facts())]
    assert told == [{"delivery_id": "NOPE"}, {"length": 3}]
