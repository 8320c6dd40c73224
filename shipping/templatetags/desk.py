"""Words for codes and states, from data: templates have no chains of if."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from django import template
from django.utils import timezone
from django.utils.translation import get_language, ngettext, pgettext_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from shipping import states
from shipping.drafts import CORRECTION
from shipping.labels import noted_by
from shipping.lists import AT_MOST, TO_SHIP
from shipping.models import Order, OrderLine, Package, PackageItem, Parcel
from shipping.queries import address_of, can_ship, event_kind, is_held, pieces_left
from wechat.errcodes import Code, meaning, problem_text

register = template.Library()


RID = re.compile(r"\s*rid: ?[0-9A-Za-z-]+")


class Look(NamedTuple):
    """How a state is shown: its word, its colour, what to do with the parcel in one's hands."""

    word: object
    colour: str
    hint: object = ""


LOOKS = {
    states.DRAFT: Look(lazy("草稿"), "secondary"),
    states.QUEUED: Look(lazy("待提交"), "azure", lazy("已保存，系统会自动提交，不用等在这里。")),
    states.SENDING: Look(lazy("提交中"), "blue"),
    states.SHIPPED: Look(lazy("已发货"), "green"),
    states.REJECTED: Look(lazy("发货失败"), "red", lazy("包裹先别交给快递，按下面的说明处理。")),
    states.UNKNOWN: Look(
        lazy("结果待核对"), "purple", lazy("把包裹放在一边，不要再次提交；系统正在向微信核对。")
    ),
    states.CONFLICT: Look(
        lazy("需人工确认"), "orange", lazy("记录对不上，请主管看两边的记录后决定；包裹先放在一边。")
    ),
    states.CANCELLED: Look(lazy("已取消"), "secondary"),
}
FIXERS = {
    "staff": lazy("员工"),
    "manager": lazy("主管"),
    "admin": lazy("管理员"),
    "buyer": lazy("买家"),
    "platform": lazy("微信"),
    "developer": lazy("开发者"),
}
ORDER_STATUS = {
    10: lazy("待付款"), 12: lazy("礼物待收下"), 13: lazy("拼团中"), 20: lazy("待发货"),
    21: lazy("部分发货"), 30: lazy("已发货"), 100: lazy("已完成"), 190: lazy("已取消"),
    200: lazy("已退款"), 250: lazy("已取消"),
}  # fmt: skip


EVENTS = {
    "placed": Look(lazy("买家下单"), "secondary"),
    "paid": Look(lazy("买家付款"), "secondary"),
    "arrived": Look(lazy("第一次读到"), "secondary"),
    "entered": Look(lazy("人工录入"), "secondary"),
    "answered": Look(lazy("微信的回答"), "cyan"),
    "hold": Look(lazy("暂不发货"), "yellow"),
    "release": Look(pgettext_lazy("order", "恢复发货"), "azure"),
    "receiver": Look(lazy("查看收件人"), "secondary"),
    "asked": Look(lazy("微信已接受"), "azure"),
    "not_asked": Look(lazy("没有成功"), "orange"),
    "print": Look(lazy("打印配货单"), "secondary"),
    "pushed": Look(lazy("微信通知"), "cyan"),
    "intercept": Look(lazy("勾掉待拦截"), "orange"),
    "archived": Look(lazy("提交记录已归档"), "secondary"),
}


# What a status is called where it is not goods that leave: "<kind> <status>", as the timeline has it.
AFTER = {
    "correction queued": Look(lazy("更正待提交"), "azure", lazy("已保存，系统会自动提交，不用等在这里。")),
    "correction sending": Look(lazy("更正提交中"), "blue"),
    "correction shipped": Look(lazy("已更正"), "green"),
    "correction rejected": Look(
        lazy("更正没有成功"), "red", lazy("微信上还是原来的单号，按下面的说明处理。")
    ),
    "correction unknown": Look(
        lazy("更正待核对"), "purple", lazy("改没改成还不知道，先不要再改；系统正在向微信核对。")
    ),
    "correction cancelled": Look(lazy("更正已取消"), "secondary"),
    "compensation queued": Look(lazy("补发待提交"), "azure", lazy("已保存，系统会自动提交，不用等在这里。")),
    "compensation sending": Look(lazy("补发提交中"), "blue"),
    "compensation shipped": Look(lazy("已补发"), "green"),
    "compensation rejected": Look(lazy("补发没有成功"), "red", lazy("包裹先别交给快递，按下面的说明处理。")),
}


