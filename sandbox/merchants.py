"""Stores: who they are, which couriers they may use, whether they have a default return address."""

import json
import sqlite3
from dataclasses import dataclass

COURIERS: dict[str, str] = {
    "SF": "顺丰速运",
    "ZTO": "中通快递",
    "YTO": "圆通速递",
    "STO": "申通快递",
    "YUNDA": "韵达速递",
    "JTSD": "极兔速递",
    "JD": "京东快递",
    "EMS": "中国邮政速递物流",
    "DBKD": "德邦快递",
    "CNSD": "菜鸟速递",
    "ZTOKY": "中通快运",
    "YDKY": "韵达快运",
    "ANEKY": "安能物流",
    "SXJD": "顺心捷达",
    "KYSY": "跨越速运",
    "YMDD": "壹米滴答",
    "ZJS": "宅急送",
}
"""delivery_id -> name, of the current lists (store-api.md 5.1); OTHER is always legal and in no list."""

OLD_NAMES = {"YD": "韵达速递", "OTHER": "其他快递"}


@dataclass(frozen=True)
class Merchant:
    """One store. ``denied`` holds path suffixes it has no right to call (48001)."""

    appid: str
    name: str
    couriers: dict[str, str]
    return_address: bool
    denied: tuple[str, ...]

    @property
    def courier_names(self) -> dict[str, str]:
        """Names for parcels, including codes that stand in no list."""
        return OLD_NAMES | self.couriers


def load(db: sqlite3.Connection, appid: str) -> Merchant | None:
    """The store of this appid."""
    row = db.execute("SELECT name, facts FROM merchants WHERE appid = ?", (appid,)).fetchone()
    if row is None:
        return None
    facts = json.loads(row["facts"])
    return Merchant(appid, row["name"], facts["couriers"], facts["return_address"], tuple(facts["denied"]))


def save(db: sqlite3.Connection, merchant: Merchant, secret: str) -> None:
    """Insert or replace a store."""
    facts = {
        "couriers": merchant.couriers,
        "return_address": merchant.return_address,
        "denied": merchant.denied,
    }
    db.execute(
        "INSERT OR REPLACE INTO merchants(appid, secret, name, facts) VALUES (?, ?, ?, ?)",
        (merchant.appid, secret, merchant.name, json.dumps(facts, ensure_ascii=False)),
    )
