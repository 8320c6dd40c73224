"""The order's own page and what a person can do there."""

from datetime import datetime
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from merchants.models import Role
from merchants.queries import merchants_for
from shipping import lists, services, states
from shipping.around import open_holds
from shipping.asked import moment
from shipping.asking import asked_of
from shipping.conflicts import conflict_of
from shipping.drafts import CORRECTION, Pair
from shipping.forms import in_words
from shipping.labels import looked_at, noted_of
from shipping.models import Order, Package
from shipping.preflight import outlook, paused_stores
from shipping.queries import (
    must_intercept,
    order_facts,
    order_for,
    order_packages,
    orders_for,
    package_for,
    packages_for,
    parcels_of,
    printings_of,
)
from shipping.templatetags.desk import courier_name
from shipping.timeline import order_events
from shipping.views import MemberRequest
from wechat.waybills import normalise


@require_GET
def order_detail(request: MemberRequest, order_id: str) -> HttpResponse:
    """Everything about one order, shipped or not, for every member."""
    return _detail(request, order_for(request.user, order_id))


def _detail(request: MemberRequest, order: Order, typed: QueryDict | None = None) -> HttpResponse:
    """`typed`: a hold that was refused, as it was typed."""
    packages = order_packages(request.user, order)
    context = {
        "order": order,
        **preflight_of(request, order),
        "asked_here": True,
        "typed": typed,
        "packages": packages,
        "conflicts": [conflict_of(p) for p in packages if p.status == states.CONFLICT],
        "parcels": parcels_of(order),
        "events": order_events(order),
        "hold": open_holds(order).first(),
        "to_ship": lists.TO_SHIP,
        "must_intercept": must_intercept(order),
        "reply": reply_to_buyer(order, packages),
        "printings": printings_of(order),
        "asked": asked_of(order),
        "typed_note": request.session.pop(f"note-{order.pk}", ""),
        "left": _left_of_each(order) if packages or order.all_parcels else {},
        "can_settle": merchants_for(request.user, Role.MANAGER).filter(pk=order.merchant_id).exists(),
    }
    return render(request, "shipping/order_detail.html", context)


def _left_of_each(order: Order) -> dict[Pair, int]:
    """Pieces still to ship, while some of the order have left or are on their way and some have not."""
    goods = order_facts(order).goods
    is_split = any(each.taken for each in goods) and any(each.left for each in goods)
    return {each.pair: each.left for each in goods} if is_split else {}


class Registered(NamedTuple):
    """A parcel that WeChat has registered, whoever sent it there."""

    number: str
    courier: str
    at: datetime | None


def _registered(order: Order, packages: list[Package]) -> list[Registered]:
    """What WeChat shows, and what it has just accepted of ours and no read shows yet."""
    shown = [Registered(p.waybill_id, courier_name(p), p.delivered_at) for p in parcels_of(order)]
    numbers = {normalise(parcel.number) for parcel in shown}
    done = [p for p in packages if p.status == states.SHIPPED]
    # A number put right takes the place of the old one, before a read shows it too.
    put_right = {normalise(p.old_waybill_id): p for p in done if p.kind == CORRECTION}
    shown = [_as_corrected(parcel, put_right) for parcel in shown]
    numbers |= {normalise(parcel.number) for parcel in shown} | {*put_right}
    ours = (p for p in done if p.kind != CORRECTION and normalise(p.waybill_id) not in numbers)
    accepted = [Registered(p.waybill_id, courier_name(p), p.status_at) for p in ours]
    return [parcel for parcel in (*shown, *accepted) if parcel.number]


def _as_corrected(parcel: Registered, put_right: dict[str, Package]) -> Registered:
    new = put_right.get(normalise(parcel.number))
    return Registered(new.waybill_id, courier_name(new), parcel.at) if new else parcel


@translation.override("zh-hans")
def reply_to_buyer(order: Order, packages: list[Package]) -> str:
    """A sentence for the buyer, who reads Chinese: what was registered, never what we do not know."""
    parcels = _registered(order, packages)
    if not parcels:
        return ""
    first = min((parcel.at for parcel in parcels if parcel.at), default=None)
    words = {
        "n": len(parcels),
        "at": f"{timezone.localtime(first):%m-%d %H:%M}" if first else "",
        "parcels": _("；").join(f"{parcel.courier} {parcel.number}" for parcel in parcels),
    }
    if first:
        return _("您好，您的订单共 %(n)d 个包裹，已于 %(at)s 登记发货：%(parcels)s。") % words
    return _("您好，您的订单共 %(n)d 个包裹，已登记发货：%(parcels)s。") % words


@require_POST
def order_read(request: MemberRequest, order_id: str) -> HttpResponse:
    """Ask the worker to read an order from WeChat, known or not."""
    known = orders_for(request.user).filter(order_id=order_id).first()
    if known is None and not (order_id.isascii() and order_id.isdigit() and len(order_id) <= 32):
        raise Http404
    if known is None:
        for merchant in merchants_for(request.user):
            services.wake_read(merchant, order_id)
        return redirect(f"{reverse('search')}?{urlencode({'q': order_id, 'reading': '1'})}")
    services.ask_reading(order=known, by=request.user)
    if request.headers.get("HX-Request"):
        return render(request, "shipping/_preflight.html", preflight_of(request, known))
    back = request.POST.get("back", "")
    if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("order_detail", order_id=order_id)


