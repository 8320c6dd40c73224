"""The managers' history of packages and calls."""

from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from merchants.models import Role
from merchants.queries import has_role, merchants_for
from shipping import states
from shipping.batches.reads import batch_page
from shipping.models import Export
from shipping.past import (
    CALLS,
    PACKAGES,
    asked_of,
    call_page,
    couriers_used,
    mark_of,
    package_page,
    people_of,
)
from shipping.views import MemberRequest
from wechat.errcodes import CODES

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
