"""One order for every code of the document, like a card network's test numbers.

Such an order is healthy and shippable in order/get; any well-typed delivery/send on it is answered with its
code, for ever, and changes nothing.
"""

import sqlite3

from sandbox import build, merchants, orders
from sandbox.answers import DOCUMENT, Json, invalid_args, words
from sandbox.merchants import COURIERS, Merchant
from sandbox.seed.goods import buyer

CODE_SHOP = Merchant("wx1000000000000003", "错误码演示店", dict(COURIERS), True, ())
HALT_SHOP = Merchant("wx1000000000000004", "停摆演示店", dict(COURIERS), True, ())
HALTING = {48001, 606003}
"""Codes that stop a whole shop: kept in a shop of their own."""
VIRTUAL = {606036, 606037, 606038, 606048, 606051}
SUBSIDY = {606060, 606061} | {code for code in DOCUMENT if code // 1000 == 268545}
HOUR = 3600


def order_id(code: int) -> str:
    """3720000000 and the code in nine digits."""
    return f"3720000000{code:09d}"


def plant(db: sqlite3.Connection, now: float) -> None:
    """Open both shops and place one order for each code."""
    merchants.save(db, CODE_SHOP, "3" * 32)
    merchants.save(db, HALT_SHOP, "4" * 32)
    for number, code in enumerate(DOCUMENT, 1):
        orders.save(db, _order(number, code, now))


def _order(number: int, code: int, now: float) -> Json:
    shop = HALT_SHOP if code in HALTING else CODE_SHOP
    made = build.order(
        [_line(number, code, now)],
        order_id(code),
        create_time=int(now) - HOUR - 60 * number,
        deliver_method=1 if code in VIRTUAL else 0,
        merchant_notes=f"演示单:无论怎样发货,平台都回答 {code}({DOCUMENT[code]})",
        sandbox={"appid": shop.appid, "answers": code, "errmsg": _errmsg(code)},
        **buyer(3000 + number),
    )
    return made


def _line(number: int, code: int, now: float) -> Json:
    make = build.subsidy_line if code in SUBSIDY else build.line
    return make(
        f"10000230{number:06d}",
        f"30963{number:05d}",
        title=f"错误码演示 {code}",
        thumb_img=build.picture(str(code)[-4:]),
        sku_code=f"DEMO-{code}",
        sale_price=9900,
        delivery_deadline=int(now) + 47 * HOUR,
    )


def _errmsg(code: int) -> str:
    """What the platform says: 40097 names a path as live answers do, the others their words."""
    if code == 40097:
        return invalid_args("delivery_list[0].waybill_id", 'not ""', '""').detail or ""
    return words(code)