@require_GET
def order_preflight(request: MemberRequest, order_id: str) -> HttpResponse:
    """What stands in the order's way, and how its reading goes; 204 while nothing has changed."""
    context = preflight_of(request, order_for(request.user, order_id))
    if context["outlook"].mark == request.GET.get("seen"):
        return HttpResponse(status=204)
    answer = render(request, "shipping/_preflight.html", context)
    return trigger_client_event(answer, "order-changed", after="swap")


def preflight_of(request: MemberRequest, order: Order) -> dict[str, Any]:
    """`asked_here`: whether the page has a bar of its own for what the buyer asks."""
    asked = {"asked_here": "asked" in request.GET}
    return {"order": order, "outlook": outlook(order), "paused": paused_stores([order]), **asked}


@require_POST
def order_sync(request: MemberRequest) -> HttpResponse:
    """Ask the worker to read the orders of the user's stores."""
    for merchant in merchants_for(request.user):
        services.wake_sync(merchant)
    messages.info(request, _("正在读取订单，几秒后刷新页面查看。"))
    return redirect("order_list")


@require_GET
def package_status(request: MemberRequest, pk: int) -> HttpResponse:
    """The fragment that follows a package; it stops polling by itself."""
    package = package_for(request.user, pk)
    answer = render(request, "shipping/_package_status.html", {"package": package})
    if package.status in states.MOVING:
        return answer
    return trigger_client_event(answer, "package-settled", after="swap")


@require_POST
def shipment_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """Withdraw the packages of a shipment that have not left."""
    package = packages_for(request.user).filter(shipment_id=pk).first()
    shipment = package_for(request.user, package.pk if package else 0).shipment
    try:
        reached = services.cancel_shipment(shipment=shipment, user=request.user)
        none = _("没有可以撤回的包裹：已经提交，或者已经撤回了。")
        count = len(reached)
        done = ngettext("已撤回 %d 个包裹。", "已撤回 %d 个包裹。", count)
        messages.info(request, done % count if reached else none)
    except states.IllegalMove:
        messages.error(request, _("已经在提交了，撤不回来；结果会显示在这里。"))
    return redirect("order_detail", order_id=shipment.order.order_id)


@require_POST
def package_confirm(request: MemberRequest, pk: int) -> HttpResponse:
    """A person compared the label with the order as it is now: ship the package as it was."""
    package = package_for(request.user, pk)
    if request.GET.get("seen") not in (None, looked_at(noted_of(package.order))):
        messages.error(request, _("订单刚刚又变了，请对照现在的地址和商品再核对一次。"))
        return redirect("order_detail", order_id=package.order.order_id)
    try:
        shipment = services.confirm_change(package=package, user=request.user)
        saved = _("已保存；结果显示在下面，不用等在这里。")
        again = _("这个包裹已经确认过，又撤回了，没有再次提交；要发货，请打开发货页。")
        messages.info(request, again if services.withdrawn_of([shipment]) else saved)
    except services.Refused as refused:
        messages.error(request, " ".join(in_words(problem).text for problem in refused.problems))
    return redirect("order_detail", order_id=package.order.order_id)


@require_POST
def order_hold(request: MemberRequest, order_id: str) -> HttpResponse:
    """Keep an order from leaving, with a reason and, if wanted, until a time."""
    order = order_for(request.user, order_id)
    reason = request.POST.get("reason", "").strip()
    typed = request.POST.get("until", "").strip()
    until = moment(typed)
    if not reason:
        messages.error(request, _("请写明为什么暂不发货，同事才知道该等什么。"))
    elif typed and (until is None or until <= timezone.now()):
        messages.error(request, _("“到什么时候”要填以后的日期和时间，例如 2026-12-01 09:00；不限时就留空。"))
    else:
        services.hold_order(order=order, user=request.user, reason=reason, until=until)
        messages.info(request, _("已设为暂不发货，没有发出的包裹退回了草稿。"))
        return redirect("order_detail", order_id=order_id)
    return _detail(request, order, request.POST)


@require_POST
def order_release(request: MemberRequest, order_id: str) -> HttpResponse:
    """End the hold of an order."""
    order = order_for(request.user, order_id)
    services.release_order(order=order, user=request.user)
    messages.info(request, _("可以发货了。"))
    return redirect("order_detail", order_id=order_id)


@require_POST
def order_intercepted(request: MemberRequest, order_id: str) -> HttpResponse:
    """Tick off an order whose parcel was found after it had changed."""
    order = order_for(request.user, order_id)
    services.tick_intercept(order=order, user=request.user)
    messages.info(request, _("已勾掉，这个订单不再列在待拦截里。"))
    return redirect(f"{reverse('order_list')}?tab=intercept")
