"""What a person asked of WeChat, followed until it has ended; the way back from the authorisation page."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET

from merchants import credentials
from merchants.models import Errand
from merchants.queries import errand_for
from merchants.views import MemberRequest

DONE = {
    Errand.Kind.FORCE: lazy("已换新。旧的 access_token 已经作废，等待的包裹会自动用新的提交。"),
    Errand.Kind.LINK: lazy("授权链接已生成，十分钟内有效。请店主打开并扫码。"),
    Errand.Kind.QUERY_AUTH: lazy("已授权，权限集 131（订单与发货）已包含，可以发货了。"),
    Errand.Kind.START_PUSH: lazy("微信已开始推送 ticket，十分钟内会收到第一个。"),
}


@require_GET
def errand(request: MemberRequest, pk: int) -> HttpResponse:
    """What a person asked of WeChat, followed until it has ended."""
    return _errand(request, pk, "merchants/errand.html")


@require_GET
def errand_status(request: MemberRequest, pk: int) -> HttpResponse:
    """The part of the page that changes."""
    return _errand(request, pk, "merchants/_errand.html")


def _errand(request: MemberRequest, pk: int, template: str) -> HttpResponse:
    found = errand_for(request.user, pk)
    if found is None:
        raise Http404
    return render(request, template, {"errand": found, "done_words": DONE[Errand.Kind(found.kind)]})


@require_GET
def authorized(request: MemberRequest, state: str) -> HttpResponse:
    """Where the authorisation page sends back to: the code goes to a worker, and out of the address bar."""
    merchant = credentials.merchant_of_state(state, request.user)
    code = request.GET.get("auth_code", "")
    if merchant is None or not code:
        raise Http404
    taken = credentials.take_code(merchant=merchant, code=code, by=request.user)
    return redirect("errand", taken.pk)
