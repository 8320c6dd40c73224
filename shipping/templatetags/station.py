"""Words of the scan station: for every answer of the machine a short sentence, read out, and a longer one."""

from typing import NamedTuple

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from shipping.barcodes import code128_image
from shipping.forms import Finding, in_words
from shipping.models import SerialUse
from shipping.scanning import COMMANDS, State, Step, Told, badge_code, command_code, courier_code, step_of
from shipping.serials import REFUNDED

register = template.Library()


class Saying(NamedTuple):
    """`title` is large and read out; `detail` names the codes."""

    title: object
    detail: object = ""


SAYINGS: dict[str, Saying] = {
    "begin": Saying(lazy("扫配货单")),
    "begin_out": Saying(lazy("扫面单"), lazy("扫到哪个面单，就发哪个包裹。")),
    "opened": Saying(lazy("共 %(n)s 件，扫面单")),
    "counted": Saying(lazy("第 %(n)s 件，共 %(left)s 件"), "%(title)s"),
    "count_more": Saying(lazy("还差 %(n)s 件"), lazy("接着扫商品；只发扫过的就扫「下一个包裹」。")),
    "scan_serial": Saying(lazy("扫序列号"), lazy("这个包裹要有 SN。有 IMEI 的先扫 IMEI，最后扫 SN。")),
    "imei_taken": Saying(lazy("IMEI 已记下"), lazy("接着扫 SN。")),
    "courier_set": Saying(lazy("快递公司：%(courier)s")),
    "saved": Saying(lazy("已保存"), lazy("%(order_id)s 用单号 %(waybill)s，系统正在提交。扫下一张配货单。")),
    "saved_out": Saying(
        lazy("已保存"), lazy("%(order_id)s 用单号 %(waybill)s，系统正在提交。扫下一张面单。")
    ),
    "saved_more": Saying(
        lazy("已保存，还剩 %(n)s 件"), lazy("单号 %(waybill)s。接着扫下一个包裹的商品，再扫它的面单。")
    ),
    "already_saved": Saying(lazy("已经保存过"), lazy("%(order_id)s 用单号 %(waybill)s，没有再存一次。")),
    "again": Saying(lazy("这个扫过了"), lazy("没有变化，请接着扫下一步。")),
    "undone": Saying(lazy("退回了一步")),
    "put_down": Saying(lazy("已放下，没有保存"), lazy("%(order_id)s 还在待发货里。")),
    "withdrawn": Saying(
        lazy("已撤回，没有发出"), lazy("%(order_id)s 的单号 %(waybill)s 已撤回，可以重新扫。")
    ),
    "packer": Saying(lazy("打包人：%(who)s")),
    # --- look up
    "unreadable": Saying(lazy("没有读清"), lazy("请再扫一次，或者手工输入。")),
    "order_unknown": Saying(
        lazy("没有这个订单"), lazy("%(code)s 不是您店铺的订单，或者还没有读取到；可以在上面搜索它。")
    ),
    "not_in_batch": Saying(lazy("不在这批文件里"), lazy("%(code)s 没有对应的订单，包裹先放一边。")),
    "row_stopped": Saying(lazy("先不要发"), lazy("文件里的订单 %(order_id)s 有问题，请在文件的页面处理：")),
    "slip_first": Saying(lazy("请先扫配货单"), lazy("%(code)s 不是订单号。")),
    "order_stops": Saying(lazy("先不要发"), lazy("订单 %(order_id)s：")),
    "packer_foreign": Saying(lazy("打包人不是这家店的"), lazy("请这家店的成员扫工牌。")),
    "virtual": Saying(lazy("虚拟订单"), lazy("不用快递，请在订单页发货。")),
    "nothing_left": Saying(lazy("没有要发的了"), lazy("这个订单的商品都已经发出或正在提交。")),
    "too_many": Saying(lazy("多了一件"), lazy("%(title)s 只要 %(n)s 件，请拿出来。")),
    "not_a_number": Saying(lazy("不是快递单号"), lazy("%(code)s 里有快递单号没有的字符，请扫面单上的条码。")),
    "not_of_order": Saying(lazy("不是这个订单的"), lazy("%(code)s 不在这个订单里，请拿出来。")),
    "looks_like_order": Saying(
        lazy("像订单号，不像面单"), lazy("%(code)s 真的是快递单号才扫「确认」；否则扫面单。")
    ),
    "looks_like_goods": Saying(
        lazy("像商品条码"), lazy("%(code)s 不在这个订单里。确实要用它才扫「确认」；否则扫对的那个。")
    ),
    "looks_like_imei": Saying(
        lazy("像 IMEI，不像面单"), lazy("%(code)s 真的是快递单号才扫「确认」；否则先扫面单。")
    ),
    "looks_like_label": Saying(
        lazy("像快递单号，不像序列号"), lazy("%(code)s 真的是序列号才扫「确认」；否则扫机器上的 SN。")
    ),
    "imei_check": Saying(
        lazy("IMEI 校验不对"), lazy("%(code)s 的最后一位对不上。真的是 SN 才扫「确认」；否则再扫一次。")
    ),
    "imeis_full": Saying(lazy("两个 IMEI 都有了"), lazy("接着扫 SN。")),
    "other_slip": Saying(
        lazy("这是另一个订单"), lazy("手上的订单还没保存。要换成 %(code)s 就扫「确认」；不换就接着扫。")
    ),
    "ask_problems": Saying(lazy("请核对"), lazy("没有问题就扫「确认」，不发就扫「跳过」。")),
    "ask_short": Saying(lazy("还差 %(n)s 件"), lazy("只发扫过的就扫「确认」；否则接着扫商品。")),
    "stops": Saying(lazy("不能保存"), ""),
    "command_unknown": Saying(lazy("没有这个命令"), lazy("请用最新打印的命令条码。")),
    "badge_unknown": Saying(lazy("不认识这个工牌"), lazy("工牌的主人要是这里店铺的成员。")),
    "nothing_open": Saying(lazy("手上没有订单"), lazy("请先扫配货单。")),
    "nothing_asked": Saying(lazy("没有要确认的"), lazy("请接着扫下一步。")),
    "label_first": Saying(lazy("请先扫面单")),
    "count_first": Saying(lazy("请先扫商品"), lazy("把这个包裹里的商品扫一遍。")),
    "courier_first": Saying(lazy("请选快递公司"), lazy("扫快递公司的命令条码。")),
    "courier_unknown": Saying(lazy("没有这家快递"), lazy("%(code)s 不在这家店的快递公司列表里。")),
    "too_late": Saying(lazy("撤不回了"), lazy("单号 %(waybill)s 已经提交给微信，请到订单页处理。")),
}
STEPS: dict[str, object] = {
    "slip": lazy("扫配货单"),
    "label": lazy("扫面单"),
    "count": lazy("扫商品"),
    "courier": lazy("扫快递公司"),
    "serial": lazy("扫序列号"),
}
COMMAND_WORDS = {
    "done": Saying(lazy("完成"), lazy("保存手上的包裹")),
    "next": Saying(lazy("下一个包裹"), lazy("保存扫过的商品，订单剩下的装另一个包裹")),
    "yes": Saying(lazy("确认"), lazy("看清楚以后，对屏幕上的提问说是")),
    "undo": Saying(lazy("退一步"), lazy("取消上一次扫描；刚保存的包裹撤回")),
    "skip": Saying(lazy("跳过"), lazy("放下手上的订单，不保存")),
}


