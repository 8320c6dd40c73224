"""The order list with its tabs, counts and filters; the search; the counter of one's own trouble."""

import re
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRedirect

from merchants.models import User
from merchants.queries import merchants_for, stores_of
from shipping import lists, searching, services
from shipping.asked import moment, whole
from shipping.freshness import freshness
from shipping.models import Order
from shipping.pauses import stopped_stores
from shipping.queries import orders_for
from shipping.rows import Row, rows_of
from shipping.views import MemberRequest
from wechat.waybills import normalise

PAGE = 50
# How often the search looks again for an order that the worker is reading.
MAX_LOOKS = 10
# What is surely an order id and not a tracking number: WeChat's have 19 digits.
ORDER_ID = re.compile(r"3\d{18}", re.ASCII)

TAB_WORDS = {
    "todo": _("待发货"),
    "partly": _("部分发货"),
    "due": _("快到时限"),
    "held": _("暂不发货"),
    "trouble": _("有问题"),
    "intercept": _("待拦截"),
    "shipped": _("已发货"),
    "all": _("全部"),
}
# Tabs that other pages lead to: shown while one is on them.
LED_TO = {"today": _("24:00 前要发")}
KIND_WORDS = {
    "virtual": _("虚拟"),
    "subsidy": _("国补"),
    "presale": _("预售"),
    "gift": _("礼物"),
    "city": _("同城"),
    "dropship": _("代发"),
    "inspect": _("质检"),
    "notes": _("有备注"),
}


class Tile(NamedTuple):
    """A count that leads to its rows."""

    name: str
    word: object
    colour: str
    icon: str
    tab: str


TILES = (
    Tile("todo", _("待发货"), "orange", "icons/clock.svg", "todo"),
    Tile("trouble", _("有问题的订单"), "red", "icons/alert-circle.svg", "trouble"),
    Tile("unclear", _("结果待核对（包裹）"), "purple", "icons/eye.svg", "trouble"),
    Tile("today", _("今天已发货（包裹）"), "green", "icons/check.svg", "shipped"),
)


@require_GET
def order_list(request: MemberRequest) -> HttpResponse:
    """One page of a tab; tab, store, kind and place in the list stand in the URL."""
    _remember_store(request)
    tab, asked = _asked(request)
    orders = lists.order_page(request.user, tab, asked, PAGE + 1)
    counts = _counts(request, tab, asked)
    context = {
        **counts,
        **_rows(request.user, orders[:PAGE], str(counts["here"])),
        "next": lists.mark_of(orders[PAGE - 1], tab) if len(orders) > PAGE else "",
        "is_empty": not orders and not orders_for(request.user).exists(),
        "merchants": [store.merchant for store in stores_of(request.user).values()],
        "stores_read": freshness(request.user, asked["merchant"]),
        "kinds": KIND_WORDS.items(),
    }
    return render(request, "shipping/order_list.html", context)


@require_GET
def order_counts(request: MemberRequest) -> HttpResponse:
    """The list's poll: tiles and tabs, and what changed in the rows shown."""
    tab, asked = _asked(request)
    context = _counts(request, tab, asked) | {"shown": request.GET.get("shown", ""), "now": timezone.now()}
    if since := moment(request.GET.get("since", "")):
        keys = [key for text in str(context["shown"]).split("-")[:PAGE] if (key := whole(text)) is not None]
        changed = lists.read_since(request.user, keys, since)
        rows = rows_of(changed, stopped_stores(request.user), str(context["here"]))
        context |= {"changed": rows, "is_reading": _is_reading(rows)}
    return render(request, "shipping/_counts_bar.html", context)


def _rows(user: User, orders: list[Order], here: str = "") -> dict[str, object]:
    """The rows of a page, and what its poll has to know to keep them current."""
    rows = rows_of(orders, stopped_stores(user), here)
    shown = "-".join(row["pk"] for row in rows)
    return {"rows": rows, "shown": shown, "now": timezone.now(), "is_reading": _is_reading(rows)}


