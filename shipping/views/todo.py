"""What an admin has to do so that stores ship again."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from merchants.models import Role
from merchants.queries import has_role, lines_for
from shipping import services
from shipping.pauses import pause_to_end, standstills_to_end
from shipping.views import MemberRequest

LINES_SHOWN = 50


@require_GET
def todo_list(request: MemberRequest) -> HttpResponse:
    """Each open pause with its reason, what to do about it, and the button that ends it."""
    if not has_role(request.user, Role.ADMIN):
        raise Http404
    lines = lines_for(request.user, LINES_SHOWN + 1)
    shown = {"lines": lines[:LINES_SHOWN], "has_more_lines": len(lines) > LINES_SHOWN}
    return render(request, "shipping/todo_list.html", {"todo": standstills_to_end(request.user), **shown})


@require_POST
def pause_resume(request: MemberRequest, pk: int) -> HttpResponse:
    """The reason is mended: go on. If it is not, the next call pauses the store again."""
    pause = pause_to_end(request.user, pk)
    if services.resume_sending(pause=pause, user=request.user):
        messages.info(request, _("%s 已恢复；没有处理好的话会再次暂停。") % pause.merchant.name)
    return redirect("admin:index" if request.POST.get("back") == reverse("admin:index") else "todo_list")
