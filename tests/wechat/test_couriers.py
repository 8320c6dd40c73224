"""A courier by any of its names, on the list of one store."""

import pytest

from wechat.couriers import named

LISTED = {
    "SF": "顺丰速运", "ZTO": "中通快递", "ZTOKY": "中通快运", "YUNDA": "韵达速递", "JTSD": "极兔速递", "EMS": "中国邮政",
    "JD": "京东快递", "DBKD": "德邦快递", "XFWL": "信丰物流", "OTHER": "其他",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SF", "SF"), ("sf", "SF"), ("ＳＦ", "SF"), ("顺丰速运", "SF"), ("顺丰", "SF"), ("顺丰快递", "SF"), (" 顺 丰 ", "SF"),
        ("YD", "YUNDA"), ("韵达", "YUNDA"), ("韵达快递", "YUNDA"), ("DB", "DBKD"), ("德邦物流", "DBKD"),
        ("中通", "ZTO"), ("中通快运", "ZTOKY"), ("邮政", "EMS"), ("EMS", "EMS"), ("京东物流", "JD"), ("信丰物流", "XFWL"),
        ("顺丰速运(SF)", "SF"), ("SF-顺丰", "SF"), ("顺丰（SF）", "SF"), ("J&T Express", "JTSD"), ("其他", "OTHER"),
        ("韵达快运", None), ("顺丰快运", None), ("百世", None), ("信丰", None), ("SF/ZTO", None), ("", None), ("快递", None),
    ],
)  # fmt: skip
def test_a_name_is_a_code_of_the_list_or_of_none(text: str, code: str | None) -> None:
    assert named(text, LISTED) == code


def test_without_a_list_the_public_codes_stand_for_it() -> None:
    assert (named("韵达", {}), named("SF", {}), named("某某快递", {})) == ("YUNDA", None, None)
