"""Bodies of the calls after shipping, against the collected samples; a receiver read and never shown by repr."""

import json
from typing import Any

from wechat.payload import ChangeWire, ItemWire, PackageWire, compensation_body, notes_body, update_body
from wechat.receivers import parse_receiver

# SKIT's samples of the two requests.
UPDATE = """{"order_id": "12345", "delivery_list": [{"delivery_id": "EMS", "waybill_id": "1234",
"deliver_type": 1, "product_infos": [{"product_cnt": 1, "product_id": "112233", "sku_id": "445566"}]}]}"""
AGAIN = """{"order_id": "123456", "reason": 1, "delivery_list": [{"delivery_id": "YD",
"waybill_id": "23424324253", "deliver_type": 1,
"product_infos": [{"product_cnt": 1, "product_id": "12345", "sku_id": "678910"}]}]}"""


def same(body: dict[str, Any], document: str) -> bool:
    return json.dumps(body) == json.dumps(json.loads(document))


def test_an_undivided_order_is_corrected_in_the_form_both_pages_know() -> None:
    change = ChangeWire("YUNDA", "1", "EMS", "1234", (ItemWire("112233", "445566", 1),))
    assert same(update_body("12345", [change], is_whole=True), UPDATE)


def test_one_parcel_of_several_names_its_old_number() -> None:
    change = ChangeWire("YUNDA", "1", "EMS", "2", (ItemWire("10", "20", 2),))
    goods = [{"product_cnt": 2, "product_id": "10", "sku_id": "20"}]
    assert update_body("3", [change], is_whole=False)["change_infos"] == [
        {
            "old": {"delivery_id": "YUNDA", "waybill_id": "1", "product_infos": goods},
            "new": {"delivery_id": "EMS", "waybill_id": "2", "product_infos": goods},
        }
    ]


def test_a_parcel_sent_again_says_why() -> None:
    package = PackageWire(1, "YD", "23424324253", (ItemWire("12345", "678910", 1),))
    assert same(compensation_body("123456", 1, [package]), AGAIN)
    assert notes_body("1", "") == {"order_id": "1", "merchant_notes": ""}


def test_a_receiver_is_read_whatever_is_missing() -> None:
    address = {"user_name": "林小满", "tel_number": "18300002807", "province_name": "广东省",
               "city_name": "广州市", "detail_info": "路 1 号", "house_number": "路 1 号"}  # fmt: skip
    virtual = {"virtual_number": 13200001111, "extension": "12", "expiration": "1700000000"}
    found = parse_receiver({"address_info": address, "virtual_number_info": virtual})
    assert (found.name, found.address) == ("林小满", "广东省 广州市 路 1 号")
    assert (found.virtual_number, found.extension, found.expires) == ("13200001111", "12", 1700000000)
    assert "林" not in repr(found)
    assert parse_receiver({"address_info": [], "virtual_number_info": None}).name == ""
