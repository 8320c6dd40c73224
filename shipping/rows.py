"""The rows of the order list: what each shows, put in words once, so that the template only prints.

All of it is text, or a list of such, in the language of the reader: a template that looks up, translates and
formats by itself takes ten times as long for a page of fifty orders.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TypedDict
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.http import RFC3986_SUBDELIMS
from django.utils.translation import get_language, gettext

from shipping import states
from shipping.models import Order, OrderLine, Package, Printing
from shipping.templatetags.desk import (
    action_of,
    code_of,
    in_order,
    is_late,
    look_of,
    order_status,
    pills,
    time_left,
    waits_for,
    yuan,
)
from shipping.templatetags.preflight import Badge, flags, has_hurdle

# So many goods are named; of more only the number.
NAMED = 3


class Line(TypedDict):
    """Goods of an order, so many pieces of them."""

    title: str
    attrs: str
    count: str
    image: str
    is_gift: bool


class Pill(TypedDict):
    """How a package stands; `reason`: why it was refused, else ""."""

    word: str
    colour: str
    reason: str


class Row(TypedDict):
    """One order; "" for what it has none of."""

    pk: str
    order_id: str
    url: str
    choose: str
    printed: str
    badges: list[Badge]
    is_reading: bool
    reread: str
    reread_url: str
    lines: list[Line]
    goods: int
    store: str
    price: str
    late: str
    left: str
    status: str
    waits: str
    pills: list[Pill]
    act: str
    act_style: str
    act_url: str


def rows_of(orders: Iterable[Order], paused: Collection[int], here: str = "") -> list[Row]:
    """No query where `lists.in_order` loaded the orders.

    `paused`: the stores that stand still; `here`: the query string of the list that a form leads back to.
    """
    words = _Words(here)
    return [_row(order, paused, words) for order in orders]


class _Words:
    """What is the same for every row of a page."""

    def __init__(self, here: str) -> None:
        self.choose = gettext("选择订单 %(order_id)s")
        self.reread = gettext("现在再读一次 %(order_id)s")
        self.urls = {name: _urls(name) for name in ("order_detail", "order_ship", "order_read")}
        self.back = f"?from={quote(here, safe='')}" if here else ""
        self.language = get_language() or "zh-hans"


def _urls(name: str) -> Callable[[str], str]:
    """`reverse` for one order after another: the way is looked for once."""
    before, _, after = reverse(name, args=["~"]).rpartition("~")
    return lambda order_id: f"{before}{quote(order_id, safe=RFC3986_SUBDELIMS + '/~:@')}{after}"


def _row(order: Order, paused: Collection[int], words: _Words) -> Row:
    order_id, badges, packages = order.order_id, flags(order, paused), pills(order)
    reading, act = getattr(order, "reading", None), action_of(order, packages)
    is_reading = bool(reading and reading.due_at)
    may_reread = not is_reading and has_hurdle(badges)
    return {
        "pk": str(order.pk),
        "order_id": order_id,
        "url": words.urls["order_detail"](order_id),
        "choose": words.choose % {"order_id": order_id},
        "printed": _printed(order.all_printings),
        "badges": badges,
        "is_reading": is_reading,
        "reread": words.reread % {"order_id": order_id} if may_reread else "",
        "reread_url": words.urls["order_read"](order_id) if may_reread else "",
        "lines": [_line(line) for line in in_order(order.all_lines)[:NAMED]],
        "goods": len(order.all_lines),
        "store": order.merchant.name,
        "price": yuan(order.order_price),
        "late": is_late(order.deadline_at),
        "left": time_left(order.deadline_at),
        "status": str(order_status(order.status)),
        "waits": waits_for(order),
        "pills": [_pill(package, words.language) for package in packages],
        "act": str(act.word),
        "act_style": act.style,
        "act_url": words.urls[act.url_name](order_id) + words.back * (act.url_name == "order_ship"),
    }


def _printed(printings: list[Printing]) -> str:
    """When and by whom the packing slip was printed last."""
    return f"{timezone.localtime(printings[0].at):%m-%d %H:%M} · {printings[0].by}" if printings else ""


def _line(line: OrderLine) -> Line:
    return {
        "title": line.title,
        "attrs": line.sku_attrs,
        "count": str(line.sku_cnt),
        "image": line.thumb_img,
        "is_gift": line.is_free_gift,
    }


def _pill(package: Package, language: str) -> Pill:
    look, code = look_of(package), code_of(package) if package.status == states.REJECTED else None
    return {
        "word": str(look.word),
        "colour": look.colour,
        "reason": code.text("title", language) if code else "",
    }
