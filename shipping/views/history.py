"""The managers' history of packages, and the table of all codes."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from merchants.models import Role
from merchants.queries import has_role, merchants_for
from shipping import states
from shipping.lists import history_mark, history_page
from shipping.views import MemberRequest
from wechat.errcodes import CODES

PAGE = 100


@require_GET
def history(request: MemberRequest) -> HttpResponse:
    """Packages of the manager's stores by store, period, status, code and person."""
    if not has_role(request.user, Role.MANAGER):
        raise Http404
    packages = history_page(request.user, request.GET, PAGE + 1)
    context = {
        "packages": packages[:PAGE],
        "next": history_mark(packages[PAGE - 1]) if len(packages) > PAGE else "",
        "merchants": merchants_for(request.user, Role.MANAGER),
        "statuses": states.ALL,
        "asked": request.GET,
        "query": _without_place(request),
    }
    return render(request, "shipping/history.html", context)


def _without_place(request: MemberRequest) -> str:
    """The filters as a query string, without the place in the list."""
    asked = request.GET.copy()
    asked.pop("before", None)
    return asked.urlencode()


@require_GET
def error_list(request: MemberRequest) -> HttpResponse:
    """Every code: the platform's words, what it means, who must act, what to do."""
    query = request.GET.get("q", "").strip()
    codes = [code for code in CODES.values() if _holds(code, query)]
    return render(request, "shipping/error_list.html", {"codes": codes, "query": query})


def _holds(code: object, query: str) -> bool:
    return not query or any(query.lower() in str(value).lower() for value in vars(code).values())
