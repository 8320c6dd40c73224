"""Words of the managers' board: how a day's race stands, how long something took."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from shipping.board import MOST, Race
from shipping.templatetags.desk import Look

register = template.Library()
RACES = {
    "none": Look(lazy("今天没有到期的"), "secondary"),
    "done": Look(lazy("发完了"), "green"),
    "in_time": Look(lazy("来得及"), "green"),
    "tight": Look(lazy("很紧"), "orange"),
    "missed": Look(lazy("24:00 前发不完"), "red"),
    "still": Look(lazy("一小时内没有发出"), "orange"),
}


@register.filter
def race_look(race: Race) -> Look:
    return RACES[race.state]


@register.filter
def counted(count: int) -> str:
    """A count of the board, which stops far out."""
    return f"{MOST:,}+" if count > MOST else f"{count:,}"


@register.filter
def clock(at: datetime) -> str:
    """A moment as one says it today: the time alone, with the day where it is another."""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local:%m-%d %H:%M}"


@register.filter
def taking(minutes: float | None) -> str:
    """So many minutes, as exactly as they are known."""
    if minutes is None:
        return "—"
    if minutes < 60:
        return ngettext("%d 分钟", "%d 分钟", round(minutes)) % round(minutes)
    hours = minutes / 60
    return _("%.1f 小时") % hours if hours < 48 else _("%.1f 天") % (hours / 24)


@register.filter
def percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f}%"


@register.filter
def fen(amount: int) -> str:
    """Money as it is read at a glance: whole yuan, in groups."""
    return f"¥{amount // 100:,}"
