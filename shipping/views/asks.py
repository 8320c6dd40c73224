"""What is asked of WeChat about an order: answer an address or sku change, write the merchant's note."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from shipping.asking import LONGEST_NOTE, ask, asked_of
from shipping.models import Order, OrderErrand
from shipping.queries import order_for
from shipping.views import MemberRequest

NOTES = OrderErrand.Kind.NOTES


@require_GET
def order_asks(request: MemberRequest, order_id: str) -> HttpResponse:
    """The part of the order's page that follows what was asked."""
    order = order_for(request.user, order_id)
    asked = asked_of(order)
    answer = render(request, "shipping/_asks.html", {"order": order, "asked": asked})
    if asked.errand is None or asked.errand.is_open:
        return answer
    return trigger_client_event(answer, "package-settled", after="swap")


@require_POST
def order_ask(request: MemberRequest, order_id: str) -> HttpResponse:
    """Save what is asked; a worker calls WeChat."""
    order, kind = order_for(request.user, order_id), request.POST.get("kind", "")
    if kind not in OrderErrand.Kind.values:
        raise Http404
    notes = request.POST.get("notes", "").strip().replace("\r\n", "\n")
    if kind == NOTES and len(notes) > LONGEST_NOTE:
        too_long = _("商家备注最多 %(most)d 个字，现在有 %(now)d 个，请删短一些。")
        messages.error(request, too_long % {"most": LONGEST_NOTE, "now": len(notes)})
        request.session[f"note-{order.pk}"] = notes
    elif not _is_asked(order, kind):
        messages.info(request, _("这个申请已经不在了，没有提交。"))
    elif ask(order=order, kind=kind, user=request.user, notes=notes if kind == NOTES else "") is None:
        messages.error(request, _("上一件事还在等微信的答复，等它有了结果再点。"))
        if kind == NOTES:
            request.session[f"note-{order.pk}"] = notes
    return redirect("order_detail", order_id=order_id)


def _is_asked(order: Order, kind: str) -> bool:
    """Whether the order, as last read, still waits for such an answer."""
    if kind.startswith("address"):
        return order.address_under_review
    return order.sku_change_waiting if kind.startswith("sku") else True
