"""National subsidy and serial numbers: 606060, 606061, 268545006, 268545011, 268545012."""

import pytest

from shipping.drafts import Goods, SerialHolder
from shipping.rules import check
from wechat.errcodes import meaning, problem_text

from .cases import (
    IMEI,
    OTHER_IMEI,
    A,
    B,
    draft,
    expected,
    express,
    facts,
    found,
    item,
    serial,
    virtual,
    virtual_facts,
)

P, Q = "packages[0]", "packages[1]"
S = f"{P}.serial"
SECOND = {"waybill_id": "SF1234567890124"}


@pytest.mark.parametrize(
    ("package", "order", "problems"),
    [
        (express(), facts(), []),
        (serial(), facts(), []),
        (serial(""), facts(), []),
        (serial("", IMEI), facts(), [(606060, f"{S}.sn_code", True)]),
        (express(), facts(is_subsidy=True), [(606060, f"{S}.sn_code", True)]),
        (serial(" "), facts(is_subsidy=True), [(606060, f"{S}.sn_code", True)]),
        (serial("", IMEI), facts(is_subsidy=True), [(606060, f"{S}.sn_code", True)]),
        (serial(), facts(is_subsidy=True), []),
        (virtual(), virtual_facts(is_subsidy=True), []),
    ],
)
def test_subsidy_package_has_sn(package, order, problems):
    assert found(package, order) == expected(*problems)


PHONE, CASE = Goods(*A, "phone", 3, is_subsidy=True), Goods(*B, "case", 3)
OF_THE_CASE = express(items=(item(1, B),), **SECOND)


@pytest.mark.parametrize(
    ("packages", "problems"),
    [
        (express(), [(606060, f"{S}.sn_code", True)]),
        (serial(), []),
        ((serial(), OF_THE_CASE), [(606060, f"{Q}.serial.sn_code", False)]),
        ((express(), OF_THE_CASE), [(606060, f"{S}.sn_code", True), (606060, f"{Q}.serial.sn_code", False)]),
        (express(items=(item(), item(1, B))), [(606060, f"{S}.sn_code", True)]),
        (serial("", IMEI, items=(item(1, B),)), [(606060, f"{S}.sn_code", True)]),
    ],
)
def test_the_case_sold_with_a_subsidised_phone_may_leave_alone(packages, problems):
    order = facts(is_subsidy=True, goods=(PHONE, CASE))
    assert found(packages, order) == expected(*problems)


@pytest.mark.parametrize(
    ("imei1", "imei2", "fields"),
    [
        (IMEI, OTHER_IMEI, []),
        ("", IMEI, []),
        ("490154203237519", "", ["imei1"]),
        (IMEI[:14], "", ["imei1"]),
        (IMEI + "1", "", ["imei1"]),
        ("49-015420-323751-8", "", ["imei1"]),
        ("４９０154203237518", "", ["imei1"]),
        (IMEI, "abc", ["imei2"]),
        ("1", "2", ["imei1", "imei2"]),
        (IMEI, IMEI, ["imei2"]),
        ("1", "1", ["imei1", "imei2"]),
    ],
)
def test_imeis_are_sound_and_differ(imei1, imei2, fields):
    expects = [(268545012, f"{S}.{field}", True) for field in fields]
    assert found(serial("SN1", imei1, imei2)) == expected(*expects)


@pytest.mark.parametrize(
    ("first", "second", "is_wrong"),
    [("SN1", "SN2", False), ("SN1", "SN1", True), ("SN1", "sn1 ", True), ("", "", False)],
)
def test_sn_once_per_shipment(first, second, is_wrong):
    expects = [(268545011, f"{Q}.serial.sn_code", True)] if is_wrong else []
    assert found((serial(first), serial(second, **SECOND))) == expects


@pytest.mark.parametrize(
    ("used", "is_wrong"), [({}, False), ({"SN1": "777"}, True), ({"SN2": "777"}, False), ({"": "7"}, False)]
)
def test_a_device_belongs_to_no_other_order(used, is_wrong):
    expects = [(268545011, f"{S}.sn_code", True)] if is_wrong else []
    assert (
        found(
            serial("SN1"),
            facts(serials_used={number: SerialHolder(order_id) for number, order_id in used.items()}),
        )
        == expects
    )
    assert (
        found(
            serial(""),
            facts(serials_used={number: SerialHolder(order_id) for number, order_id in used.items()}),
        )
        == []
    )


@pytest.mark.parametrize(
    ("items", "is_subsidy", "met", "is_warned"),
    [
        ((item(), item(1, B)), True, (268545006, *B), True),
        ((item(), item(1, B)), True, (268545006, "9", "9"), False),
        ((item(), item(1)), True, (268545006, *A), False),
        ((item(), item(1, B)), False, (268545006, *A), False),
    ],
)
def test_subsidy_package_has_one_sku(items, is_subsidy, met, is_warned):
    expects = [(268545006, f"{P}.items", False)] if is_warned else []
    order = facts(is_subsidy=is_subsidy, met_before=frozenset({met}))
    assert found(serial(items=items), order) == expects


@pytest.mark.parametrize(
    ("met", "is_warned"),
    [((606061, A[0], "SF"), True), ((606061, A[0], "JD"), False), ((606061, B[0], "SF"), False)],
)
def test_courier_may_carry_the_subsidy(met, is_warned):
    expects = [(606061, f"{P}.delivery_id", False)] if is_warned else []
    assert found(express(), facts(met_before=frozenset({met}))) == expects


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (SerialHolder(), "这台机器已经用在别的包裹上，请核对"),
        (
            SerialHolder("777", at="2026-11-24 10:00"),
            "这台机器已经用在订单 777 上（2026-11-24 10:00），请核对",
        ),
        (SerialHolder("777", "小王", "10:00"), "这台机器已经用在订单 777 上（小王，10:00），请核对"),
    ],
)
def test_as_much_is_said_of_a_used_device_as_may_be_told(holder, words):
    (problem,) = check(draft(serial("SN1")), facts(serials_used={"SN1": holder}))
    assert problem_text(meaning(problem.errcode), problem.params, "zh-hans") == words
