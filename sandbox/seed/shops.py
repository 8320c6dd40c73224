"""The two ordinary demonstration shops, planted relative to the moment of seeding."""

import random
import sqlite3
from dataclasses import dataclass

from sandbox import build, merchants, orders
from sandbox.answers import Json
from sandbox.merchants import COURIERS, Merchant
from sandbox.seed.goods import Article, buyer, order_line, shelf
from sandbox.seed.scenes import DIGITAL_SCENES, STUDY_SCENES, Scene

ORDERS_EACH = 60
HOUR = 3600
PROMISE_HOURS = 48
LONGEST_HOURS = 6.5 * 24  # every order was placed within one list window of seven days
GOLDEN = 618_033_988_749_895
DUE_HOURS = [1, 2, 4, 8, 12, 20, 30, 40, 47]
WISHES = ["", "", "", "请尽快发货", "放门口就好", "工作日送", "不要放驿站", "包装结实些"]


@dataclass(frozen=True)
class Shop:
    """A shop with its shelf, its scenes, and the articles its everyday orders are made of."""

    number: int
    merchant: Merchant
    shelf: dict[str, Article]
    scenes: list[Scene]
    everyday: list[str]


def _couriers(*absent: str) -> dict[str, str]:
    return {code: name for code, name in COURIERS.items() if code not in absent}


SHOPS = [
    Shop(
        1,
        Merchant("wx1000000000000001", "杭州云栖数码旗舰店", _couriers("YMDD", "ZJS"), True, ()),
        shelf("digital"),
        DIGITAL_SCENES,
        [
            "charger",
            "cable",
            "cable_b",
            "bank",
            "mouse",
            "keyboard",
            "buds",
            "buds_b",
            "case",
            "film",
            "strap",
        ],
    ),
    Shop(
        2,
        Merchant("wx1000000000000002", "广州知学课堂", _couriers("KYSY", "SXJD", "YDKY"), True, ()),
        shelf("study"),
        STUDY_SCENES,
        ["book", "books", "diary", "diary_b", "pens", "lamp", "cup", "towel", "box"],
    ),
]


def plant(db: sqlite3.Connection, now: float) -> None:
    """Open both shops, with ``ORDERS_EACH`` orders each."""
    for shop in SHOPS:
        merchants.save(db, shop.merchant, str(shop.number) * 32)
        for number, scene in enumerate(_all_scenes(shop), 1):
            orders.save(db, _order(shop, number, scene, now))


def _all_scenes(shop: Shop) -> list[Scene]:
    """The told scenes, then everyday orders up to the number wanted; the same at every seeding."""
    dice = random.Random(shop.number)
    everyday = [_everyday(shop, dice) for _ in range(ORDERS_EACH - len(shop.scenes))]
    return [*shop.scenes, *everyday]


def _everyday(shop: Shop, dice: random.Random) -> Scene:
    chosen = dice.sample(shop.everyday, dice.choice([1, 1, 1, 2, 3]))
    goods = " ".join(f"{name}*{dice.choice([1, 1, 1, 2, 3])}" for name in chosen)
    return Scene(goods, dice.choice(DUE_HOURS), more={"customer_notes": dice.choice(WISHES)})


def order_id(shop: int, number: int) -> str:
    """The fixed id of a shop's nth order: 19 digits that look like the platform's."""
    return f"3727{(shop * 1000 + number) * GOLDEN % 10**15:015d}"


def _order(shop: Shop, number: int, scene: Scene, now: float) -> Json:
    deadline = int(now + scene.due * HOUR)
    age = min(max(PROMISE_HOURS - scene.due, 0.5 + number / 60), LONGEST_HOURS) * HOUR
    person = buyer(shop.number * 1000 + (number if scene.buyer is None else scene.buyer))
    more = {**person, **scene.more}
    if "address_under_review" in more:
        more["address_apply_time"] = int(now) - 1200
    lines = [
        order_line(shop.shelf[name], pieces, delivery_deadline=deadline, **scene.line.get(place, {}))
        for place, (name, pieces) in enumerate(parsed(scene.goods), 1)
    ]
    more = {"status": 20 if scene.status is None else scene.status, **more}
    made = build.order(lines, order_id(shop.number, number), create_time=int(now - age), **more)
    made["_sandbox"]["appid"] = shop.merchant.appid
    return _with_past(made, shop, scene, now)


def parsed(goods: str) -> list[tuple[str, int]]:
    """ "phone*1 case*2" -> [("phone", 1), ("case", 2)]."""
    return [(name, int(pieces)) for name, pieces in (one.split("*") for one in goods.split())]


def _with_past(order: Json, shop: Shop, scene: Scene, now: float) -> Json:
    """Enter the parcels already sent, then the scene's own status."""
    packages = [_package(shop, parcel) for parcel in scene.parcels]
    if packages:
        # Between the order's birth and now, and after its payment.
        sent_at = (order["create_time"] + now) / 2 + 120
        orders.ship(order, packages, shop.merchant.courier_names, sent_at)
    if scene.status is not None:
        order["status"] = scene.status
    return order


def _package(shop: Shop, parcel: tuple[str, str, str]) -> Json:
    courier, waybill, goods = parcel
    infos = [
        {"product_id": shop.shelf[name].product_id, "sku_id": shop.shelf[name].sku_id, "product_cnt": pieces}
        for name, pieces in parsed(goods)
    ]
    if not courier:
        return build.package(infos, deliver_type=3)
    return build.package(infos, waybill, delivery_id=courier)
