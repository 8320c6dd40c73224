"""Orders in the shape of order/get, made from little: used by the seed, the control API and tests.

``line`` and ``order`` return plain dicts, ready for ``POST /_sandbox/orders``; ``complete`` fills what a
partial order leaves out. Times are int seconds, prices fen.
"""

import itertools
import time
from typing import Any
from urllib.parse import quote

from sandbox.answers import Json

DEADLINE = 48 * 3600
UNPAID = (10, 250)
_serial = itertools.count(1)


def new_order_id() -> str:
    """A fresh id of 19 digits starting 37, as the platform's are."""
    return f"37{(time.time_ns() // 1000 * 100 + next(_serial) % 100) % 10**17:017d}"


def line(
    product_id: str = "10000200000001", sku_id: str = "3095700001", sku_cnt: int = 1, **more: Any
) -> Json:
    """One order line; ``more`` are its other members, as in store-api.md 1.6."""
    return {"product_id": product_id, "sku_id": sku_id, "sku_cnt": sku_cnt, **more}


def subsidy_line(
    product_id: str = "10000200000003", sku_id: str = "3095700003", sku_cnt: int = 1, **more: Any
) -> Json:
    """A 国补 line: a national coupon and a subsidised price."""
    subsidy = {
        "order_product_coupon_info_list": [{"user_coupon_id": "1", "coupon_type": 4}],
        "national_subsidy_discounted_price": 50000,
        "national_subsidy_merchant_discounted_price": 0,
    }
    return {**line(product_id, sku_id, sku_cnt), **subsidy, **more}


def picture(name: str) -> str:
    """The address of a product picture; the sandbox puts its own host in front when an order is read."""
    return f"/img/{quote(name)}.svg"


def order(lines: list[Json] | None = None, order_id: str | None = None, **more: Any) -> Json:
    """A complete order waiting for shipment.

    ``more``: ``status``, ``create_time``, ``openid`` … go to the top; ``deliver_method``,
    ``address_under_review``, ``delivery_product_info``, ``quality_inspect_type``, ``recharge_info`` … to
    delivery_info; ``customer_notes`` and ``merchant_notes`` to ext_info; ``sandbox`` to ``_sandbox``
    (``course_skus``, ``risk``, ``answers`` …, see orders.py).
    """
    made: Json = {"order_id": order_id or new_order_id()}
    detail: Json = {"product_infos": lines if lines is not None else [line()]}
    for name, value in more.items():
        _home(name, made, detail)[HOMES.get(name, ("", name))[1]] = value
    return complete({**made, "order_detail": detail})


_DELIVERY = [
    "deliver_method",
    "address_info",
    "address_under_review",
    "address_apply_time",
    "delivery_product_info",
    "ship_done_time",
    "quality_inspect_type",
    "quality_inspect_info",
    "recharge_info",
    "dropship_flag",
]
_EXT = ["customer_notes", "merchant_notes", "order_scene", "finder_id", "live_id"]
HOMES: dict[str, tuple[str, str]] = {
    **{name: ("delivery_info", name) for name in _DELIVERY},
    **{name: ("ext_info", name) for name in _EXT},
    "pay_info": ("", "pay_info"),
    "price_info": ("", "price_info"),
    "sandbox": ("top", "_sandbox"),
}
"""Where a keyword of ``order`` belongs: (part of order_detail, member); "" is order_detail itself."""


def _home(name: str, made: Json, detail: Json) -> Json:
    part = HOMES.get(name, ("top", name))[0]
    if part == "top":
        return made
    return detail.setdefault(part, {}) if part else detail


def complete(partial: Json, now: float | None = None) -> Json:
    """The order with every member of a live answer; what ``partial`` says stands."""
    moment = int(time.time() if now is None else now)
    created = partial.get("create_time", moment - 3600)
    detail = partial.get("order_detail", {})
    top = _top(partial, created)
    made = _filled(top, {name: part for name, part in partial.items() if name != "order_detail"})
    made["order_detail"] = _detail(made, detail, moment)
    return made


def _filled(default: Json, given: Json) -> Json:
    """``given`` over ``default``, objects member by member."""
    merged = dict(default)
    for name, value in given.items():
        both = isinstance(value, dict) and isinstance(default.get(name), dict)
        merged[name] = _filled(default[name], value) if both else value
    return merged