@register.filter
def look(status: str) -> Look:
    """A status of a package, of any kind, or another event of an order's timeline."""
    known = LOOKS.get(status) or AFTER.get(status) or EVENTS.get(status)
    return known or LOOKS[status.partition(" ")[2]]


@register.filter
def look_of(package: Package) -> Look:
    return look(event_kind(package.kind, package.status))


@register.filter
def order_status(status: int | None) -> object:
    return _("未读取") if status is None else ORDER_STATUS.get(status, _("未知状态 %d") % status)


@register.filter
def code_of(package: Package) -> Code | None:
    """The table's row for what went wrong, None when nothing did."""
    if package.errcode is None and not package.slug:
        return None
    return meaning(package.errcode, package.slug)


@register.filter
def told(package: Package) -> str:
    """What WeChat's answer says beyond the table's words; its request id stands in the details."""
    code, words = code_of(package), RID.sub("", package.errmsg).strip()
    return "" if code and words == code.zh else words


@register.filter
def what_changed(package: Package) -> str:
    """The question about a label whose address is no longer the order's, with both, masked."""
    noted, order = noted_by(package.shipment), package.order
    if package.slug != "address_changed" or noted is None:
        return ""
    at = {"at": f"{timezone.localtime(order.alarm_at):%H:%M}"} if order.alarm_at else {}
    words = {"old": noted.address, "new": address_of(order), **at}
    return problem_text(meaning(None, package.slug), words, get_language() or "zh-hans")


@register.filter
def say(code: Code, part: str) -> str:
    return code.text(part, get_language() or "zh-hans")


@register.filter
def fixer(code: Code) -> object:
    return FIXERS[code.fixed_by]


