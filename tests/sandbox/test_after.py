"""deliveryinfo/update, delivery/compensation and what is answered around an order, as store-api.md has them."""

from typing import Any

import pytest

from sandbox import build

from .conftest import Shop

OLD, NEW = "SF3100000000001", "SF3100000000002"


def shipped(shop: Shop, pieces: int = 1, *packages: Any, **more: Any) -> dict[str, Any]:
    order = shop.order([build.line(sku_cnt=pieces)], **more)
    assert shop.send(order, *packages)["errcode"] == 0
    return order


def whole(order: dict[str, Any], number: str = NEW, **more: Any) -> dict[str, Any]:
    return {
        "order_id": order["order_id"],
        "delivery_list": [build.package(build.goods(order), number) | more],
    }


def change(order: dict[str, Any], old: str, new: str, courier: str = "SF", pieces: int = 1) -> dict[str, Any]:
    goods = [{**build.goods(order)[0], "product_cnt": pieces}]
    parts = {
        "old": {"delivery_id": "SF", "waybill_id": old, "product_infos": goods},
        "new": {"delivery_id": courier, "waybill_id": new, "product_infos": goods},
    }
    return {"order_id": order["order_id"], "change_infos": [parts]}


def update(shop: Shop, body: Any) -> int:
    return int(shop.call("order/deliveryinfo/update", body)["errcode"])


def again(shop: Shop, order: Any, number: str = NEW, reason: int = 1, **more: Any) -> int:
    body = {**whole(order, number, **more), "reason": reason}
    return int(shop.call("order/delivery/compensation", body)["errcode"])


def test_a_number_is_corrected_three_times_in_either_form(shop: Shop) -> None:
    order = shipped(shop)
    assert update(shop, whole(order)) == 0
    assert update(shop, change(order, NEW, OLD, "ZTO")) == 0
    assert shop.parcels(order) == [("ZTO", OLD)]
    assert update(shop, whole(order)) == 0
    assert update(shop, whole(order, OLD)) == 606041
    assert shop.parcels(order) == [("SF", NEW)]


def test_the_older_page_allows_one_correction_of_an_undivided_order(own: Shop) -> None:
    own.remote.switch(order_pace=False, corrections=1)
    order = shipped(own)
    assert update(own, change(order, OLD, NEW)) == 40097
    assert [update(own, whole(order)), update(own, whole(order))] == [0, 606041]


def halves(order_goods: Any) -> tuple[Any, Any]:
    one = [{**order_goods[0], "product_cnt": 1}]
    return build.package(one, OLD), build.package(one, "SF3100000000009")


def test_of_a_divided_order_one_parcel_is_corrected(shop: Shop) -> None:
    order = shop.order([build.line(sku_cnt=2)])
    shop.send(order, *halves(build.goods(order)))
    assert update(shop, whole(order)) == 606040
    assert update(shop, change(order, NEW, OLD)) == 606042
    assert update(shop, change(order, OLD, NEW, pieces=2)) == 606042
    assert update(shop, change(order, OLD, NEW)) == 0
    assert sorted(shop.parcels(order)) == [("SF", NEW), ("SF", "SF3100000000009")]


@pytest.mark.parametrize(
    ("more", "code"), [({"delivery_id": "NOPE"}, 606004), ({"waybill_id": "坏"}, 606005)], ids=str
)
def test_a_correction_is_held_to_courier_and_number(shop: Shop, more: Any, code: int) -> None:
    order = shipped(shop)
    body = whole(order)
    body["delivery_list"][0] |= more
    assert update(shop, body) == code
    assert update(shop, whole(shop.order())) == 101100


def test_a_parcel_is_sent_again_and_takes_nothing_of_what_is_left(shop: Shop) -> None:
    order = shop.order([build.line(sku_cnt=2)])
    assert again(shop, order) == 101100, "nothing has left yet"
    first, second = halves(build.goods(order))
    shop.send(order, first)
    goods = first["product_infos"]
    assert again(shop, order, product_infos=goods) == 0
    assert again(shop, order, reason=5) == 40097
    assert again(shop, order, deliver_type=3) == 606008
    assert shop.send(order, second)["errcode"] == 0
    assert shop.status(order) == 30
    assert [again(shop, order, f"SF310000000001{n}") for n in range(10)] == [0] * 9 + [101100]


NEW_ADDRESS = {"user_name": "林**", "city_name": "佛山市", "detail_info": "****"}


def test_a_new_address_is_accepted_or_refused(shop: Shop) -> None:
    for verb, city in (("accept", "佛山市"), ("reject", "广州市")):
        order = shop.order(address_under_review=NEW_ADDRESS, address_apply_time=1)
        body = {"order_id": order["order_id"]}
        assert shop.call(f"order/addressmodify/{verb}", body)["errcode"] == 0
        info = shop.remote.truth(order["order_id"])["order_detail"]["delivery_info"]
        assert info["address_info"]["city_name"] == city
        assert "address_under_review" not in info
        assert shop.call(f"order/addressmodify/{verb}", body)["errcode"] == 101100


def test_a_change_of_sku_is_approved_or_refused(shop: Shop) -> None:
    asks = {"preshipment_change_sku_state": 3, "old_sku_id": "1", "new_sku_id": "2"}
    for verb, state, sku in (("approve", 4, "2"), ("reject", 5, "1")):
        order = shop.order([build.line(sku_id="1", change_sku_info=asks)])
        waiting = shop.call("order/preshipmentchangesku/get", {"page": 1, "page_size": 10})
        assert waiting["order_ids"] == [order["order_id"]]
        shop.call(f"order/preshipmentchangesku/{verb}", {"order_id": order["order_id"]})
        line = shop.remote.truth(order["order_id"])["order_detail"]["product_infos"][0]
        assert (line["sku_id"], line["change_sku_info"]["preshipment_change_sku_state"]) == (sku, state)


def test_a_note_is_written_and_a_receiver_read_in_clear(shop: Shop) -> None:
    order = shop.order()
    body = {"order_id": order["order_id"]}
    assert shop.call("order/merchantnotes/update", {**body, "merchant_notes": "缺一根线"})["errcode"] == 0
    assert shop.remote.truth(order["order_id"])["order_detail"]["ext_info"]["merchant_notes"] == "缺一根线"
    told = shop.call("order/sensitiveinfo/decode", body)
    assert (told["address_info"]["user_name"], told["address_info"]["tel_number"]) == (
        "林小满",
        "18300002807",
    )
    address = build.address() | {"use_tel_number": 1}
    virtual = shop.order(address_info=address)
    told = shop.call("order/sensitiveinfo/decode", {"order_id": virtual["order_id"]})
    assert told["address_info"]["tel_number"] == "183****2807"
    assert told["virtual_number_info"]["extension"] == "1234"
