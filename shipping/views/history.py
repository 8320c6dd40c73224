"""The managers' history of packages and calls, and the table of all codes."""

from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from merchants.models import Role
from merchants.queries import has_role, merchants_for
from shipping import states
from shipping.asked import whole
from shipping.batches.reads import batch_page
from shipping.cases import cases_for, tally
from shipping.models import Attempt, Export
from shipping.past import (
    CALLS,
    PACKAGES,
    asked_of,
    call_page,
    calls_for,
    couriers_used,
    mark_of,
    package_page,
    people_of,
)
from shipping.pauses import CALLS as CALLS_MADE
from shipping.support import cleaned, request_shown, version
from shipping.templatetags.history import rid_left
from shipping.views import MemberRequest
from wechat.errcodes import CODES, meaning

PAGE = 100
SHOWS = {PACKAGES: _("包裹"), CALLS: _("每次提交")}
BATCHES_NAMED = 20


@require_GET
def history(request: MemberRequest) -> HttpResponse:
    """Packages or calls of the manager's stores by store, period, status, code, courier, person, batch."""
    if not has_role(request.user, Role.MANAGER):
        raise Http404
    show = CALLS if request.GET.get("show") == CALLS else PACKAGES
    asked, before = asked_of(request.GET.dict()), request.GET.get("before", "")
    page = call_page if show == CALLS else package_page
    rows = page(request.user, asked, before, PAGE + 1)
    query = {"show": show, **asked}
    context = {
        "show": show,
        "rows": rows[:PAGE],
        "next": urlencode(query | {"before": mark_of(rows[PAGE - 1])}) if len(rows) > PAGE else "",
        "tabs": [(name, word, urlencode(query | {"show": name})) for name, word in SHOWS.items()],
        "asked": asked,
        "kinds": Export.Kind,
        **_choices(request),
    }
    return render(request, "shipping/history.html", context)


def _choices(request: MemberRequest) -> dict[str, object]:
    """What the filters offer."""
    return {
        "merchants": merchants_for(request.user, Role.MANAGER),
        "statuses": [status for status in states.ALL if status != states.DRAFT],
        "couriers": couriers_used(request.user),
        "people": people_of(request.user),
        "batches": batch_page(request.user, None, BATCHES_NAMED),
        "codes": CODES.values(),
    }


@require_GET
def error_list(request: MemberRequest) -> HttpResponse:
    """Every code: the platform's words, what it means, who must act, what to do."""
    query = request.GET.get("q", "").strip()
    codes = [code for code in CODES.values() if _holds(code, query)]
    return render(request, "shipping/error_list.html", {"codes": codes, "query": query})


@require_GET
def error_detail(request: MemberRequest, errcode: str) -> HttpResponse:
    """One code: what it means, who mends it how, and how it ended in one's own stores before."""
    number = whole(errcode.removeprefix("-"))
    if number is None:
        raise Http404
    code = meaning(-number if errcode.startswith("-") else number)
    cases = cases_for(request.user, int(code.errcode or 0))
    managed = has_role(request.user, Role.MANAGER)
    context = {"code": code, "cases": cases, "tally": tally(cases).most_common(), "is_manager": managed}
    return render(request, "shipping/error_detail.html", context)


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
    lines = (
        (gettext("接口"), CALLS_MADE[attempt.shipment.kind]),
        ("appid", attempt.merchant.appid),
        (gettext("订单"), attempt.order.order_id),
        (gettext("时间"), f"{timezone.localtime(attempt.sent_at):%Y-%m-%d %H:%M:%S %z}"),
        (gettext("用时（毫秒）"), "—" if attempt.elapsed_ms is None else str(attempt.elapsed_ms)),
        ("rid", rid),
        (gettext("微信的回答"), cleaned(said, attempt)),
        (gettext("版本"), version()),
        (gettext("请求"), "\n" + (request_shown(attempt) or gettext("已按隐私规定删除"))),
    )
    return "\n".join(f"{name}{gettext('：')}{text}" for name, text in lines)


def _holds(code: object, query: str) -> bool:
    return not query or any(query.lower() in str(value).lower() for value in vars(code).values())