def _is_reading(rows: list[Row]) -> bool:
    return any(row["is_reading"] for row in rows)


@require_GET
def sync_state(request: MemberRequest) -> HttpResponse:
    """When the orders of each store were read last."""
    _tab, asked = _asked(request)
    context = {"asked": asked, "stores_read": freshness(request.user, asked["merchant"])}
    return render(request, "shipping/_sync_state.html", context)


def _remember_store(request: MemberRequest) -> None:
    """The store picked in the switcher is the next visit's; a poll is no visit and picks nothing."""
    picked = request.GET.get("merchant")
    if picked is not None and picked != request.session.get("merchant"):
        request.session["merchant"] = picked


def _asked(request: MemberRequest) -> tuple[str, dict[str, str]]:
    """The tab and the filters, as the URL says; one that names no store means the one picked last."""
    asked = {name: request.GET.get(name, "") for name in ("kind", "after")}
    asked["merchant"] = request.GET.get("merchant", str(request.session.get("merchant", "")))
    tab = request.GET.get("tab", "")
    return tab if tab in lists.TABS else "todo", asked


def _counts(request: MemberRequest, tab: str, asked: dict[str, str]) -> dict[str, object]:
    counts = lists.tab_counts(request.user, asked)
    words = TAB_WORDS | {name: word for name, word in LED_TO.items() if name == tab}
    tabs = [(name, word, list_query(name, asked), counts.get(name)) for name, word in words.items()]
    tiles = [
        {**tile._asdict(), "count": counts[tile.name], "url": f"?{list_query(tile.tab, asked)}"}
        for tile in TILES
    ]
    return {"tab": tab, "asked": asked, "tabs": tabs, "tiles": tiles, "here": list_query(tab, asked)}


def list_query(tab: str, asked: dict[str, str]) -> str:
    """The query string of a list, whole: two windows may stand at two stores."""
    query = {"tab": tab, "merchant": asked["merchant"]}
    return urlencode(query | ({"kind": asked["kind"]} if asked["kind"] else {}))


@require_GET
def search(request: MemberRequest) -> HttpResponse:
    """Orders by id, tracking number, goods, merchant code or phone; one alone opens at once."""
    typed = request.GET.get("q", "").replace("\x00", "").strip()
    code = normalise(typed)
    found = searching.search(request.user, typed, code, PAGE + 1) if typed else []
    if len(found) == 1:
        return _open(request, searching.order_id_of(request.user, found[0]))
    looks = 0 if found else _looks(request, code)
    context = {
        "q": typed,
        "code": code,
        **_rows(request.user, lists.in_order(request.user, found[:PAGE])),
        "has_more": len(found) > PAGE,
        "is_id": code.isdigit() and len(code) <= 32,
        "reading": looks if looks <= MAX_LOOKS else 0,
        "has_looked": looks > MAX_LOOKS,
    }
    return render(request, "shipping/search.html", context)


def _open(request: MemberRequest, order_id: str) -> HttpResponse:
    page = resolve_url("order_detail", order_id=order_id)
    return HttpResponseClientRedirect(page) if request.headers.get("HX-Request") else redirect(page)


def _looks(request: MemberRequest, code: str) -> int:
    """How often this search has looked; the first look for what reads as an order id asks WeChat."""
    looks = whole(request.GET.get("reading", ""))
    if looks is not None:
        return looks + 1
    if not ORDER_ID.fullmatch(code):
        return 0
    for merchant in merchants_for(request.user):
        services.wake_read(merchant, code)
    return 1


@require_GET
def my_trouble(request: MemberRequest) -> HttpResponse:
    """The header's counter of one's own packages that need hands; a new one announces itself."""
    trouble = lists.trouble_of(request.user, whole(request.GET.get("seen", "")))
    return render(request, "shipping/_my_trouble.html", {"trouble": trouble})
