"""Chosen orders on one page: checked together, and queued only when no rule stops any of them."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shipping.chosen import ASK_FROM, Chosen, open_chosen, read_chosen
from shipping.queries import couriers_for_user
from shipping.slips import AT_ONCE
from shipping.views import MemberRequest
from shipping.views.slips import SeeOther


@never_cache
@require_http_methods(["GET", "POST"])
def orders_ship(request: MemberRequest) -> HttpResponse:
    """GET shows the orders; POST from the list leads there, POST from the page fills, checks, queues."""
    data = request.POST if request.method == "POST" else request.GET
    order_ids, back = list(dict.fromkeys(data.getlist("order"))), _back(data)
    if request.method == "POST" and "form_key" in data:
        return _submit(request, back)
    if refusal := _refusal(order_ids):
        messages.error(request, refusal)
        return redirect(back)
    orders = open_chosen(request.user, order_ids)
    if request.method == "POST":
        query = urlencode({"back": back, "order": order_ids}, doseq=True)
        return SeeOther(f"{reverse('orders_ship')}?{query}")
    return _page(request, orders, back)


def _back(data: QueryDict) -> str:
    back = data.get("back", "")
    is_ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if is_ours else reverse("order_list")


def _refusal(order_ids: list[str]) -> str:
    if not order_ids:
        return _("请先勾选要发货的订单。")
    if len(order_ids) > AT_ONCE:
        numbers = {"most": AT_ONCE, "count": len(order_ids)}
        return _("一次最多发 %(most)d 个订单，您选了 %(count)d 个；请分几次。") % numbers
    return ""


def _submit(request: MemberRequest, back: str) -> HttpResponse:
    chosen = read_chosen(request.user, request.POST)
    was_pasted = bool(chosen.pasted.strip())
    chosen.fill()
    if was_pasted or "fill" in request.POST:
        return _page(request, chosen, back, is_filled=True)
    if not chosen.picked:
        messages.error(request, _("请先勾选要发货的订单。"))
        return _page(request, chosen, back)
    chosen.check()
    if chosen.is_stopped or (chosen.needs_yes and "confirm" not in request.POST):
        return _page(request, chosen, back, needs_yes=not chosen.is_stopped)
    return _queue(request, chosen, back)


def _queue(request: MemberRequest, chosen: Chosen, back: str) -> HttpResponse:
    gone = chosen.queue()
    if gone:
        said = ngettext("%d 个订单已保存，系统正在逐单提交。", "%d 个订单已保存，系统正在逐单提交。", gone)
        messages.info(request, said % gone)
    return _page(request, chosen, back) if chosen.is_stopped else redirect(back)


def _page(
    request: MemberRequest, chosen: Chosen, back: str, *, needs_yes: bool = False, is_filled: bool = False
) -> HttpResponse:
    context = {
        "chosen": chosen,
        "couriers": couriers_for_user(request.user),
        "back": back,
        "needs_yes": needs_yes,
        "is_filled": is_filled,
        "is_many": len(chosen.picked) > ASK_FROM,
        "wrong": [line for line in chosen.picked if line.is_stopped],
    }
    return render(request, "shipping/chosen.html", context)
