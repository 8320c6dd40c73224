"""delivery/send: one case for every rule of the document, each a healthy call with one thing wrong."""

import http.client
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox import build
from sandbox.answers import DOCUMENT
from sandbox.server import Sandbox

from .conftest import Shop, open_shop

Json = dict[str, Any]
COURSE_PATH = {"type": 0, "wxa_appid": "wx0000000000000000", "wxa_path": "pages/course?id=1"}
COURSE = {"course_info": {"course_path": COURSE_PATH}}
A, B = ("10000200000001", "3095700001"), ("10000200000002", "3095700002")
SN = {"sn_code": "SN0001ABCD", "imei1": "490154203237518"}


def goods(*pieces: tuple[tuple[str, str], int]) -> list[Json]:
    return [{"product_id": p, "sku_id": s, "product_cnt": count} for (p, s), count in pieces]


def express(*pieces: tuple[tuple[str, str], int], **more: Any) -> Json:
    return {**build.package(goods(*pieces or ((A, 1),))), **more}


def virtual(*pieces: tuple[tuple[str, str], int], **more: Any) -> Json:
    return build.package(goods(*pieces or ((A, 1),)), deliver_type=3, **more)


def without(package: Json, name: str) -> Json:
    return {key: part for key, part in package.items() if key != name}


def line(name: tuple[str, str] = A, count: int = 1, **more: Any) -> Json:
    return build.line(*name, count, **more)


def inspected(kind: int, status: int) -> Json:
    return {"quality_inspect_type": kind, "quality_inspect_info": {"inspect_status": status}}


def course_path(**more: Any) -> Json:
    return {"course_info": {"course_path": {**COURSE_PATH, **more}}}


def odd_goods(**more: Any) -> Json:
    return build.package([{"product_id": A[0], "sku_id": A[1], "product_cnt": 1, **more}])


@dataclass
class Case:
    """An order, a call on it, and the code it must give."""

    says: str
    code: int
    packages: list[Json] = field(default_factory=lambda: [express()])
    order: Json = field(default_factory=dict)
    lines: list[Json] = field(default_factory=lambda: [line()])


SUBSIDY = [build.subsidy_line(*A)]
ADDRESS = {"province_name": "广东省"}
WAITING_SKU: Json = {"change_sku_info": {"preshipment_change_sku_state": 3}}
SETTLED_SKU: Json = {"change_sku_info": {"preshipment_change_sku_state": 4}}
COURSES = {"deliver_method": 1, "sandbox": {"course_skus": [A[1]]}}
BOTH_COURSES = {"deliver_method": 1, "sandbox": {"course_skus": [A[1], B[1]]}}

