"""Switches for behaviour the documents leave open, kept in the state file."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.answers import Json


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


@dataclass(frozen=True)
class Switch:
    """One open question: the answer the sandbox gives unless told otherwise."""

    default: Any
    fits: Callable[[Any], bool]
    about: str


SWITCHES: dict[str, Switch] = {
    "packages": Switch(
        "all_or_nothing",
        lambda value: value in ("all_or_nothing", "partial"),
        "一次调用里有一个包裹不合格: 全部拒绝, 或只发合格的包裹",
    ),
    "repeat_waybill": Switch(True, _flag, "同一订单再次收到同一单号, 只要还有可发数量就接受"),
    "split_sku": Switch(True, _flag, "同一 sku 的多件可以拆到多个包裹"),
    "accept_yd": Switch(True, _flag, "接受韵达的旧代码 YD"),
    "strict_patterns": Switch(False, _flag, "按公开猜测的正则检查快递单号 (6060479)"),
    "refuse_escapes": Switch(False, _flag, "请求体含 \\uXXXX 转义时回答 40033"),
    "order_pace": Switch(True, _flag, "同一订单两次发货调用间隔不足 1 秒时回答 100003"),
    "corrections": Switch(
        3, lambda value: value in (1, 3), "发货后可改几次单号: 3 (新页面), 或 1 且只限整单一个包裹 (旧页面)"
    ),
    "subsidy_couriers": Switch(["SF", "JD", "EMS", "ZTO", "DBKD"], _names, "国补订单可用的快递公司 (606061)"),
    "rotate_refresh": Switch(True, _flag, "刷新授权凭证时换一个新的 refresh_token, 旧的再用 5 分钟"),
    "tokens_a_day": Switch(2000, _seconds, "每天可取多少张 (普通 token 和授权 token), 超出回答 45009"),
    "push_pace": Switch(
        1.0, _seconds, "推送没被接收时, 重推的间隔乘以多少 (0、0、10 秒、1、5、30、60 分钟 ×3)"
    ),
    "calls_a_day": Switch(500000, _seconds, "每个接口每天可调用多少次, 超出回答 45009; quota/get 照此回答"),
    "sends_a_minute": Switch(0, _seconds, "每家店铺每分钟可调用多少次发货, 超出回答 45011; 0 为不限"),
    "late_seconds": Switch(2.0, _seconds, "late_accept 故障: 多少秒以后才生效"),
    "latency": Switch(0.0, _seconds, "处理之前等待的秒数"),
    "answer_delay": Switch(0.0, _seconds, "处理之后、回答之前等待的秒数"),
    "clock_offset": Switch(0.0, _seconds, "平台时钟比本机快多少秒 (凭证过期等测试用)"),
}


def read(db: sqlite3.Connection) -> Json:
    """Every switch with its present value."""
    values = {name: switch.default for name, switch in SWITCHES.items()}
    rows = db.execute("SELECT name, value FROM switches").fetchall()
    return values | {row["name"]: json.loads(row["value"]) for row in rows if row["name"] in values}


def misfits(wanted: Json) -> list[str]:
    """Names in ``wanted`` that are no switch or whose value does not fit."""
    return [n for n, value in wanted.items() if n not in SWITCHES or not SWITCHES[n].fits(value)]


def write(db: sqlite3.Connection, wanted: Json) -> Json:
    """Set some switches (checked before by ``misfits``); returns them all."""
    rows = [(name, json.dumps(value)) for name, value in wanted.items()]
    db.executemany("INSERT OR REPLACE INTO switches(name, value) VALUES (?, ?)", rows)
    return read(db)
