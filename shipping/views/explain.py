"""What went wrong and who mends it: all codes, one code, a call for help, a report for support."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from merchants.models import Role
from merchants.queries import has_role, people_with
from shipping import states
from shipping.asked import whole
from shipping.cases import cases_for, tally
from shipping.models import Attempt, Package
from shipping.past import calls_for
from shipping.queries import package_for
from shipping.support import call_path, cleaned, request_shown, version
from shipping.templatetags.desk import code_of, look_of, say
from shipping.templatetags.history import rid_left
from shipping.templatetags.remedies import helper_role
from shipping.views import MemberRequest
from shipping.wording import written_codes
from wechat.errcodes import CODES, Code, meaning

SEARCHED = ("title", "means", "do")


@require_GET
def error_list(request: MemberRequest) -> HttpResponse:
    """Every code: the platform's words, what it means, who must act, what to do; own words included."""
    query = request.GET.get("q", "").strip()
    codes = [code for code in (*CODES.values(), *written_codes()) if _holds(code, query)]
    return render(request, "shipping/error_list.html", {"codes": codes, "query": query})


def _holds(code: Code, query: str) -> bool:
    shown = (code.text(part, language) for part in SEARCHED for language in ("zh", "en"))
    return not query or any(query.lower() in text.lower() for text in (str(code.errcode), code.zh, *shown))


@require_GET
def error_detail(request: MemberRequest, errcode: str) -> HttpResponse:
    """One code: what it means, who mends it how, and how it ended in one's own stores before."""
    number = whole(errcode.removeprefix("-"))
    if number is None:
        raise Http404
    code = meaning(-number if errcode.startswith("-") else number)
    cases = cases_for(request.user, int(code.errcode or 0))
    context = {
        "code": code,
        "cases": cases,
        "open_cases": [case for case in cases if case.package.status in (states.REJECTED, states.CONFLICT)],
        "tally": tally(cases).most_common(),
        "is_manager": has_role(request.user, Role.MANAGER),
        "may_write": request.user.has_perm("shipping.change_codetext"),
    }
    return render(request, "shipping/error_detail.html", context)


@require_GET
def package_call(request: MemberRequest, pk: int) -> HttpResponse:
    """A message to the colleague who can do what a package waits for: whom, and what to say."""
    package = package_for(request.user, pk)
    role = helper_role(package)
    context = {
        "package": package,
        "code": code_of(package),
        "role": Role(role).label,
        "people": people_with(package.merchant, role),
        "message": _message(request, package),
    }
    return render(request, "shipping/package_call.html", context)


def _message(request: MemberRequest, package: Package) -> str:
    code, order = code_of(package), package.order
    number = f" {code.errcode}" if code and code.errcode is not None else ""
    lines = (
        (_("店铺"), package.merchant.name),
        (_("订单"), order.order_id),
        (_("快递单号"), package.waybill_id or _("无需物流")),
        (_("状态"), str(look_of(package).word)),
        (_("发生了什么"), f"{say(code, 'title')}{number}" if code else ""),
        (_("要做的事"), say(code, "do") if code else ""),
        (_("打开"), request.build_absolute_uri(reverse("order_detail", args=[order.order_id]))),
    )
    return "\n".join(f"{name}{_('：')}{text}" for name, text in lines if text)


@require_GET
def attempt_report(request: MemberRequest, pk: int) -> HttpResponse:
    """What WeChat's support needs to know of one call, safe to send on."""
    attempt = get_object_or_404(calls_for(request.user, Role.STAFF), pk=pk, sent_at__isnull=False)
    context = {"attempt": attempt, "report": _report(attempt)}
    return render(request, "shipping/attempt_report.html", context)


@translation.override("zh-hans")
def _report(attempt: Attempt) -> str:
    """For WeChat's people, who read Chinese."""
    rid = f"{attempt.rid} · {rid_left(attempt)}" if attempt.rid else "—"
    said = gettext("没有收到回答") if attempt.errcode is None else f"{attempt.errcode} {attempt.errmsg}"
    code = meaning(attempt.errcode, attempt.slug)
    title = "" if attempt.errcode == 0 else code.shipped_text("title", get_language() or "zh-hans")
    lines = (
        (gettext("接口"), call_path(attempt)),
        ("appid", attempt.merchant.appid),
        (gettext("订单"), attempt.order.order_id),
        (gettext("时间"), f"{timezone.localtime(attempt.sent_at):%Y-%m-%d %H:%M:%S %z}"),
        (gettext("用时（毫秒）"), "—" if attempt.elapsed_ms is None else str(attempt.elapsed_ms)),
        ("rid", rid),
        (gettext("微信的回答"), cleaned(said, attempt)),
        *([(gettext("本系统的理解"), title)] if title else []),
        (gettext("版本"), version()),
        (gettext("请求"), "\n" + (request_shown(attempt) or gettext("已按隐私规定删除"))),
    )
    return "\n".join(f"{name}{gettext('：')}{text}" for name, text in lines)
