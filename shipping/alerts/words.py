"""What is said of an alert, in the language that is active: what happened, what to do, where."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from merchants.models import Pause
from merchants.telling import Words
from shipping.models import Alert
from wechat.errcodes import Code, meaning

BEGAN, LASTS, OVER = "began", "lasts", "over"
Facts = dict[str, Any]


def compose(alert: Alert, stage: str) -> Words:
    """Title and text of one message about an alert."""
    what, lines = SAYINGS[alert.name](alert.facts)
    whose = alert.merchant.name if alert.merchant else _("整个系统")
    title = TITLES[stage]() % {"whose": whose, "what": what}
    if stage == OVER:
        lines = [_("从 %(began)s 到 %(seen)s。") % {"began": _at(alert.began_at), "seen": _at(alert.seen_at)}]
    elif stage == LASTS:
        lines = [_("从 %(began)s 开始。") % {"began": _at(alert.began_at)}, *lines]
    return Words(title, "\n".join(line for line in lines if line))


def what(alert: Alert) -> str:
    """The alert in one line, without its store."""
    return SAYINGS[alert.name](alert.facts)[0]


TITLES: dict[str, Callable[[], str]] = {
    BEGAN: lambda: _("%(whose)s：%(what)s"),
    LASTS: lambda: _("还没有解决 · %(whose)s：%(what)s"),
    OVER: lambda: _("已解决 · %(whose)s：%(what)s"),
}


def _paused(facts: Facts) -> tuple[str, list[str]]:
    pause = Pause(call=facts["call"], errcode=facts["errcode"], slug=facts["slug"], errmsg=facts["errmsg"])
    row = pause.reason
    address = _("要加的 IP：%s") % pause.ip_to_allow if pause.ip_to_allow else ""
    said = _said(facts["errcode"], facts["errmsg"])
    return _in(row, "title"), [_in(row, "means"), _in(row, "do"), address, said, _link("todo_list")]


def _quota(facts: Facts) -> tuple[str, list[str]]:
    counts = _("今天还剩 %(left)s 次，共 %(limit)s 次。") % facts if facts["limit"] else ""
    later = _("午夜后微信重新计数，等待的包裹会自动提交；等不及可以在待办里清空今天的用量。")
    return _("%(call)s 的次数快用完了") % facts, [counts, later, _link("todo_list")]


def _sync(facts: Facts) -> tuple[str, list[str]]:
    since = parse_datetime(facts["since"]) if facts["since"] else None
    read = _("上次读全是 %s。") % _at(since) if since else _("还没有读全过。")
    why = _("最近的原因：%s") % facts["error"] if facts["error"] else ""
    advice = _("请管理员测试线路；看不出原因就联系本系统的开发者。")
    return _("读不到新订单"), [read, why, advice, _link("todo_list")]


def _worker(facts: Facts) -> tuple[str, list[str]]:
    advice = _("请运营者看服务器上 manage.py work 是不是还在运行，重启它；数据都在，不会重复发货。")
    return _("后台任务没有人做（%(queue)s）") % facts, [advice]


def _unknown(facts: Facts) -> tuple[str, list[str]]:
    count = facts["count"]
    what = ngettext("%d 个包裹半小时没有核对出结果", "%d 个包裹半小时没有核对出结果", count) % count
    advice = _("请把包裹放在一边，不要重新提交；主管在订单页里看微信的记录。")
    return what, [_orders(facts), advice, _link("history", status="unknown")]


def _conflict(facts: Facts) -> tuple[str, list[str]]:
    count = facts["count"]
    what = ngettext("%d 个包裹要主管裁定", "%d 个包裹要主管裁定", count) % count
    return what, [_orders(facts), _("我们的记录和微信的不一致，请主管比较后下结论。"), _link("conflict_list")]


def _due(facts: Facts) -> tuple[str, list[str]]:
    count = facts["count"]
    what = ngettext("%d 个包裹今天午夜前要发，却停着", "%d 个包裹今天午夜前要发，却停着", count) % count
    advice = _("请看店铺是不是停着、包裹卡在哪一步。")
    return what, [_orders(facts), advice, _link("order_list")]


def _code(facts: Facts) -> tuple[str, list[str]]:
    row = meaning(facts["errcode"])
    what = _("微信回了错误码 %(errcode)s，要开发者看") % facts
    rid = f"rid: {facts['rid']}" if facts["rid"] else ""
    said = _said(facts["errcode"], facts["errmsg"])
    return what, [_in(row, "means"), said, rid, _link("error_detail", facts["errcode"])]


SAYINGS: dict[str, Callable[[Facts], tuple[str, list[str]]]] = {
    "paused": _paused,
    "quota": _quota,
    "sync": _sync,
    "worker": _worker,
    "unknown": _unknown,
    "conflict": _conflict,
    "due": _due,
    "code": _code,
}


def _in(row: Code, part: str) -> str:
    return row.text(part, get_language() or settings.LANGUAGE_CODE)


def _said(errcode: int | None, errmsg: str) -> str:
    return _("微信原文：%s") % f"{errcode or ''} {errmsg}".strip() if errmsg else ""


def _orders(facts: Facts) -> str:
    more = "…" if facts["count"] > len(facts["orders"]) else ""
    return _("订单号：%s") % _("、").join(facts["orders"]) + more


def _link(name: str, *args: Any, **query: str) -> str:
    asked = f"?{urlencode(query)}" if query else ""
    return f"{settings.PUBLIC_URL}{reverse(name, args=args)}{asked}"


def _at(moment: Any) -> str:
    return f"{timezone.localtime(moment):%m-%d %H:%M}"