@register.filter
def time_left(deadline: datetime | None) -> str:
    if deadline is None:
        return "—"
    minutes = int((deadline - timezone.now()).total_seconds() // 60)
    if minutes < 0:
        return _("已超时")
    if minutes < 120:
        return ngettext("剩 %d 分钟", "剩 %d 分钟", minutes) % minutes
    hours = minutes // 60
    return _("剩 %d 小时") % hours if hours < 72 else _("剩 %d 天") % (hours // 24)


@register.filter
def is_late(deadline: datetime | None) -> str:
    """The colour of a deadline: red when it has passed, orange within twelve hours."""
    if deadline is None:
        return ""
    hours = (deadline - timezone.now()).total_seconds() / 3600
    return "text-red" if hours < 0 else "text-orange" if hours < 12 else ""


@register.filter
def yuan(fen: int | None) -> str:
    return "" if fen is None else f"¥{fen / 100:.2f}"


@register.filter
def many(count: int) -> str:
    """A count that stops somewhere: 1,000+."""
    return f"{AT_MOST:,}+" if count > AT_MOST else f"{count:,}"


@register.filter
def courier_name(row: Package | Parcel) -> str:
    """The courier's name from the merchant's list, its code where the list has none."""
    return str(getattr(row, "courier", "") or row.delivery_id)


@register.filter
def parcel_goods(parcel: Parcel, titles: dict[tuple[str, str], str]) -> list[tuple[str, int]]:
    """What a parcel of the platform's holds, in words."""
    return [(titles.get((product, sku), sku), count) for product, sku, count in parcel.items]


@register.filter
def undo_until(package: Package) -> int:
    """Seconds until a package that was just queued leaves; 0 when it may be on its way."""
    due = package.shipment.due_at
    if package.status != states.QUEUED or due is None or package.attempt_id:
        return 0
    return max(0, round((due - timezone.now()).total_seconds()))


@register.filter
def is_moving(package: Package) -> bool:
    return package.status in states.MOVING


class Action(NamedTuple):
    """The button of a row: its word, where it leads, how it looks."""

    word: object
    url_name: str
    style: str


SHIP = Action(lazy("发货"), "order_ship", "btn-primary")
HANDLE = Action(lazy("处理"), "order_detail", "btn-danger")
LOOK_AT = Action(lazy("查看"), "order_detail", "")
NEEDS_HANDS = {states.REJECTED, states.CONFLICT}
BUSY = {states.QUEUED, *states.OPEN}


def _queued(package: Package) -> str:
    due, tries = package.shipment.due_at, package.shipment.tries
    if due is None or due <= timezone.now():
        return _("会，马上自动再试。")
    moment = f"{timezone.localtime(due):%m-%d %H:%M:%S}"
    return _("会，已试 %(tries)d 次，%(moment)s 自动再试。") % {"tries": tries, "moment": moment}


RETRIES: dict[str, Callable[[Package], str]] = {
    states.QUEUED: _queued,
    states.UNKNOWN: lambda package: _("先核对，确认微信没有登记才会重发，不会重复发货。"),
    states.CONFLICT: lambda package: _("不会，等主管裁定。"),
}


@register.filter
def retries(package: Package) -> str:
    """Whether and when the desk tries again by itself."""
    say_when = RETRIES.get(package.status)
    return say_when(package) if say_when else _("不会自动再试。")


def pills(order: Order) -> list[Package]:
    """The packages that say how an order stands: no drafts, nothing withdrawn, nothing already corrected."""
    over = (states.DRAFT, states.CANCELLED)
    packages = [p for p in order.all_packages if p.status not in over and not _is_put_right(p)]
    return [p for p in packages if p.status != states.REJECTED or not p.is_corrected]


def _is_put_right(package: Package) -> bool:
    """A number that was corrected is no news: its parcel says that it has left."""
    return package.kind == CORRECTION and package.status == states.SHIPPED


@register.filter
def action(order: Order) -> Action:
    """What a row asks for now."""
    return action_of(order, pills(order))


def action_of(order: Order, packages: Iterable[Package]) -> Action:
    """`packages`: the order's pills."""
    found = {package.status for package in packages}
    if found & NEEDS_HANDS:
        return HANDLE
    return SHIP if can_ship(order) and not found & BUSY else LOOK_AT


@register.filter
def left_now(order: Order) -> int:
    """Pieces that nobody has shipped or is shipping."""
    return pieces_left(order)


def waits_for(order: Order) -> str:
    """Why an order of this kind cannot leave yet, in its own words."""
    if hold := next((h for h in order.all_holds if is_held(order) and h.released_at is None), None):
        return _("暂不发货：%s") % hold.reason
    kinds = (word for name, word in KIND_REASONS if getattr(order, name))
    return str(WAITS.get(order.status or 0, "") or (next(kinds, "") if order.status in TO_SHIP else ""))


WAITS = {12: lazy("等收礼的人领取后才能发"), 13: lazy("等拼团成团后才能发")}
KIND_REASONS = (
    ("is_dropship", lazy("已交给供货商代发，自己发之前先问一声")),
    ("is_intra_city", lazy("同城配送的订单，自寄快递前先核对")),
    ("is_presale", lazy("预售，按它自己的时限发")),
)


@register.filter
def in_order(lines: Iterable[OrderLine]) -> list[OrderLine]:
    """Gift lines under the line they come with."""
    bought = [line for line in lines if not line.is_free_gift]
    gifts = [line for line in lines if line.is_free_gift]
    placed = [[line, *(g for g in gifts if g.gift_of and g.gift_of == line.product_id)] for line in bought]
    flat = list(dict.fromkeys(line for group in placed for line in group))
    return flat + [gift for gift in gifts if gift not in flat]


@register.simple_tag
def titles(order: Order) -> dict[tuple[str, str], str]:
    """What goods are called, by product and sku."""
    return {
        (line.product_id, line.sku_id): f"{line.title} {line.sku_attrs}".strip() for line in order.lines.all()
    }


@register.filter
def named(titles: dict[tuple[str, str], str], item: PackageItem) -> str:
    return titles.get((item.product_id, item.sku_id), item.sku_id)


RECHARGE = {
    "account_no": lazy("充值账号"),
    "account_type": lazy("账号类型"),
    "wx_openid": "OpenID",
}


ACCOUNTS = {
    "weixin": lazy("微信"),
    "qq": "QQ",
    "phone_number": lazy("手机号"),
    "mail": lazy("邮箱"),
}


@register.filter
def recharge_value(value: str, key: str) -> object:
    """As people say it; a kind of account that nobody has met yet as it came."""
    return ACCOUNTS.get(value, value) if key == "account_type" else value


@register.filter
def of_line(numbers: dict[tuple[str, str], int], line: OrderLine) -> int | None:
    """What is known of a line's goods, None for nothing."""
    return numbers.get((line.product_id, line.sku_id))


@register.filter
def recharge_word(key: str) -> object:
    return RECHARGE.get(key, key)
