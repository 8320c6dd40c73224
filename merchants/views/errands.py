"""What a person asked of WeChat, followed until it has ended; the way back from the authorisation page."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_POST

from merchants import credentials
from merchants.models import Errand, Merchant, Role
from merchants.queries import errand_for, merchants_for, open_pauses
from merchants.views import MemberRequest

DONE = {
    Errand.Kind.FORCE: lazy("已换新。旧的 access_token 已经作废，等待的包裹会自动用新的提交。"),
    Errand.Kind.LINK: lazy("授权链接已生成，十分钟内有效。请店主打开并扫码。"),
    Errand.Kind.QUERY_AUTH: lazy("已授权，权限集 131（订单与发货）已包含，可以发货了。"),
    Errand.Kind.START_PUSH: lazy("微信已开始推送 ticket，十分钟内会收到第一个。"),
    Errand.Kind.TEST: lazy("线路通：微信收下了请求，给出了数据。"),
    Errand.Kind.QUOTA: lazy("微信现在这样数："),
    Errand.Kind.TELL: lazy("已送到。群里或信箱里应该看得到这条测试消息。"),
    Errand.Kind.CLEAR_QUOTA: lazy("今天的用量清空了，等次数的包裹接着发。微信现在这样数："),
}
# What failed, for a line that was tried.
STEPS = {
    "token": lazy("取店铺的 access_token"),
    "platform": lazy("取第三方平台的 component_access_token（由超级管理员在「第三方平台」里处理）"),
    "call": lazy("用 access_token 读快递公司名单"),
}
ABOUT_LINE = (Errand.Kind.TEST, Errand.Kind.QUOTA, Errand.Kind.CLEAR_QUOTA)


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
    return render(request, template, _shown(found))


def _shown(found: Errand) -> dict[str, object]:
    is_line = found.kind in ABOUT_LINE and found.merchant is not None
    return {
        "errand": found,
        "done_words": DONE[Errand.Kind(found.kind)],
        "is_about_line": is_line,
        "step": STEPS.get(found.facts.get("step", "")),
        "is_paused": is_line and open_pauses().filter(merchant=found.merchant_id).exists(),
    }


@require_POST
def line_test(request: MemberRequest, pk: int) -> HttpResponse:
    """Have the store's line tried; the page that opens explains the answer."""
    return redirect("errand", credentials.ask_test(merchant=_own(request, pk), by=request.user).pk)


@require_POST
def line_quota(request: MemberRequest, pk: int) -> HttpResponse:
    """Have the store's used and left calls read."""
    return redirect("errand", credentials.ask_quota(merchant=_own(request, pk), by=request.user).pk)


@require_POST
def line_clear_quota(request: MemberRequest, pk: int) -> HttpResponse:
    """Have the store's count of the day set back to 0."""
    asked = credentials.ask_clear_quota(merchant=_own(request, pk), by=request.user)
    return redirect("errand", asked.pk)


def _own(request: MemberRequest, pk: int) -> Merchant:
    return get_object_or_404(merchants_for(request.user, Role.ADMIN), pk=pk)


@require_GET
def authorized(request: MemberRequest, state: str) -> HttpResponse:
    """Where the authorisation page sends back to: the code goes to a worker, and out of the address bar."""
    merchant = credentials.merchant_of_state(state, request.user)
    code = request.GET.get("auth_code", "")
    if merchant is None or not code:
        raise Http404
    taken = credentials.take_code(merchant=merchant, code=code, by=request.user)
    return redirect("errand", taken.pk)
