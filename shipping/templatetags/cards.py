"""Fields of a package card: the label people see, what was typed, what is wrong with it."""

from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from shipping.forms import Card

register = template.Library()

LABELS = {
    "waybill_id": _("快递单号"),
    "delivery_id": _("快递公司（留空则按单号推测）"),
    "sn_code": _("序列号 SN"),
    "imei1": _("IMEI 1"),
    "imei2": _("IMEI 2"),
    "wxa_appid": _("课程小程序 AppID"),
    "wxa_path": _("课程小程序路径"),
    "start_time": _("开始时间"),
    "end_time": _("结束时间"),
}


@register.inclusion_tag("shipping/_field.html", takes_context=True)
def field(context: template.Context, card: Card, index: int, name: str) -> dict[str, Any]:
    return {
        "id": f"p{index}-{name}",
        "name": name,
        "label": LABELS[name],
        "value": card.value(name),
        "findings": card.findings.get(name, []),
        "focus": context.get("focus") == f"p{index}-{name}",
        "guess": card.guessed if name == "delivery_id" else "",
        "by_habit": card.by_habit,
    }


@register.inclusion_tag("shipping/_findings.html")
def findings(card: Card, name: str) -> dict[str, Any]:
    return {"findings": card.findings.get(name, [])}
