"""Orders as the platform keeps them: loading, counting what is left, and shipping.

A stored order has the shape of order/get's ``order`` (store-api.md 1.5 to 1.8) plus a member ``_sandbox``
with facts no read field tells:

    answers             code this order gives to every delivery/send, for ever
    course_skus         sku_ids that are course goods (606037)
    ewaybill_required   606046      online_waybill  109205      risk  606049      sn_required  606060
    corrections, compensations     how often its numbers were corrected, parcels of it sent again
    compensated         [courier, number] of the parcels sent again: they take nothing of what is left
    subsidy_couriers    couriers allowed for this order instead of the switch's (606061)
"""

import json
import sqlite3
from collections import Counter
from typing import Any

from sandbox.answers import Json

Pair = tuple[str, str]
"""(product_id, sku_id): what delivery/send names goods by; the pair may repeat within an order."""

SUBSIDY_COUPONS = {4, 5}
VIRTUAL_METHODS = {1, 3}
PARTLY_SHIPPED, ALL_SHIPPED = 21, 30


def load(db: sqlite3.Connection, order_id: str) -> Json | None:
    """The order's whole truth, or None."""
    row = db.execute("SELECT doc, appid FROM orders WHERE order_id = ?", (order_id,)).fetchone()
    if row is None:
        return None
    order: Json = json.loads(row["doc"])
    order.setdefault("_sandbox", {})["appid"] = row["appid"]
    return order


def save(db: sqlite3.Connection, order: Json) -> None:
    """Insert or replace an order; ``_sandbox.appid`` says whose it is."""
    columns = [order["order_id"], order["_sandbox"]["appid"]]
    columns += [order[name] for name in ("status", "create_time", "update_time", "openid")]
    db.execute(
        "INSERT INTO orders(order_id, appid, status, create_time, update_time, openid, doc)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(order_id) DO UPDATE SET appid = excluded.appid,"
        " status = excluded.status, create_time = excluded.create_time,"
        " update_time = excluded.update_time, openid = excluded.openid, doc = excluded.doc",
        (*columns, json.dumps(order, ensure_ascii=False)),
    )


def lines(order: Json) -> list[Json]:
    """The order lines."""
    found: list[Json] = order["order_detail"]["product_infos"]
    return found


def delivery(order: Json) -> Json:
    """The order's delivery_info."""
    found: Json = order["order_detail"]["delivery_info"]
    return found


def parcels(order: Json) -> list[Json]:
    """What was already sent, one element a parcel."""
    found: list[Json] = delivery(order)["delivery_product_info"]
    return found


def pair(goods: Json) -> Pair:
    """The name of a line or of goods in a package."""
    return str(goods.get("product_id", "")), str(goods.get("sku_id", ""))


def count(packages: list[Json]) -> Counter[Pair]:
    """Pieces per pair over some packages."""
    total: Counter[Pair] = Counter()
    for package in packages:
        for goods in package.get("product_infos", []):
            total[pair(goods)] += goods["product_cnt"]
    return total


def left(order: Json) -> Counter[Pair]:
    """Pieces still shippable: ordered - refunded - already shipped, summed over lines with the same pair."""
    rest: Counter[Pair] = Counter()
    for line in lines(order):
        rest[pair(line)] += line["sku_cnt"] - line["finish_aftersale_sku_cnt"]
    again = order["_sandbox"].get("compensated", [])
    rest.subtract(count([one for one in parcels(order) if number(one) not in again]))
    return rest


def number(parcel: Json) -> list[str]:
    """What a parcel is known by: its courier and its tracking number."""
    return [parcel.get("delivery_id", ""), parcel.get("waybill_id", "").upper()]


def is_virtual(order: Json) -> bool:
    """Whether nothing is sent by courier; 3 is virtual too (store-api.md 1.7)."""
    return delivery(order)["deliver_method"] in VIRTUAL_METHODS


def is_subsidised(line: Json) -> bool:
    """A 国补 line: the coupon or the discount says so (store-api.md 1.6)."""
    coupons = line.get("order_product_coupon_info_list", [])
    by_coupon = any(coupon.get("coupon_type") in SUBSIDY_COUPONS for coupon in coupons)
    return by_coupon or line.get("national_subsidy_discounted_price", 0) > 0


def subsidised_pairs(order: Json) -> set[Pair]:
    """The pairs that need a serial number."""
    return {pair(line) for line in lines(order) if is_subsidised(line)}


def ship(order: Json, packages: list[Json], couriers: dict[str, str], now: float) -> list[Json]:
    """Enter the packages into the order and move its status; returns the parcels as order/get shows them."""
    entered = enter(order, packages, couriers, now)
    done = all(rest <= 0 for rest in left(order).values())
    order["status"] = ALL_SHIPPED if done else PARTLY_SHIPPED
    delivery(order)["ship_done_time"] = int(now) if done else 0
    touch(order, now)
    return entered


def enter(order: Json, packages: list[Json], couriers: dict[str, str], now: float) -> list[Json]:
    """Add the packages to what the order shows as sent, and nothing else."""
    entered = [_parcel(package, order, couriers, now) for package in packages]
    parcels(order).extend(entered)
    return entered


def touch(order: Json, now: float) -> None:
    """Move update_time, never backwards."""
    order["update_time"] = max(int(now), order["update_time"])


def _parcel(package: Json, order: Json, couriers: dict[str, str], now: float) -> Json:
    delivery_id = package.get("delivery_id", "")
    goods: list[dict[str, Any]] = package["product_infos"]
    return {
        "waybill_id": package.get("waybill_id", ""),
        "delivery_id": delivery_id,
        "delivery_name": couriers.get(delivery_id, ""),
        "delivery_time": int(now),
        "deliver_type": package.get("deliver_type", 1),
        "product_infos": [
            {"product_id": one["product_id"], "sku_id": one["sku_id"], "product_cnt": one["product_cnt"]}
            for one in goods
        ],
        "delivery_address": delivery(order)["address_info"],
    }
