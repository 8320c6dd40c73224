"""A week of everyday orders that have left, so that a board has something to show."""

import random
import sqlite3

from sandbox import build, orders
from sandbox.answers import Json
from sandbox.seed import shops
from sandbox.seed.goods import buyer, order_line
from sandbox.seed.scenes import Scene

EACH = 70
DAYS = 6
DAY, HOUR = 86400, 3600
BEIJING = 8 * HOUR
# Parcels leave in working hours, most of them before noon and before the couriers' last round.
BUSY = {8: 2, 9: 6, 10: 8, 11: 7, 12: 2, 13: 3, 14: 6, 15: 7, 16: 9, 17: 8, 18: 3, 19: 1, 20: 1}
# Courier -> how often, and what its numbers look like.
COURIERS = {
    "ZTO": (34, "739{:011d}"),
    "YTO": (24, "YT39{:011d}"),
    "SF": (20, "SF39{:011d}"),
    "JTSD": (12, "JT39{:011d}"),
    "EMS": (6, "939{:010d}"),
    "JD": (4, "JDVA{:011d}"),
}
FIRST = 300  # orders of a shop are numbered; the scenes come before


def plant(db: sqlite3.Connection, now: float) -> None:
    """Into both ordinary shops; the last left some minutes before `now`."""
    for shop in shops.SHOPS:
        dice = random.Random(100 + shop.number)
        for number in range(EACH):
            orders.save(db, _order(shop, FIRST + number, dice, now))


def _order(shop: shops.Shop, number: int, dice: random.Random, now: float) -> Json:
    left_at = _left_at(dice, number, now)
    waited = min(dice.lognormvariate(2.2, 0.8), 60) * HOUR
    created = max(left_at - waited, now - shops.LONGEST_HOURS * HOUR)
    scene = Scene(f"{dice.choice(shop.everyday)}*{dice.choice([1, 1, 2])}")
    lines = [
        order_line(shop.shelf[name], pieces, delivery_deadline=int(created) + 48 * HOUR)
        for name, pieces in shops.parsed(scene.goods)
    ]
    person = buyer(shop.number * 1000 + number)
    made = build.order(lines, shops.order_id(shop.number, number), create_time=int(created), **person)
    made["_sandbox"]["appid"] = shop.merchant.appid
    package = build.package(build.goods(made), _waybill(shop, number, dice), delivery_id="")
    package["delivery_id"] = _courier_of(package["waybill_id"])
    orders.ship(made, [package], shop.merchant.courier_names, max(left_at, created + 300))
    made["status"] = 100 if now - left_at > 3 * DAY else 30
    return made


def _left_at(dice: random.Random, number: int, now: float) -> float:
    """A moment of the last days in working hours and not in the future; some left just now."""
    if number % 8 == 0:
        return now - dice.randrange(300, 2 * HOUR)
    hour = dice.choices(list(BUSY), list(BUSY.values()))[0]
    midnight = (now + BEIJING) // DAY * DAY - BEIJING
    at = midnight - dice.randrange(DAYS) * DAY + hour * HOUR + dice.randrange(HOUR)
    return at if at < now - 300 else at - DAY


def _waybill(shop: shops.Shop, number: int, dice: random.Random) -> str:
    weights = [weight for weight, _ in COURIERS.values()]
    _, pattern = COURIERS[dice.choices(list(COURIERS), weights)[0]]
    return pattern.format(shop.number * 100_000 + number)


def _courier_of(waybill: str) -> str:
    starts = {pattern.partition("{")[0]: code for code, (_, pattern) in COURIERS.items()}
    return next(code for start, code in starts.items() if waybill.startswith(start))
