"""The one page that shows a receiver in clear: on a click, with a reason, once, kept by nobody."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from shipping.queries import order_for
from shipping.views import MemberRequest
from wechat.errcodes import meaning


@sensitive_variables("receiver")
@never_cache
@require_http_methods(["GET", "POST"])
def order_receiver(request: MemberRequest, order_id: str) -> HttpResponse:
    """POST decodes and shows; GET only asks why, so that no reload and no link does it by itself."""
    order = order_for(request.user, order_id)
    why = request.POST.get("why", "").strip()
    context: dict[str, Any] = {"order": order, "why": why}
    if request.method == "GET":
        return render(request, "shipping/receiver.html", context)
    if not why:
        return render(
            request, "shipping/receiver.html", context | {"missing": _("请写明为什么要看，例如：打印面单。")}
        )
    # Only here: every other page runs without the client being loaded at all.
    from shipping.receiver import reveal

    receiver, view = reveal(order=order, user=request.user, why=why)
    code = None if receiver else meaning(view.errcode, view.slug)
    return render(request, "shipping/receiver.html", context | {"receiver": receiver, "code": code})