def _top(partial: Json, created: int) -> Json:
    return {
        "order_id": partial.get("order_id") or new_order_id(),
        "status": 20,
        "create_time": created,
        "update_time": created + 100,
        "openid": "oSandboxBuyer000000000000001",
        "unionid": "",
        "is_present": False,
        "is_flash_sale_order": False,
        "aftersale_detail": {"aftersale_order_list": [], "on_aftersale_order_cnt": 0},
        "_sandbox": {},
    }


def _detail(made: Json, detail: Json, moment: int) -> Json:
    given = detail.get("product_infos") or [line()]
    lines = [_line(one, made, number, moment) for number, one in enumerate(given, 1)]
    defaults: Json = {
        "pay_info": _payment(made),
        "price_info": _prices(lines),
        "delivery_info": _delivery(),
        "ext_info": {
            "customer_notes": "",
            "merchant_notes": "",
            "finder_id": "",
            "live_id": "",
            "order_scene": 1,
        },
    }
    return {"product_infos": [], **_filled(defaults, detail)} | {"product_infos": lines}


def _line(given: Json, made: Json, number: int, moment: int) -> Json:
    price = given.get("sale_price", 2000)
    defaults = {
        **line(),
        "on_aftersale_sku_cnt": 0,
        "finish_aftersale_sku_cnt": 0,
        "title": "示例商品",
        "thumb_img": picture("示例"),
        "sku_code": "",
        "out_product_id": "",
        "out_sku_id": "",
        "out_warehouse_id": "",
        "sku_attrs": [],
        "sale_price": price,
        "market_price": price,
        "real_price": price * given.get("sku_cnt", 1),
        "delivery_deadline": moment + DEADLINE,
        "sku_deliver_info": {"stock_type": 0},
        "is_free_gift": 0,
        "product_unique_id": f"{made['order_id']}_{number:03d}",
    }
    return _filled(defaults, given)


def _payment(made: Json) -> Json:
    """Of an order that nobody has paid (10), or that was closed for it (250), only the attempt."""
    created, is_paid = made["create_time"], made["status"] not in UNPAID
    return {
        "prepay_id": "wx00",
        "prepay_time": created + 10,
        "pay_time": created + 100 if is_paid else 0,
        "transaction_id": f"42000{made['order_id']}" if is_paid else "",
        "payment_method": 1,
    }


def _prices(lines: list[Json]) -> Json:
    goods = sum(one["sale_price"] * one["sku_cnt"] for one in lines)
    paid = sum(one["real_price"] for one in lines)
    return {
        "product_price": goods,
        "order_price": paid,
        "freight": 0,
        "discounted_price": goods - paid,
        "is_discounted": goods != paid,
        # The misspelling is the platform's.
        "merchant_receieve_price": paid,
    }


def _delivery() -> Json:
    return {
        "deliver_method": 0,
        "address_info": address(),
        "delivery_product_info": [],
        "ship_done_time": 0,
        "quality_inspect_type": 0,
    }


def address(
    name: str = "林**", place: str = "广东省 广州市 海珠区", phone: str = "183****2807", hash_code: str = "h0"
) -> Json:
    """A masked address; equal ``hash_code`` means an equal address."""
    province, city, county = place.split()
    return {
        "user_name": name,
        "postal_code": "",
        "province_name": province,
        "city_name": city,
        "county_name": county,
        "detail_info": "****",
        "national_code": "",
        "tel_number": phone,
        "house_number": "",
        "use_tel_number": 0,
        "hash_code": hash_code,
    }


def goods(order: Json) -> list[Json]:
    """The product_infos of a package that holds a whole order."""
    return [
        {"product_id": one["product_id"], "sku_id": one["sku_id"], "product_cnt": one["sku_cnt"]}
        for one in order["order_detail"]["product_infos"]
    ]


def package(product_infos: list[Json], waybill_id: str = "SF3100000000001", **more: Any) -> Json:
    """One express package of delivery_list; ``deliver_type=3`` makes it a virtual one."""
    if more.get("deliver_type") == 3:
        return {"product_infos": product_infos, **more}
    return {
        "deliver_type": 1,
        "delivery_id": "SF",
        "waybill_id": waybill_id,
        "product_infos": product_infos,
        **more,
    }
