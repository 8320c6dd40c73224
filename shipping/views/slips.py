"""Packing slips of chosen orders as one print job."""

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shipping import services
from shipping.slips import AT_ONCE, PAPERS, orders_to_print, slip_of
from shipping.views import MemberRequest


class Job(NamedTuple):
    """What a form or an address asks to be printed, and where its reader came from."""

    order_ids: list[str]
    paper: str
    back: str

    def query(self, paper: str) -> str:
        return urlencode({"paper": paper, "back": self.back, "order": self.order_ids}, doseq=True)


class SeeOther(HttpResponseRedirect):
    """After a POST: the next page is fetched by GET, whatever the browser's age."""

    status_code = 303


@never_cache
@require_http_methods(["GET", "POST"])
def slips(request: MemberRequest) -> HttpResponse:
    """POST notes the printing and leads to GET, so that a reload prints again and notes nothing."""
    is_post = request.method == "POST"
    job = _asked(request.POST if is_post else request.GET)
    if refusal := _refusal(job):
        messages.error(request, refusal)
        return redirect(job.back)
    return _note(request, job) if is_post else _page(request, job)


def _asked(data: QueryDict) -> Job:
    back = data.get("back", "")
    is_ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    order_ids = list(dict.fromkeys(data.getlist("order")))
    return Job(order_ids, data.get("paper", ""), back if is_ours else reverse("order_list"))


def _refusal(job: Job) -> str:
    """Why this cannot be printed, in a sentence; empty when it can."""
    if not job.order_ids:
        return _("请先勾选要打印的订单。")
    if len(job.order_ids) > AT_ONCE:
        numbers = {"most": AT_ONCE, "count": len(job.order_ids)}
        return _("一次最多打印 %(most)d 个订单，您选了 %(count)d 个；没有打印，请分几次。") % numbers
    return "" if job.paper in PAPERS else _("没有这种纸张，请重新选择。")


def _note(request: MemberRequest, job: Job) -> HttpResponse:
    orders = orders_to_print(request.user, job.order_ids)
    services.note_printing(orders=orders, user=request.user, paper=job.paper)
    return SeeOther(f"{reverse('slip_list')}?{job.query(job.paper)}")


def _page(request: MemberRequest, job: Job) -> HttpResponse:
    """The slips; the paper is remembered, so that the next print job begins with it."""
    request.session["paper"] = job.paper
    context = {
        "slips": [slip_of(order) for order in orders_to_print(request.user, job.order_ids)],
        "paper": job.paper,
        "papers": [(name, word, job.query(name)) for name, word in PAPERS.items()],
        "stylesheet": f"css/slips-{job.paper}.css",
        "back": job.back,
    }
    return render(request, "shipping/slips.html", context)
