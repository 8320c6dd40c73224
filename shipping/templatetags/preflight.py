"""What stands in an order's way, in words: badges of a row, sentences of its page; both from the rules."""

from collections.abc import Collection
from typing import NamedTuple

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as lazy

from shipping.drafts import Problem
from shipping.lists import TO_SHIP
from shipping.models import Order
from shipping.preflight import hurdles
from wechat.errcodes import Code, meaning, problem_text

register = template.Library()

# What kind an order is: it stands in nobody's way.
KINDS = (
    ("is_entered", lazy("人工录入"), "yellow"),
    ("quality_inspect_type", lazy("质检"), "azure"),
    ("is_subsidy", lazy("国补"), "pink"),
    ("is_presale", lazy("预售"), "azure"),
    ("is_present", lazy("礼物"), "azure"),
    ("is_intra_city", lazy("同城"), "azure"),
    ("is_dropship", lazy("代发"), "azure"),
    ("is_virtual", lazy("虚拟"), "azure"),
)


class Badge(NamedTuple):
    """A word beside an order, and what it means in a sentence."""

    word: object
    colour: str
    says: str = ""


class Hurdle(NamedTuple):
    """A problem of the rules with its row of the code table."""

    code: Code
    text: str
    stops: bool


# A buyer waits for an answer: the order's page has a bar of its own for it, with the buttons.
ASKED = (10020115, 10020276)


@register.filter
def in_the_way(problems: list[Problem], is_answered_here: object = False) -> list[Hurdle]:
    """What stops first, then what only warns."""
    found = [_hurdle(p) for p in problems if not (is_answered_here and p.errcode in ASKED)]
    return sorted(found, key=lambda hurdle: not hurdle.stops)


@register.filter
def is_asked(hurdle: Hurdle) -> bool:
    """Whether a buyer waits for an answer."""
    return hurdle.code.errcode in ASKED


def _hurdle(problem: Problem) -> Hurdle:
    code = meaning(problem.errcode, problem.slug)
    return Hurdle(code, problem_text(code, problem.params, _language()), problem.stops)


@register.filter
def flags(order: Order, paused: Collection[int] = ()) -> list[Badge]:
    """What would stop the order, an urge, and what kind it is; `paused`: the stores that stand still."""
    ahead = (_hurdle(problem) for problem in hurdles(order, paused or ()))
    stopping = [
        Badge(word, "red" if hurdle.stops else "orange", hurdle.text)
        for hurdle in ahead
        if (word := hurdle.code.text("flag", _language()))
    ]
    if order.urged_at and order.status in TO_SHIP:
        stopping.append(Badge(lazy("买家催发货"), "orange"))
    return stopping + [Badge(word, colour) for name, word, colour in KINDS if getattr(order, name)]


def has_hurdle(badges: list[Badge]) -> bool:
    """Whether one of them is more than the kind of the order."""
    return any(badge.says for badge in badges)


def _language() -> str:
    return get_language() or "zh-hans"