CASES = [
    Case("a plain parcel", 0),
    Case("unknown members are ignored", 0, [express(is_all_product=True)]),
    Case("virtual, method 1", 0, [virtual()], {"deliver_method": 1}),
    Case("virtual, method 3", 0, [virtual()], {"deliver_method": 3}),
    Case("a course", 0, [virtual(**COURSE)], COURSES),
    Case("a subsidised phone", 0, [express(sn_info=SN)], lines=SUBSIDY),
    Case("a drone may carry a serial number", 0, [express(sn_info=SN)]),
    Case("courier OTHER", 0, [express(delivery_id="OTHER", waybill_id="ABC-123")]),
    Case("the old code YD", 0, [express(delivery_id="YD", waybill_id="23424324253")]),
    Case(
        "one sku over two parcels",
        0,
        [express(), express(waybill_id="SF3100000000002")],
        lines=[line(count=2)],
    ),
    Case("two lines with one pair", 0, [express((A, 2))], lines=[line(), line()]),
    Case("inspected fresh food", 0, order=inspected(2, 202)),
    Case("a settled sku change", 0, lines=[line(**SETTLED_SKU)]),
    Case("the unrefunded rest", 0, [express((A, 2))], lines=[line(count=3, finish_aftersale_sku_cnt=1)]),
    # 40097
    Case("no packages", 40097, []),
    Case("no product id", 40097, [build.package([{"sku_id": "1", "product_cnt": 1}])]),
    Case("empty sku id", 40097, [odd_goods(sku_id="")]),
    Case("no pieces", 40097, [express((A, 0))]),
    Case("no deliver_type", 40097, [without(express(), "deliver_type")]),
    Case("course path of an unknown type", 40097, [virtual(**course_path(type=1))], COURSES),
    # 47001
    Case("product id as number", 47001, [odd_goods(product_id=1)]),
    Case("pieces as string", 47001, [odd_goods(product_cnt="1")]),
    Case("pieces as truth value", 47001, [odd_goods(product_cnt=True)]),
    Case("waybill null", 47001, [express(waybill_id=None)]),
    Case("deliver_type as string", 47001, [express(deliver_type="1")]),
    Case("letters in a product id", 47001, [odd_goods(product_id="x")]),
    Case("goods as object", 47001, [express(product_infos={})]),
    Case("serial number as number", 47001, [express(sn_info={"sn_code": 1})]),
    # the order
    *[Case(f"status {status}", 101100, order={"status": status}) for status in (10, 12, 13, 200, 250)],
    *[Case(f"status {status}", 109001, order={"status": status}) for status in (30, 100)],
    Case("running case", 108009, order={"aftersale_detail": {"on_aftersale_order_cnt": 1}}),
    Case("running case on a line", 108009, lines=[line(on_aftersale_sku_cnt=1)]),
    Case("address asked for", 10020115, order={"address_under_review": ADDRESS}),
    Case("sku change asked for", 10020276, lines=[line(**WAITING_SKU)]),
    Case("risk", 606049, order={"sandbox": {"risk": True}}),
    Case("online waybill", 109205, order={"sandbox": {"online_waybill": True}}),
    Case("jewellery", 606034, order=inspected(1, 0)),
    Case("fresh food", 606045, order=inspected(2, 201)),
    Case("fresh food without a word", 606045, order={"quality_inspect_type": 2}),
    Case("e-waybill", 606046, order={"sandbox": {"ewaybill_required": True}}),
    # the goods
    Case("empty goods", 109002, [express(product_infos=[])]),
    Case("no goods", 109002, [without(express(), "product_infos")]),
    Case("express, virtual order 1", 606008, order={"deliver_method": 1}),
    Case("express, virtual order 3", 606008, order={"deliver_method": 3}),
    Case("virtual, plain order", 606008, [virtual()]),
    Case("a type only seen when reading", 606008, [express(deliver_type=6)]),
    Case("foreign product", 606031, [express((("9", A[1]), 1))]),
    Case("foreign sku", 606031, [express(((A[0], "9"), 1))]),
    Case("half of a virtual order", 606051, [virtual((A, 1))], {"deliver_method": 1}, [line(count=2)]),
    Case("one line of a virtual order", 606051, [virtual()], {"deliver_method": 3}, [line(), line(B)]),
    Case(
        "virtual in two packages of a call",
        0,
        [virtual(), virtual((B, 1))],
        {"deliver_method": 1},
        [line(), line(B)],
    ),
    Case("too many", 109000, [express((A, 2))]),
    Case("too many over two parcels", 109000, [express(), express(waybill_id="SF3100000000002")]),
    Case("refunded", 109000, lines=[line(finish_aftersale_sku_cnt=1)]),
    Case("waybill twice", 109000, [express(), express()], lines=[line(count=2)]),
    Case(
        "waybill twice, other case",
        109000,
        [express(waybill_id="sf3100000000001"), express()],
        lines=[line(count=2)],
    ),
    # the parcel
    Case("unknown courier", 606004, [express(delivery_id="NOPE")]),
    Case("no courier", 606004, [without(express(), "delivery_id")]),
    Case("empty waybill", 606005, [express(waybill_id="")]),
    Case("no waybill", 606005, [without(express(), "waybill_id")]),
    Case("blank in waybill", 606005, [express(waybill_id="SF 3100000000001")]),
    Case("full-width waybill", 606005, [express(waybill_id="\uff33F3100000000001")]),
    Case("line feed after waybill", 606005, [express(waybill_id="SF3100000000001\n")]),
    Case(
        "course beside another sku",
        606036,
        [virtual((A, 1), (B, 1), **COURSE)],
        BOTH_COURSES,
        [line(), line(B)],
    ),
    Case("course link on no course", 606037, [virtual(**COURSE)], {"deliver_method": 1}),
    Case("course without path", 606038, [virtual(course_info={})], COURSES),
    Case("course with empty appid", 606038, [virtual(**course_path(wxa_appid=""))], COURSES),
    Case("course with blank path", 606038, [virtual(**course_path(wxa_path=" "))], COURSES),
    # subsidy
    Case("no serial number", 606060, lines=SUBSIDY),
    Case("empty serial number", 606060, [express(sn_info={"sn_code": ""})], lines=SUBSIDY),
    Case("local subsidy", 606060, lines=[line(order_product_coupon_info_list=[{"coupon_type": 5}])]),
    Case("an ordinary coupon", 0, lines=[line(order_product_coupon_info_list=[{"coupon_type": 1}])]),
    Case("serial number asked for", 606060, order={"sandbox": {"sn_required": True}}),
    Case("subsidy by CNSD", 606061, [express(delivery_id="CNSD", sn_info=SN)], lines=SUBSIDY),
    Case(
        "subsidy by another shop's rule",
        606061,
        [express(sn_info=SN)],
        {"sandbox": {"subsidy_couriers": ["JD"]}},
        SUBSIDY,
    ),
    Case(
        "subsidy beside another sku",
        268545006,
        [express((A, 1), (B, 1), sn_info=SN)],
        lines=[*SUBSIDY, line(B)],
    ),
    Case(
        "wrong check digit", 268545012, [express(sn_info={**SN, "imei1": "490154203237519"})], lines=SUBSIDY
    ),
    Case("short IMEI", 268545012, [express(sn_info={**SN, "imei2": "49015420323751"})], lines=SUBSIDY),
    Case("serial number with a blank", 268545012, [express(sn_info={"sn_code": "SN 1"})], lines=SUBSIDY),
    Case("one IMEI twice", 268545012, [express(sn_info={**SN, "imei2": SN["imei1"]})], lines=SUBSIDY),
    Case("an IMEI without its serial number", 40097, [express(sn_info={"imei1": SN["imei1"]})]),
    Case(
        "one serial number twice",
        268545011,
        [express(sn_info=SN), express(sn_info=SN, waybill_id="SF3100000000002")],
        lines=[build.subsidy_line(*A, 2)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.says}")
def test_each_rule_answers_with_its_code(shop: Shop, case: Case) -> None:
    order = shop.order(case.lines, **case.order)
    before = shop.remote.truth(order["order_id"])
    # The same serial number is used by many cases, each in its own world.
    packages = [unique_serial(package, order["order_id"]) for package in case.packages]
    answer = shop.call("order/delivery/send", {"order_id": order["order_id"], "delivery_list": packages})
    assert answer["errcode"] == case.code, answer
    if case.code:
        assert shop.remote.truth(order["order_id"]) == before
        assert shop.remote.ledger(order_id=order["order_id"])[-1]["accepted"] == []
    else:
        assert shop.status(order) == 30


def unique_serial(package: Json, order_id: str) -> Json:
    serial = (package.get("sn_info") or {}).get("sn_code")
    if not isinstance(serial, str) or serial != SN["sn_code"]:
        return package
    return {**package, "sn_info": {**package["sn_info"], "sn_code": f"SN{order_id}"}}


def test_the_document_s_words_and_a_rid_come_back(shop: Shop) -> None:
    answer = shop.send(shop.order(), express(waybill_id=""))
    words, _, rid = answer["errmsg"].partition(" rid: ")
    assert words == DOCUMENT[606005] == "waybill_id不合法,请检查快递单号是否正确填写"
    assert [len(part) for part in rid.split("-")] == [8, 8, 8]


def test_40097_names_the_exact_path(shop: Shop) -> None:
    bad = build.package([*goods((A, 1)), {"sku_id": "2", "product_cnt": 1}])
    answer = shop.send(shop.order(), bad)
    path = "delivery_list[0].product_infos[1].product_id"
    assert answer["errmsg"].startswith(f"invalid args, product_id: expecting {path} > 0, actually 0 rid: ")


def test_109000_says_nothing_but_its_rid(shop: Shop) -> None:
    assert shop.send(shop.order(), express((A, 9)))["errmsg"].startswith(" rid: ")


@pytest.mark.parametrize(
    ("order_id", "code"),
    [
        ("3799999999999999999", 100002),
        (3799999999999999999, 100002),
        ("", 40097),
        (0, 40097),
        ("37x", 47001),
        (1.5, 47001),
    ],
)
def test_order_ids_that_are_not_ours(shop: Shop, order_id: object, code: int) -> None:
    body = {"order_id": order_id, "delivery_list": [express()]}
    assert shop.call("order/delivery/send", body)["errcode"] == code


def test_a_number_is_as_good_as_a_string_for_an_order_id(shop: Shop) -> None:
    order = shop.order()
    body = {"order_id": int(order["order_id"]), "delivery_list": [express()]}
    assert shop.call("order/delivery/send", body)["errcode"] == 0
    assert shop.remote.ledger(order_id=order["order_id"])[-1]["errcode"] == 0


def test_another_shop_s_order_does_not_exist(shared: Sandbox, shop: Shop) -> None:
    order = open_shop(shared).order()
    assert shop.send(order)["errcode"] == 100002
    assert shop.call("order/get", {"order_id": order["order_id"]})["errcode"] == 100002


def test_without_a_default_return_address_nothing_goes(shared: Sandbox) -> None:
    """The document says so without an exception for virtual goods."""
    shop = open_shop(shared, return_address=False)
    assert shop.send(shop.order())["errcode"] == 606003
    assert shop.send(shop.order(deliver_method=1), virtual())["errcode"] == 606003


def test_a_refund_after_shipping_does_not_hold_up_the_other_line(shop: Shop) -> None:
    order = shop.order([line(), line(B)])
    assert shop.send(order, express())["errcode"] == 0
    lines = shop.remote.truth(order["order_id"])["order_detail"]["product_infos"]
    lines[0]["finish_aftersale_sku_cnt"] = 1
    shop.remote.change(order["order_id"], {"order_detail": {"product_infos": lines}})
    assert shop.send(order, express((B, 1), waybill_id="SF3100000000002"))["errcode"] == 0


def test_a_shop_without_the_right_is_told_48001(shared: Sandbox) -> None:
    shop = open_shop(shared, denied=["order/delivery/send"])
    order = shop.order()
    assert shop.send(order)["errcode"] == 48001
    assert shop.call("order/get", {"order_id": order["order_id"]})["errcode"] == 0


def test_only_the_shop_s_own_couriers_are_legal(shared: Sandbox) -> None:
    shop = open_shop(shared, couriers=["ZTO"])
    assert shop.send(shop.order())["errcode"] == 606004
    assert shop.send(shop.order(), express(delivery_id="ZTO"))["errcode"] == 0


def test_a_serial_number_belongs_to_one_order(shop: Shop) -> None:
    first, second = shop.order(SUBSIDY), shop.order(SUBSIDY)
    parcel = express(sn_info={"sn_code": first["order_id"]})
    assert shop.send(first, parcel)["errcode"] == 0
    assert shop.send(second, parcel)["errcode"] == 268545011


def test_an_order_ships_in_steps(shop: Shop) -> None:
    order = shop.order([line(count=2), line(B)])
    assert shop.send(order, express())["errcode"] == 0
    assert shop.status(order) == 21
    assert shop.send(order, express((A, 1), (B, 1), waybill_id="SF3100000000002"))["errcode"] == 0
    truth = shop.remote.truth(order["order_id"])
    assert truth["status"] == 30
    assert (
        truth["update_time"]
        == truth["order_detail"]["delivery_info"]["ship_done_time"]
        > order["update_time"]
    )
    assert shop.parcels(order) == [("SF", "SF3100000000001"), ("SF", "SF3100000000002")]
    assert shop.send(order)["errcode"] == 109001


def test_calls_of_one_order_keep_a_second_apart(own: Shop) -> None:
    order = own.order([line(count=2)])
    assert [own.send(order, express())["errcode"] for _ in range(3)] == [0, 100003, 100003]
    own.remote.switch(clock_offset=1.1)
    assert own.send(order, express())["errcode"] == 0


SWITCHED = [
    ({"accept_yd": False}, [express(delivery_id="YD")], 606004),
    ({"strict_patterns": True}, [express(waybill_id="SF31")], 6060479),
    ({"strict_patterns": True}, [express()], 0),
    ({"strict_patterns": True}, [express(delivery_id="OTHER", waybill_id="SF31")], 0),
    ({"split_sku": False}, [express(), express(waybill_id="SF3100000000002")], 109000),
    ({"refuse_escapes": True}, [express()], 0),
    ({"subsidy_couriers": ["SF"]}, [express(delivery_id="ZTO")], 0),
]


@pytest.mark.parametrize(("switches", "packages", "code"), SWITCHED)
def test_open_questions_can_be_answered_the_other_way(
    own: Shop, switches: Json, packages: list[Json], code: int
) -> None:
    own.remote.switch(**switches)
    assert own.send(own.order([line(count=2)]), *packages)["errcode"] == code


def test_a_repeated_waybill_is_taken_while_pieces_are_left_unless_switched(own: Shop) -> None:
    own.remote.switch(order_pace=False)
    order = own.order([line(count=3)])
    assert [own.send(order, express())["errcode"] for _ in range(2)] == [0, 0]
    own.remote.switch(repeat_waybill=False)
    assert own.send(order, express())["errcode"] == 109000


@pytest.mark.parametrize(("mode", "shipped"), [("all_or_nothing", 0), ("partial", 2)])
def test_one_bad_package_among_good_ones(own: Shop, mode: str, shipped: int) -> None:
    own.remote.switch(packages=mode)
    order = own.order([line(count=3)])
    packages = [express(), express(waybill_id="?"), express(waybill_id="SF3100000000003")]
    assert own.send(order, *packages)["errcode"] == 606005
    assert len(own.parcels(order)) == shipped
    assert len(own.remote.ledger(order_id=order["order_id"])[-1]["accepted"]) == shipped


def test_escapes_in_the_body_can_be_refused(own: Shop) -> None:
    own.remote.switch(refuse_escapes=True)
    order = own.order()
    body = f'{{"order_id": "{order["order_id"]}", "delivery_list": [{{"waybill_id": "\\u53f7"}}]}}'
    connection = http.client.HTTPConnection(own.url.removeprefix("http://"))
    connection.request("POST", f"/channels/ec/order/delivery/send?access_token={own.token}", body)
    assert b'"errcode":40033' in connection.getresponse().read()
    connection.close()
