"""An order/get answer as typed data; tolerant, because fields and enum numbers grow (store-api 1.5-1.8)."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
SUBSIDY_COUPONS = (4, 5)
SKU_CHANGE_WAITS = 3
LARGEST, LARGEST_AMOUNT, LONGEST_ID = 2**31 - 1, 2**63 - 1, 64  # what the columns hold
YEAR_10000 = 253402300800  # unix seconds; milliseconds, which some answers carry, lie beyond


class MalformedOrder(ValueError):
    """The answer holds no order with an id and a status."""


@dataclass(frozen=True)
class LineData:
    """One line: counts in pieces, sale_price in fen per piece, sku_attrs written like 红 / L."""

    product_id: str
    sku_id: str
    sku_cnt: int = 0
    on_aftersale_sku_cnt: int = 0
    finish_aftersale_sku_cnt: int = 0
    title: str = ""
    thumb_img: str = ""
    sku_code: str = ""
    sku_attrs: str = ""
    sale_price: int | None = None
    is_free_gift: bool = False
    gift_of: str = ""
    is_subsidy: bool = False


@dataclass(frozen=True)
class ParcelData:
    """One parcel already on the platform; items are (product_id, sku_id, product_cnt)."""

    waybill_id: str
    delivery_id: str
    deliver_type: int | None
    delivery_time: int | None
    items: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class OrderData:
    """Times in unix seconds, money in fen, personal fields masked as they arrive."""

    order_id: str
    status: int
    create_time: int | None = None
    update_time: int | None = None
    pay_time: int | None = None
    deadline: int | None = None
    openid: str = ""
    is_present: bool = False
    deliver_method: int | None = None
    receiver: str = ""
    phone: str = ""
    region: str = ""
    address_hash: str = ""
    address_under_review: bool = False
    on_aftersale: int = 0
    sku_change_waiting: bool = False
    is_subsidy: bool = False
    is_presale: bool = False
    is_dropship: bool = False
    is_intra_city: bool = False
    has_risk: bool = False
    quality_inspect_type: int = 0
    inspect_status: int | None = None
    ewaybill_order_code: str = ""
    recharge: Json = field(default_factory=dict)
    customer_notes: str = ""
    merchant_notes: str = ""
    order_price: int | None = None
    lines: tuple[LineData, ...] = ()
    parcels: tuple[ParcelData, ...] = ()


def _obj(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _id(value: object) -> str:
    """What goes into a column of ids: one that was cut fits nothing of ours, and stops no reading."""
    return _text(value)[:LONGEST_ID]


def _int(value: object, largest: int = LARGEST) -> int | None:
    """Numbers arrive as numbers, strings or booleans; anything else, or beyond storing, counts as absent."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= largest else None


def _amount(value: object) -> int | None:
    return _int(value, LARGEST_AMOUNT)


def _count(value: object) -> int:
    return max(0, _int(value) or 0)


def _moment(value: object) -> int | None:
    """Unix seconds a date can be made of; 0 stands for none."""
    seconds = _amount(value)
    return seconds if seconds is not None and 0 < seconds < YEAR_10000 else None


def flag(value: object) -> bool:
    """Booleans arrive as true/false or 0/1 (store-api section 6)."""
    return value == "true" or bool(_int(value))


def _filled(value: object) -> bool:
    """Missing and empty are mixed on the wire: an object of blanks says no more than none."""
    if isinstance(value, dict):
        return any(_filled(part) for part in value.values())
    if isinstance(value, list):
        return any(_filled(part) for part in value)
    return bool(value)


def parse_order(data: Json) -> OrderData:
    """Read the whole body or its `order` object. Raises MalformedOrder."""
    order = _obj(_obj(data).get("order")) or _obj(data)
    order_id, status = _text(order.get("order_id")), _int(order.get("status"))
    if not order_id or status is None:
        raise MalformedOrder("the answer holds no order with an id and a status")
    detail = _obj(order.get("order_detail"))
    lines = _list(detail.get("product_infos"))
    return OrderData(
        order_id=order_id,
        status=status,
        lines=tuple(_line(line) for line in lines),
        **_times(order, detail, lines),
        **_flags(order, detail, lines),
        **_delivery(_obj(detail.get("delivery_info"))),
        **_words(order, detail),
    )


def _times(order: Json, detail: Json, lines: list[Json]) -> Json:
    deadlines = [seconds for line in lines if (seconds := _moment(line.get("delivery_deadline")))]
    return {
        "create_time": _moment(order.get("create_time")),
        "update_time": _moment(order.get("update_time")),
        "pay_time": _moment(_obj(detail.get("pay_info")).get("pay_time")),
        "deadline": min(deadlines, default=None),
    }


