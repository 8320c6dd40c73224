"""Words for calls as they were answered, and how long WeChat remembers them."""

from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from shipping.models import Attempt, Export
from shipping.past import CALLS, PACKAGES
from shipping.templatetags.desk import LOOKS, RID
from wechat.errcodes import meaning

register = template.Library()
# WeChat finds a request by its rid for seven days.
RID_LIVES = timedelta(days=7)


class Answer(NamedTuple):
    """What came of a call: a word, its colour, the code, and WeChat's own words where there are any."""

    word: object
    colour: str
    errcode: int | None = None
    text: str = ""


NOT_SENT = Answer(lazy("没有发出"), "secondary")
UNDER_WAY = Answer(lazy("提交中"), "blue")
REGISTERED = Answer(lazy("微信已登记"), "green")


@register.filter
def answer(attempt: Attempt) -> Answer:
    if attempt.errcode is None and not attempt.slug:
        return UNDER_WAY if attempt.ended_at is None else NOT_SENT
    if attempt.errcode == 0:
        return REGISTERED
    code = meaning(attempt.errcode, attempt.slug)
    word = code.text("title", get_language() or "zh-hans")
    colour = "red" if attempt.sent_at else "secondary"
    return Answer(word, colour, attempt.errcode, RID.sub("", attempt.errmsg).strip())


@register.filter
def rid_left(attempt: Attempt) -> str:
    """How long WeChat can still find this request."""
    left = (attempt.sent_at or attempt.started_at) + RID_LIVES - timezone.now()
    if left <= timedelta(0):
        return _("已过期")
    days = -(-left // timedelta(days=1))
    return ngettext("还能查 %d 天", "还能查 %d 天", days) % days


WHAT = {PACKAGES: lazy("包裹"), CALLS: lazy("每次提交")}


@register.filter
def what_of(export: Export) -> object:
    return WHAT[export.what]


@register.filter
def filters_of(export: Export) -> str:
    """What it was narrowed to, in words."""
    asked = {**export.asked}
    if status := asked.get("status"):
        asked["status"] = str(LOOKS[status].word) if status in LOOKS else status
    return " · ".join(f"{FILTER_WORDS[name]} {text}" for name, text in asked.items())


FILTER_WORDS = {
    "q": lazy("搜索"), "merchant": lazy("店铺"), "status": lazy("状态"), "code": lazy("错误码"),
    "courier": lazy("快递公司"), "person": lazy("谁"), "batch": lazy("批次号"), "since": lazy("从"),
    "until": lazy("到"), "purpose": lazy("用途"), "first": lazy("第一次提交"), "took": lazy("付款后（分钟）"),
}  # fmt: skip


@register.filter
def asked_again(export: Export) -> str:
    """The page that shows the same rows."""
    return f"{reverse('history')}?{urlencode({'show': export.what, **export.asked})}"


WAYS = {"corrected": lazy("改正后"), "again": lazy("又提交一次后")}


@register.filter
def way_word(way: str) -> object:
    return WAYS.get(way, "")


@register.filter
def lasted(time: timedelta) -> str:
    minutes = max(1, int(time.total_seconds() // 60))
    if minutes < 120:
        return ngettext("%d 分钟", "%d 分钟", minutes) % minutes
    hours = minutes // 60
    return ngettext("%d 小时", "%d 小时", hours) % hours if hours < 72 else _("%d 天") % (hours // 24)
