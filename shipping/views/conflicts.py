"""What a manager decides: packages that our records and WeChat's disagree on."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from merchants.models import Role
from merchants.queries import has_role, merchants_for
from shipping import services, states
from shipping.conflicts import conflict_count, conflict_mark, conflict_of, conflict_page
from shipping.models import Package
from shipping.queries import packages_for
from shipping.views import MemberRequest

PAGE = 20
VERDICTS = (states.SHIPPED, states.REJECTED, states.CANCELLED)


@require_GET
def conflict_list(request: MemberRequest) -> HttpResponse:
    """The conflicts of the manager's stores, the oldest first, each with both sides and its form."""
    if not has_role(request.user, Role.MANAGER):
        raise Http404
    packages = conflict_page(request.user, request.GET.get("after", ""), PAGE + 1)
    context = {
        "conflicts": [conflict_of(package) for package in packages[:PAGE]],
        "total": conflict_count(request.user),
        "next": conflict_mark(packages[PAGE - 1]) if len(packages) > PAGE else "",
        "back": "list",
    }
    return render(request, "shipping/conflict_list.html", context)


@require_POST
def package_settle(request: MemberRequest, pk: int) -> HttpResponse:
    """A manager decides a conflict, with a reason; what was typed comes back when something is missing."""
    own = packages_for(request.user).filter(merchant__in=merchants_for(request.user, Role.MANAGER))
    package = get_object_or_404(own, pk=pk)
    target, reason = request.POST.get("target", ""), request.POST.get("reason", "").strip()
    if package.status == states.CONFLICT and (target not in VERDICTS or not reason):
        return _again(request, package, target, reason)
    try:
        services.settle_conflict(package=package, target=target, user=request.user, reason=reason)
        messages.info(request, _("已记下您的结论，这个订单可以继续了。"))
    except states.IllegalMove:
        messages.error(request, _("这个包裹已经有了结果，没有改动。"))
    if request.POST.get("back") == "list":
        return redirect("conflict_list")
    return redirect("order_detail", order_id=package.order.order_id)


def _again(request: MemberRequest, package: Package, target: str, reason: str) -> HttpResponse:
    context = {
        "conflicts": [conflict_of(package)],
        "total": conflict_count(request.user),
        "back": request.POST.get("back", ""),
        "target": target,
        "reason": reason,
        "lacks_verdict": target not in VERDICTS,
        "lacks_reason": not reason,
    }
    return render(request, "shipping/conflict_list.html", context)
