"""The list of orders to ship, the order's own page, the search."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from merchants.models import Role
from merchants.queries import merchants_for
from shipping import services, states
from shipping.queries import (
    TABS,
    counts_for,
    find_for,
    order_for,
    order_packages,
    order_page,
    order_timeline,
    orders_for,
    packages_for,
    parcels_of,
)
from shipping.views import MemberRequest
from wechat.waybills import normalise

PAGE = 50
# How often the search looks again for an order that the worker is reading.
MAX_LOOKS = 10
# What is surely an order id and not a tracking number: WeChat's have 19 digits.
ORDER_ID = re.compile(r"3\d{18}", re.ASCII)


TAB_WORDS = {
    "todo": lazy("待发货"),
    "partly": lazy("部分发货"),
    "trouble": lazy("有问题"),
    "shipped": lazy("已发货"),
    "all": lazy("全部"),
}


class Tile(NamedTuple):
    """A count that leads to its rows."""

    name: str
    word: object
    colour: str
    icon: str
    tab: str


TILES = (
    Tile("todo", lazy("待发货"), "orange", "icons/clock.svg", "todo"),
    Tile("rejected", lazy("发货失败"), "red", "icons/alert-circle.svg", "trouble"),
    Tile("unclear", lazy("结果待核对"), "purple", "icons/eye.svg", "trouble"),
    Tile("shipped", lazy("今天已发货（包裹）"), "green", "icons/check.svg", "shipped"),
)


@require_GET
def order_list(request: MemberRequest) -> HttpResponse:
    """Orders by deadline; tab, store and place in the list stand in the URL."""
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "todo"
    merchants = list(merchants_for(request.user))
    chosen = _chosen_merchant(request)
    orders = order_page(request.user, tab, chosen, request.GET.get("after", ""), PAGE + 1)
    context = {
        "tab": tab,
        "tabs": TAB_WORDS.items(),
        "tiles": _tiles(request, chosen),
        "merchants": merchants,
        "chosen": chosen,
        "orders": orders[:PAGE],
        "next": _mark(orders[PAGE - 1]) if len(orders) > PAGE else "",
        "is_empty": not orders_for(request.user).exists(),
    }
    return render(request, "shipping/order_list.html", context)


def _tiles(request: MemberRequest, appid: str) -> list[dict[str, object]]:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    counts = counts_for(request.user, appid, today)
    return [{**tile._asdict(), "count": counts[tile.name], "url": f"?tab={tile.tab}"} for tile in TILES]


def _chosen_merchant(request: MemberRequest) -> str:
    """The store picked in the switcher, remembered for the session."""
    if "merchant" in request.GET:
        request.session["merchant"] = request.GET["merchant"]
    return str(request.session.get("merchant", ""))


def _mark(order: object) -> str:
    deadline = getattr(order, "deadline_at", None) or datetime(9999, 1, 1, tzinfo=UTC)
    return f"{deadline.isoformat()}_{getattr(order, 'pk', 0)}"


@require_GET
def order_detail(request: MemberRequest, order_id: str) -> HttpResponse:
    """Everything about one order, shipped or not, for every member."""
    order = order_for(request.user, order_id)
    context = {
        "order": order,
        "packages": order_packages(request.user, order),
        "parcels": parcels_of(order),
        "changes": order_timeline(order),
        "can_settle": merchants_for(request.user, Role.MANAGER).filter(pk=order.merchant_id).exists(),
    }
    return render(request, "shipping/order_detail.html", context)


@require_POST
def order_read(request: MemberRequest, order_id: str) -> HttpResponse:
    """Ask the worker to read an order from WeChat, known or not."""
    known = orders_for(request.user).filter(order_id=order_id).first()
    if known is None and not (order_id.isascii() and order_id.isdigit() and len(order_id) <= 32):
        raise Http404
    for merchant in merchants_for(request.user):
        if known is None or known.merchant_id == merchant.pk:
            services.wake_read(merchant, order_id)
    if known is None:
        return redirect(f"{reverse('search')}?{urlencode({'q': order_id, 'reading': '1'})}")
    messages.info(request, _("正在向微信读取，几秒后刷新页面查看。"))
    return redirect("order_detail", order_id=order_id)


@require_POST
def order_sync(request: MemberRequest) -> HttpResponse:
    """Ask the worker to read the orders of the user's stores."""
    for merchant in merchants_for(request.user):
        services.wake_sync(merchant)
    messages.info(request, _("正在读取订单，几秒后刷新页面查看。"))
    return redirect("order_list")


@require_GET
def search(request: MemberRequest) -> HttpResponse:
    """Find an order by its number or a tracking number among the user's stores."""
    query = normalise(request.GET.get("q", ""))
    order = find_for(request.user, query) if query else None
    if order is not None:
        found = resolve_url("order_detail", order_id=order.order_id)
        return HttpResponseClientRedirect(found) if request.headers.get("HX-Request") else redirect(found)
    looks = _looks(request, query)
    context = {
        "q": query,
        "is_id": query.isdigit() and len(query) <= 32,
        "reading": looks if looks <= MAX_LOOKS else 0,
        "has_looked": looks > MAX_LOOKS,
    }
    return render(request, "shipping/search.html", context)


def _looks(request: MemberRequest, query: str) -> int:
    """How often this search has looked; the first look for what reads as an order id asks WeChat."""
    looks = request.GET.get("reading", "")
    if looks.isdigit():
        return int(looks) + 1
    if not ORDER_ID.fullmatch(query):
        return 0
    for merchant in merchants_for(request.user):
        services.wake_read(merchant, query)
    return 1


@require_GET
def package_status(request: MemberRequest, pk: int) -> HttpResponse:
    """The fragment that follows a package; it stops polling by itself."""
    package = get_object_or_404(packages_for(request.user), pk=pk)
    answer = render(request, "shipping/_package_status.html", {"package": package})
    if package.status in states.MOVING:
        return answer
    return trigger_client_event(answer, "package-settled", after="swap")


@require_POST
def package_settle(request: MemberRequest, pk: int) -> HttpResponse:
    """A manager decides a conflict, with a reason."""
    own = packages_for(request.user).filter(merchant__in=merchants_for(request.user, Role.MANAGER))
    package = get_object_or_404(own, pk=pk)
    target, reason = request.POST.get("target", ""), request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("请写明依据：您在哪里看到了什么。"))
    else:
        _settle(request, package.pk, target, reason)
    return redirect("order_detail", order_id=package.order.order_id)


def _settle(request: MemberRequest, pk: int, target: str, reason: str) -> None:
    package = packages_for(request.user).get(pk=pk)
    try:
        services.settle_conflict(package=package, target=target, user=request.user, reason=reason)
    except states.IllegalMove:
        messages.error(request, _("这个包裹已经有了结果，没有改动。"))


@require_POST
def shipment_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """Withdraw the packages of a shipment that have not left."""
    package = packages_for(request.user).filter(shipment_id=pk).first()
    shipment = get_object_or_404(packages_for(request.user), pk=package.pk if package else 0).shipment
    reached = services.cancel_shipment(shipment=shipment, user=request.user)
    messages.info(request, _("已撤回 %d 个包裹。") % len(reached))
    return redirect("order_detail", order_id=shipment.order.order_id)
