"""The stores that are called otherwise: one through a third-party platform, one from the cloud."""

import sqlite3

from sandbox import build, cloud, component, merchants, orders
from sandbox.merchants import COURIERS, Merchant
from sandbox.seed.goods import buyer

PLATFORM = {
    "appid": "wx1000000000000090",
    "secret": "9" * 32,
    "push_token": "demo-push-token",
    "aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
}
AUTHORIZED = Merchant("wx1000000000000005", "成都锦里文创店（第三方平台）", COURIERS, True, ())
CLOUD = Merchant("wx1000000000000006", "昆明云朵花坊（云调用）", COURIERS, True, ())
GOODS = {
    AUTHORIZED.appid: ("蜀锦书签 礼盒装", "熊猫冰箱贴", "川剧脸谱钥匙扣"),
    CLOUD.appid: ("鲜花饼 12 枚", "干花香包", "永生花摆件"),
}
HOUR = 3600


def plant(db: sqlite3.Connection, now: float) -> None:
    """Open both stores with an order for each article, twice; they have no secret that anyone would know."""
    component.save(db, PLATFORM)
    for number, shop in enumerate((AUTHORIZED, CLOUD), 5):
        merchants.save(db, shop, str(number) * 32)
        for position, title in enumerate(GOODS[shop.appid] * 2, 1):
            orders.save(db, _order(shop, number, position, title, now))
    cloud.bind(db, CLOUD.appid, {})


def is_planted(db: sqlite3.Connection) -> bool:
    """Whether a state knows these stores; one from before them is kept and completed."""
    return merchants.load(db, CLOUD.appid) is not None


def _order(shop: Merchant, number: int, position: int, title: str, now: float) -> dict[str, object]:
    ids = f"1000{number}000{position:04d}", f"2000{number}000{position:04d}"
    line = build.line(*ids, 1, title=title, thumb_img="")
    return build.order(
        [line],
        f"37{number}000000000000{position:04d}",
        create_time=int(now) - HOUR * (2 + position),
        sandbox={"appid": shop.appid},
        **buyer(4000 + 100 * number + position),
    )
