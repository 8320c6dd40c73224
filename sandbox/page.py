"""The sandbox's own page: what it received, and what it was told to do. No script, nothing from elsewhere."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape

from sandbox.answers import Json
from sandbox.switches import SWITCHES

SHOWN = 10
HEADS = ["时间", "店铺", "接口", "订单", "包裹(灰色: 没有登记)", "平台结果", "故障"]
BEIJING = timezone(timedelta(hours=8))
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; }
body { color: #222; } .wide { overflow-x: auto; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.note { background: #fff6d6; border: 1px solid #e8d48a; border-radius: 6px; padding: .6rem .9rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: #555; font-weight: 600; background: #f4f4f2; }
td, th { padding: .35rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
code { font: 13px/1.6 ui-monospace, monospace; white-space: nowrap; }
form { display: inline-block; margin: 0 .3rem .3rem 0; }
.yes { color: #176b32; } .no { color: #a3231f; } .mute { color: #767676; }
"""


@dataclass(frozen=True)
class Seen:
    """What the page shows: store names by appid, calls newest first, switches, planned faults, pushes.

    ``waiting``: orders to which something may happen, as (order_id, store, first goods).
    ``happenings``: what may, as (name, word).
    """

    shops: dict[str, str]
    calls: list[Json]
    switches: Json
    faults: list[Json]
    pushes: list[Json]
    waiting: list[tuple[str, str, str]]
    happenings: list[tuple[str, str]]


def render(seen: Seen) -> str:
    """The whole page as HTML; it asks for itself again every five seconds."""
    calls = [_call(call, seen.shops) for call in seen.calls]
    chances = [_chance(order, seen.happenings) for order in seen.waiting]
    switches = [
        _row(f"<code>{name}</code>", _value(seen.switches[name]), escape(SWITCHES[name].about))
        for name in SWITCHES
    ]
    return f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>微信小店沙箱</title><style>{STYLE}</style></head><body>
<h1>微信小店沙箱</h1>
<p class="note">这是本机上的替身,只按平台文档作答。这里的一切都不会发到微信,也没有真实买家。
<br>A stand-in on this machine, written from the platform's documents. Nothing here goes to WeChat.</p>
<p><a href="/">刷新</a> <span class="mute">(每 5 秒自动刷新;时间为北京时间)</span></p>
<h2>买家做点什么(会推送给发货台)</h2>
{_table(["订单", "店铺", "商品", "发生"], chances, "没有等待发货的订单, 或店铺没有填推送地址")}
<h2>最近的推送</h2>
{_table(["时间", "订单", "事件", "推送次数", "对方回答"], map(_push, seen.pushes), "还没有推送过")}
<h2>最近收到的调用</h2>
{_table(HEADS, calls, "还没有收到任何调用")}
<h2>计划中的故障</h2>
{_table(["接口", "店铺", "订单", "故障", "剩余次数"], map(_fault, seen.faults), "没有")}
<h2>开关</h2>
{_table(["名称", "现值", "说明"], switches, "没有")}
</body></html>"""


def _table(heads: list[str], rows: Iterable[str], empty: str) -> str:
    body = "\n".join(rows) or f'<tr><td class="mute" colspan="{len(heads)}">{empty}</td></tr>'
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _value(value: object) -> str:
    return f"<code>{escape(json.dumps(value, ensure_ascii=False))}</code>"


def _call(call: Json, shops: dict[str, str]) -> str:
    moment = datetime.fromtimestamp(call["at"], BEIJING)
    return _row(
        f'<span title="#{call["seq"]}">{moment:%m-%d %H:%M:%S}</span>',
        escape(shops.get(call["appid"], call["appid"] or "—")),
        f"<code>{escape(call['path'].removeprefix('/channels/ec/'))}</code>",
        f"<code>{escape(call['order_id'])}</code>",
        "<br>".join(_packages(call)),
        _result(call),
        escape(call["fault"] or ""),
    )


def _packages(call: Json) -> list[str]:
    """Every package the call asked for; grey where the platform did not enter it."""
    entered = [_name(parcel) for parcel in call["accepted"]]
    asked = [(_name(package), _pieces(package)) for package in _asked(call["body"])]
    return [
        f'<span class="{"" if name in entered else "mute"}"><code>{escape(name)}</code> {pieces} 件</span>'
        for name, pieces in asked[:SHOWN]
    ]


def _asked(body: str) -> list[Json]:
    """The packages in a received body, which may be anything."""
    try:
        found = json.loads(body)["delivery_list"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [package for package in found if isinstance(package, dict)] if isinstance(found, list) else []


def _name(package: Json) -> str:
    words = (str(package.get(name, "") or "")[:60] for name in ("delivery_id", "waybill_id"))
    return " ".join(word for word in words if word) or "无需物流"


def _pieces(package: Json) -> int:
    goods = package.get("product_infos")
    counts = (
        [one.get("product_cnt") for one in goods if isinstance(one, dict)] if isinstance(goods, list) else []
    )
    return sum(count for count in counts if isinstance(count, int))


def _result(call: Json) -> str:
    """The code decided on, with the words sent; a dash where the platform never decided."""
    if call["errcode"] is None:
        return '<span class="mute">—</span>'
    tone = "no" if call["errcode"] else "yes"
    return f'<span class="{tone}">{call["errcode"]}</span> {escape(_words(call["answer"]))}'


def _words(answer: str) -> str:
    try:
        return str(json.loads(answer).get("errmsg", ""))
    except ValueError:
        return ""


def _chance(order: tuple[str, str, str], happenings: list[tuple[str, str]]) -> str:
    order_id, shop, goods = order
    buttons = "".join(
        f'<form method="post" action="/_sandbox/orders/{escape(order_id)}/happen?what={name}">'
        f"<button>{escape(word)}</button></form>"
        for name, word in happenings
    )
    return _row(f"<code>{escape(order_id)}</code>", escape(shop), escape(goods), buttons)


def _push(push: Json) -> str:
    told = json.loads(push["body"])
    kind = next((inner["type"] for inner in told.values() if isinstance(inner, dict) and "type" in inner), "")
    waits = "" if push["due"] is None else " (还会再推)"
    return _row(
        f"{datetime.fromtimestamp(push['at'], BEIJING):%m-%d %H:%M:%S}",
        f"<code>{escape(push['order_id'])}</code>",
        f"<code>{escape(push['event'])}</code> {kind}",
        f"{push['tries']}{waits}",
        escape(push["answer"] or "—"),
    )


def _fault(fault: Json) -> str:
    wheres = [escape(str(fault[name] or "任何")) for name in ("appid", "order_id")]
    return _row(
        f"<code>{escape(fault['call'])}</code>",
        *wheres,
        escape(fault["fault"]),
        str(fault["times"] or "不限"),
    )
