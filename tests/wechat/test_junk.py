"""Whatever the platform, a gateway or a scanner hands us: read, or refused by name; never a crash."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wechat.client import _parse
from wechat.endpoints import DELIVERY_SEND, ORDER_GET
from wechat.orders import MalformedOrder, OrderData, parse_order
from wechat.outcomes import error_paths, read_outcome
from wechat.replies import ReplyKind
from wechat.secrets import redact
from wechat.waybills import fits, guess, is_clean, normalise, same_courier

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = (
    *("order", "order_id", "status", "create_time", "update_time", "order_detail", "product_infos"),
    *(
        "delivery_info",
        "address_info",
        "address_under_review",
        "delivery_product_info",
        "pay_info",
        "ext_info",
    ),
    *(
        "price_info",
        "aftersale_detail",
        "on_aftersale_order_cnt",
        "sku_attrs",
        "change_sku_info",
        "risk_info",
    ),
    *("delivery_deadline", "order_product_coupon_info_list", "recharge_info", "quality_inspect_info"),
)
BROKEN = st.recursive(
    JUNK,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
)


@QUICK
@given(detail=BROKEN, top=st.dictionaries(st.sampled_from(WORDS), BROKEN, max_size=5))
def test_an_order_of_junk_is_read_or_refused_by_name(detail: Any, top: dict[str, Any]) -> None:
    body = {"order": top | {"order_id": "3700000000000000001", "status": 20, "order_detail": detail}}
    data = parse_order(body)
    assert isinstance(data, OrderData)
    assert all(line.sku_cnt >= 0 for line in data.lines)
    assert all(
        0 < t < 253402300800 for t in (data.create_time, data.pay_time, data.deadline) if t is not None
    )


@QUICK
@given(BROKEN)
def test_a_body_of_junk_is_read_or_refused_by_name(body: Any) -> None:
    try:
        parse_order(body)
    except MalformedOrder as refused:
        assert "order" in str(refused)


@QUICK
@given(raw=st.binary(max_size=60) | JUNK.map(lambda value: json.dumps(value).encode()))
def test_an_answer_of_junk_is_an_outcome(raw: bytes) -> None:
    for endpoint in (DELIVERY_SEND, ORDER_GET):
        reply = _parse(raw, endpoint)
        assert read_outcome(reply).then
        assert reply.kind in (ReplyKind.ANSWERED, ReplyKind.NO_ANSWER)
        reply.errmsg.encode()


@QUICK
@given(st.text(max_size=40))
def test_any_text_has_paths_a_clean_form_and_no_secret(text: str) -> None:
    assert error_paths(text) == [] or "delivery_list" in text
    assert isinstance(redact(text), str)
    number = normalise(text)
    # Combining marks may change places a second time, but such a number is not clean and never sent.
    assert normalise(number) == number or not is_clean(number)
    assert is_clean(number) or guess(number) == ()
    assert fits("OTHER", text) is None


@QUICK
@given(st.text("abcXYZ019-_", min_size=1, max_size=30))
def test_a_value_is_gone_wherever_its_name_stands(value: str) -> None:
    secret = f"CANARY{value}"
    for text in (
        f"?access_token={secret}",
        json.dumps({"appsecret": secret}),
        f"{{'refresh_token': '{secret}'}}",
    ):
        assert secret not in redact(text)


@pytest.mark.parametrize(("a", "b"), [("HTKY", "BEST"), ("best", "HTKY"), ("ANE", "ANEKY"), ("DB", "DBL")])
def test_couriers_under_their_older_codes(a: str, b: str) -> None:
    assert same_courier(a, b)
    assert not same_courier(a, "SF")
