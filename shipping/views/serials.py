"""The ledger of devices: where a serial number went, and giving one free that came back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from merchants.models import Role
from merchants.queries import merchants_for
from shipping.serials import release_by_hand, serial_for, serials_for
from shipping.views import MemberRequest

LISTED = 50


@require_GET
def serial_list(request: MemberRequest) -> HttpResponse:
    """The numbers packed last, or every use of one number, in the user's stores."""
    number = request.GET.get("number", "")
    context = {
        "number": number,
        "uses": serials_for(request.user, number)[:LISTED],
        "managed": set(merchants_for(request.user, Role.MANAGER).values_list("pk", flat=True)),
    }
    return render(request, "shipping/serial_list.html", context)


@require_POST
def serial_release(request: MemberRequest, pk: int) -> HttpResponse:
    """A manager has the device in hand again and says why it may be packed once more."""
    use = serial_for(request.user, pk)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("没有释放：请写明原因，例如退货已收到。"))
    elif release_by_hand(use=use, user=request.user, reason=reason):
        messages.info(request, _("%s 已释放，可以再用。") % use.number)
    else:
        messages.info(request, _("%s 早已释放。") % use.number)
    return redirect(f"{reverse('serial_list')}?{urlencode({'number': use.number})}")