def _flags(order: Json, detail: Json, lines: list[Json]) -> Json:
    aftersale = _obj(order.get("aftersale_detail"))
    changes = [_obj(line.get("change_sku_info")) for line in lines]
    stock = [_obj(line.get("sku_deliver_info")) for line in lines]
    return {
        "is_present": flag(order.get("is_present")),
        "is_intra_city": _filled(order.get("intra_city_order_info")),
        "has_risk": _filled(order.get("risk_info")),
        "on_aftersale": _count(aftersale.get("on_aftersale_order_cnt"))
        or sum(_count(line.get("on_aftersale_sku_cnt")) for line in lines),
        "sku_change_waiting": any(
            _int(change.get("preshipment_change_sku_state")) == SKU_CHANGE_WAITS for change in changes
        ),
        "is_presale": any(_int(info.get("stock_type")) == 1 for info in stock),
        "is_dropship": _is_dropship(detail, lines),
        "is_subsidy": any(_is_subsidised(part) for part in (*lines, _obj(detail.get("price_info")))),
    }


def _is_dropship(detail: Json, lines: list[Json]) -> bool:
    """The order's own flag, or a line that was handed to a supplier."""
    suppliers = (_obj(line.get("dropship_info")).get("ds_order_id") for line in lines)
    return bool(_int(_obj(detail.get("delivery_info")).get("dropship_flag"))) or any(map(_filled, suppliers))


def _is_subsidised(part: Json) -> bool:
    coupons = _list(part.get("order_product_coupon_info_list"))
    prices = ("national_subsidy_discounted_price", "national_subsidy_merchant_discounted_price")
    return any(_int(coupon.get("coupon_type")) in SUBSIDY_COUPONS for coupon in coupons) or any(
        _count(part.get(price)) for price in prices
    )


def _delivery(info: Json) -> Json:
    address = _obj(info.get("address_info"))
    places = (address.get(name) for name in ("province_name", "city_name", "county_name"))
    return {
        "deliver_method": _int(info.get("deliver_method")),
        "receiver": _text(address.get("user_name"))[:80],
        "phone": _text(address.get("tel_number") or address.get("virtual_order_tel_number"))[:40],
        "region": " ".join(_text(place) for place in places if place)[:120],
        "address_hash": _text(address.get("hash_code"))[:128],
        "address_under_review": _filled(info.get("address_under_review")),
        "quality_inspect_type": _int(info.get("quality_inspect_type")) or 0,
        "inspect_status": _int(_obj(info.get("quality_inspect_info")).get("inspect_status")),
        "ewaybill_order_code": _text(info.get("ewaybill_order_code")),
        "recharge": _obj(info.get("recharge_info")),
        "parcels": tuple(_parcel(parcel) for parcel in _list(info.get("delivery_product_info"))),
    }


def _words(order: Json, detail: Json) -> Json:
    ext = _obj(detail.get("ext_info"))
    return {
        "openid": _id(order.get("openid")),
        "customer_notes": _text(ext.get("customer_notes")),
        "merchant_notes": _text(ext.get("merchant_notes")),
        "order_price": _amount(_obj(detail.get("price_info")).get("order_price")),
    }


def _line(line: Json) -> LineData:
    attrs = (_text(attr.get("attr_value")) for attr in _list(line.get("sku_attrs")))
    return LineData(
        product_id=_id(line.get("product_id")),
        sku_id=_id(line.get("sku_id")),
        sku_cnt=_count(line.get("sku_cnt")),
        on_aftersale_sku_cnt=_count(line.get("on_aftersale_sku_cnt")),
        finish_aftersale_sku_cnt=_count(line.get("finish_aftersale_sku_cnt")),
        title=_text(line.get("title"))[:300],
        thumb_img=_text(line.get("thumb_img"))[:600],
        sku_code=_text(line.get("sku_code"))[:120],
        sku_attrs=" / ".join(attr for attr in attrs if attr)[:300],
        sale_price=_amount(line.get("sale_price")),
        is_free_gift=flag(line.get("is_free_gift")),
        gift_of=_gift_of(line),
        is_subsidy=_is_subsidised(line),
    )


def _gift_of(line: Json) -> str:
    """The product that a free gift comes with; its list holds objects or bare ids."""
    mains = _obj(line.get("free_gift_info")).get("main_product_list")
    first = mains[0] if isinstance(mains, list) and mains else ""
    return _id(first.get("product_id") if isinstance(first, dict) else first)


def _parcel(parcel: Json) -> ParcelData:
    return ParcelData(
        waybill_id=_id(parcel.get("waybill_id")),
        delivery_id=_id(parcel.get("delivery_id")),
        deliver_type=_int(parcel.get("deliver_type")),
        delivery_time=_moment(parcel.get("delivery_time")),
        items=tuple(
            (_id(item.get("product_id")), _id(item.get("sku_id")), _count(item.get("product_cnt")))
            for item in _list(parcel.get("product_infos"))
        ),
    )
