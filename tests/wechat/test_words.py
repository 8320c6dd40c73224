"""Bodies as the document writes them, answers as typed data, errmsg paths in our own words."""

import json
from pathlib import Path
from typing import Any

import pytest

from wechat.endpoints import AUTHORIZER_TOKEN, COMPONENT_TOKEN, DELIVERY_SEND
from wechat.orders import MalformedOrder, parse_order
from wechat.outcomes import error_paths, read_outcome
from wechat.payload import (
    CourseWire,
    ItemWire,
    PackageWire,
    SerialWire,
    authorizer_token_body,
    component_token_body,
    order_list_body,
    query_auth_body,
    send_body,
    stable_token_body,
    start_push_body,
)
from wechat.replies import Reply, ReplyKind, parse_rid

ITEM = (ItemWire("12345", "678910", 1),)
# The document's own text, sections 5.1 and 5.2.
EXPRESS = """{ "order_id": "123456", "delivery_list": [ { "delivery_id": "YD", "waybill_id": "23424324253",
"deliver_type": 1,
"product_infos": [ { "product_cnt": 1, "product_id": "12345", "sku_id": "678910" } ] } ] }"""
COURSE = """{ "order_id": "123456", "delivery_list": [ { "deliver_type": 3,
"product_infos": [ { "product_cnt": 1, "product_id": "12345", "sku_id": "678910" } ],
"course_info" :{ "start_time" : 1675180800, "end_time" : 1675958400,
"course_path" : { "type" : 0, "wxa_appid" : "wxabcdes", "wxa_path" : "path" } } } ] }"""


def same(body: dict[str, Any], document: str) -> bool:
    """Equal as data and in the order of the keys."""
    return json.dumps(body) == json.dumps(json.loads(document))


def test_the_express_example() -> None:
    assert same(send_body("123456", [PackageWire(1, "YD", "23424324253", ITEM)]), EXPRESS)


def test_the_course_example() -> None:
    course = CourseWire(1675180800, 1675958400, "wxabcdes", "path")
    assert same(send_body("123456", [PackageWire(3, "YD", "left out", ITEM, course)]), COURSE)


def test_a_serial_goes_last_without_blanks() -> None:
    package = send_body("1", [PackageWire(1, "SF", "SF1", ITEM, serial=SerialWire("SN1", imei2="2"))])
    assert list(package["delivery_list"][0])[-1] == "sn_info"
    assert package["delivery_list"][0]["sn_info"] == {"sn_code": "SN1", "imei2": "2"}


def test_nothing_empty_is_added() -> None:
    body = send_body("1", [PackageWire(3, items=ITEM, course=CourseWire(None, None, "wx", "p"))])
    assert list(body["delivery_list"][0]["course_info"]) == ["course_path"]
    assert "null" not in json.dumps(body)
    assert (
        "sn_info"
        not in send_body("1", [PackageWire(1, items=ITEM, serial=SerialWire(""))])["delivery_list"][0]
    )
    assert "force_refresh" not in stable_token_body("a", "b")
    assert "next_key" not in order_list_body(field="update_time_range", start=1, end=2)


@pytest.mark.parametrize(
    ("reply", "then"),
    [
        (Reply(ReplyKind.NOT_SENT, "refused_connection"), "not_sent"),
        (Reply(ReplyKind.NO_ANSWER, "read_timeout"), "unclear"),
        (Reply(ReplyKind.ANSWERED, errcode=0), "accepted"),
        (Reply(ReplyKind.ANSWERED, errcode=-1), "unclear"),
        (Reply(ReplyKind.ANSWERED, errcode=987654321), "ask"),
        (Reply(ReplyKind.ANSWERED, errcode=606005), "rejected"),
    ],
)
def test_outcomes(reply: Reply, then: str) -> None:
    assert read_outcome(reply).then == then


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("delivery_list[0].product_infos[1].product_id", "packages[0].items[1].product_id"),
        ("delivery_list[2].course_info.course_path.wxa_path", "packages[2].course.wxa_path"),
        ("delivery_list[0].course_info.start_time", "packages[0].course.start_time"),
        ("delivery_list[0].sn_info.sn_code", "packages[0].serial.sn_code"),
        ("delivery_list[1].waybill_id不合法", "packages[1].waybill_id"),
    ],
)
def test_error_paths(theirs: str, ours: str) -> None:
    assert error_paths(f"invalid args, x: expecting {theirs} > 0, {theirs}. rid: 1-2-3") == [ours]
    assert error_paths("nothing here") == []


