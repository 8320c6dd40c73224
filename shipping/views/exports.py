"""Files of the history: asked for, followed while a worker writes them, fetched by the one who asked."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from merchants.models import Role
from merchants.queries import has_role
from shipping.exporting import TooMany, ask_export, content_of, export_for, exports_for
from shipping.models import Export
from shipping.past import CALLS, PACKAGES, asked_of, stores_of
from shipping.views import MemberRequest

TYPES = {
    Export.Kind.CSV: "text/csv; charset=utf-8",
    Export.Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_GET
def export_list(request: MemberRequest) -> HttpResponse:
    """One's own files of the last days."""
    if not has_role(request.user, Role.MANAGER):
        raise Http404
    return render(request, "shipping/export_list.html", {"exports": exports_for(request.user)})


@require_POST
def export_create(request: MemberRequest) -> HttpResponse:
    """Have what the history's filters let through written to a file."""
    kind, asked = request.POST.get("kind", ""), asked_of(request.POST.dict())
    if kind not in Export.Kind.values or not stores_of(request.user, asked):
        raise Http404
    what = CALLS if request.POST.get("show") == CALLS else PACKAGES
    try:
        ask_export(user=request.user, what=what, asked=asked, kind=kind)
    except TooMany:
        messages.error(request, _("没有新建导出：您已有几份正在导出，等它们完成再导出。"))
    return redirect("export_list")


@require_GET
def export_status(request: MemberRequest, pk: int) -> HttpResponse:
    """The row that changes while the file is written."""
    return render(request, "shipping/_export.html", {"export": export_for(request.user, pk)})


@require_GET
def export_file(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The finished file, for who asked for it only."""
    export = export_for(request.user, pk)
    if export.status != Export.Status.DONE:
        raise Http404
    answer = StreamingHttpResponse(content_of(export), content_type=TYPES[Export.Kind(export.kind)])
    name = f"fahuo-{export.what}-{timezone.localtime(export.asked_at):%Y%m%d-%H%M}-{export.pk}.{export.kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
