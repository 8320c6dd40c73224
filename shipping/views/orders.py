"""The order's own page and what a person can do there."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from merchants.models import Role
from merchants.queries import merchants_for
from shipping import services, states
from shipping.queries import (
    order_for,
    order_packages,
    order_timeline,
    orders_for,
    packages_for,
    parcels_of,
    printings_of,
)
from shipping.views import MemberRequest


@require_GET
def order_detail(request: MemberRequest, order_id: str) -> HttpResponse:
    """Everything about one order, shipped or not, for every member."""
    order = order_for(request.user, order_id)
    context = {
        "order": order,
        "packages": order_packages(request.user, order),
        "parcels": parcels_of(order),
        "changes": order_timeline(order),
        "printings": printings_of(order),
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