class Shown(NamedTuple):
    """An answer as the page shows it and the loudspeaker reads it."""

    tone: str
    title: str
    detail: str
    findings: list[Finding]

    @property
    def spoken(self) -> str:
        """Short: the first reason says more than the title."""
        return self.findings[0].text if self.tone == "bad" and self.findings else self.title


@register.filter
def shown(told: Told | None) -> Shown:
    """The large words of the last answer; a station that heard nothing yet is idle."""
    if told is None:
        return Shown("idle", str(STEPS["slip"]), "", [])
    saying = SAYINGS[told.slug]
    title, detail = (str(part) % told.params if part else "" for part in saying)
    return Shown(told.tone, title, detail, [in_words(problem) for problem in told.problems])


@register.filter
def step_word(state: State) -> object:
    """What is to be scanned next."""
    step: Step = step_of(state)
    return STEPS["label" if step == "slip" and state.batch else step]


@register.filter
def released_why(use: SerialUse) -> object:
    """Why a number was given free without anybody's doing."""
    return _("退款或退货") if use.reason == REFUNDED else _("包裹没有发出")


class Code(NamedTuple):
    """A printed barcode: what it does, what it carries."""

    word: object
    hint: object
    text: str

    @property
    def image(self) -> str:
        return code128_image(self.text)


@register.simple_tag
def command_codes() -> list[Code]:
    return [Code(*COMMAND_WORDS[name], command_code(name)) for name in COMMANDS]


@register.simple_tag
def courier_codes(couriers: dict[str, str]) -> list[Code]:
    return [Code(name, code, courier_code(code)) for code, name in couriers.items()]


@register.filter
def badge(code: str) -> str:
    """What a badge's barcode says."""
    return badge_code(code)
