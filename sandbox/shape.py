"""Types of request bodies: a wrong type anywhere is 47001 (senddelivery.md section 2, store-api.md 6).

Missing members pass here; whether they may be missing is for the argument checks (40097).
"""

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.answers import Problem

Check = Callable[[Any], Iterator[Problem]]


def _must(fits: Callable[[Any], bool]) -> Check:
    def check(value: Any) -> Iterator[Problem]:
        if not fits(value):
            yield Problem(47001)

    return check


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_digits(value: Any) -> bool:
    # The server reads these strings as numbers; "" reads as 0 and is refused later, with its path.
    return isinstance(value, str) and (
        value == "" or (value.isascii() and value.isdigit() and len(value) < 20)
    )


text = _must(lambda value: isinstance(value, str))
whole = _must(_is_whole)
digits = _must(_is_digits)
truth = _must(lambda value: isinstance(value, bool))
order_id = _must(lambda value: _is_whole(value) or _is_digits(value))


def obj(**members: Check) -> Check:
    """An object whose named members, where present, have these types; others are ignored."""

    def check(value: Any) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(47001)
            return
        for name, member in members.items():
            if name in value:
                yield from member(value[name])

    return check


def many(item: Check) -> Check:
    """An array of such items."""

    def check(value: Any) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(47001)
            return
        for entry in value:
            yield from item(entry)

    return check


_RANGE = obj(start_time=whole, end_time=whole)
_GOODS = obj(product_id=digits, sku_id=digits, product_cnt=whole)
_COURSE_PATH = obj(type=whole, wxa_appid=text, wxa_path=text)

SEND = obj(
    order_id=order_id,
    delivery_list=many(
        obj(
            waybill_id=text,
            delivery_id=text,
            deliver_type=whole,
            product_infos=many(_GOODS),
            course_info=obj(start_time=whole, end_time=whole, course_path=_COURSE_PATH),
            sn_info=obj(sn_code=text, imei1=text, imei2=text),
        )
    ),
)
_WAYBILL = obj(delivery_id=text, waybill_id=text, product_infos=many(_GOODS))
_PARCEL = obj(delivery_id=text, waybill_id=text, deliver_type=whole, product_infos=many(_GOODS))
UPDATE = obj(
    order_id=order_id, delivery_list=many(_PARCEL), change_infos=many(obj(old=_WAYBILL, new=_WAYBILL))
)
COMPENSATION = obj(order_id=order_id, reason=whole, delivery_list=many(_PARCEL))
NOTES = obj(order_id=order_id, merchant_notes=text)
SKU_CHANGES = obj(page=whole, page_size=whole)
ORDER_GET = obj(order_id=order_id)
ORDER_LIST = obj(
    create_time_range=_RANGE,
    update_time_range=_RANGE,
    status=whole,
    openid=text,
    page_size=whole,
    next_key=text,
)
COMPANIES = obj()
COMPANIES_NEW = obj(ewaybill_only=truth)
ADDRESS_LIST = obj(offset=whole, limit=whole)
QUOTA_GET = obj(cgi_path=text)
CLEAR_QUOTA = obj(appid=text)
ADDRESS_GET = obj(address_id=order_id)
TOKEN = obj(grant_type=text, appid=text, secret=text, force_refresh=truth)