SAMPLES = {
    # samples/token, letter for letter
    '{"component_appid": "a", "component_secret": "s"}': start_push_body("a", "s"),
    '{"component_appid": "a", "component_appsecret": "s", "component_verify_ticket": "t"}': (
        component_token_body("a", "s", "t")
    ),
    '{"component_appid": "a", "authorizer_appid": "b", "authorizer_refresh_token": "r"}': (
        authorizer_token_body("a", "b", "r")
    ),
    # store-api 3.2
    '{"component_appid": "a", "authorization_code": "c"}': query_auth_body("a", "c"),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_third_partys_bodies_are_the_samples(sample: str) -> None:
    assert same(SAMPLES[sample], sample)


def test_the_third_partys_paths_and_the_name_of_its_token() -> None:
    assert AUTHORIZER_TOKEN.path == "/cgi-bin/component/api_authorizer_token"
    assert AUTHORIZER_TOKEN.query_name == "component_access_token"
    assert DELIVERY_SEND.query_name == "access_token"
    assert COMPONENT_TOKEN.needs_token is False


def test_rid() -> None:
    assert parse_rid(" rid: 00aa-11bb-22cc") == "00aa-11bb-22cc"
    assert parse_rid("ok") == ""


def order(**detail: Any) -> dict[str, Any]:
    return {"order": {"order_id": 3705115058471208928, "status": "20", "order_detail": detail}}


def test_an_order_in_its_live_shape() -> None:
    data = parse_order(json.loads((Path(__file__).parent / "order_get.json").read_text(encoding="utf-8")))
    assert (data.order_id, data.status, data.region) == ("3700000000000000001", 20, "广东省 广州市 海珠区")
    assert (data.pay_time, data.deadline, data.order_price) == (1735000100, 1735172900, 7800)
    assert (data.receiver, data.phone, data.address_hash) == ("林**", "183****2807", "h0")
    assert [(line.sku_id, line.sku_cnt, line.sku_attrs) for line in data.lines][1] == (
        "3095700002",
        1,
        "红 / L",
    )
    assert data.parcels[0].items == (("10000200000001", "3095700001", 2),)
    flags = (data.is_subsidy, data.is_presale, data.is_dropship, data.is_intra_city, data.has_risk)
    assert not any((*flags, data.address_under_review, data.sku_change_waiting))


def test_ids_past_2_53_and_numbers_as_strings() -> None:
    data = parse_order(order(product_infos=None, delivery_info=[], ext_info="?"))
    assert (data.order_id, data.status, data.lines, data.parcels) == ("3705115058471208928", 20, (), ())


@pytest.mark.parametrize(
    ("flag", "detail"),
    [
        ("is_subsidy", {"product_infos": [{"order_product_coupon_info_list": [{"coupon_type": 4}]}]}),
        ("is_subsidy", {"price_info": {"national_subsidy_discounted_price": 1}}),
        ("is_presale", {"product_infos": [{"sku_deliver_info": {"stock_type": 1}}]}),
        ("sku_change_waiting", {"product_infos": [{"change_sku_info": {"preshipment_change_sku_state": 3}}]}),
        ("address_under_review", {"delivery_info": {"address_under_review": {"user_name": "林**"}}}),
        ("is_dropship", {"delivery_info": {"dropship_flag": 3}}),
        ("is_dropship", {"product_infos": [{"dropship_info": {"ds_order_id": "900001"}}]}),
    ],
)
def test_flags(flag: str, detail: dict[str, Any]) -> None:
    assert getattr(parse_order(order(**detail)), flag) is True


def test_blank_objects_and_zero_deadlines_say_nothing() -> None:
    data = parse_order(
        order(
            delivery_info={"address_under_review": {"user_name": "", "tel_number_ext_info": {"get_cnt": 0}}},
            product_infos=[{"delivery_deadline": 0}, {"delivery_deadline": 9}, {"is_free_gift": 1}],
        )
    )
    assert data.address_under_review is False
    assert data.deadline == 9
    assert [line.is_free_gift for line in data.lines] == [False, False, True]


def test_a_time_that_is_no_moment_in_seconds_counts_as_absent() -> None:
    """Some of the platform's times are milliseconds (store-api 1.9); no date can be made of them."""
    data = parse_order(order(pay_info={"pay_time": 1760359848697}, product_infos=[{"delivery_deadline": -1}]))
    assert (data.pay_time, data.deadline, data.create_time) == (None, None, None)
    assert parse_order(order(pay_info={"pay_time": "1760359848"})).pay_time == 1760359848


@pytest.mark.parametrize("data", [{}, {"order": {}}, {"order": {"order_id": "1"}}, {"order": {"status": 20}}])
def test_an_answer_without_an_order(data: dict[str, Any]) -> None:
    with pytest.raises(MalformedOrder):
        parse_order(data)
