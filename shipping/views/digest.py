"""When the morning's digest goes to a store's people, and what it would say now."""

from typing import NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_time
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from merchants.models import Role
from merchants.queries import has_role, merchants_for
from merchants.telling import Words
from shipping import digests
from shipping.models import DigestTime
from shipping.views import MemberRequest


class Morning(NamedTuple):
    """One store's digest: its hour, where it goes, what it says."""

    time: DigestTime
    channels: list[str]
    words: Words


@require_GET
def digest(request: MemberRequest) -> HttpResponse:
    """The digests of the stores this person manages."""
    if not has_role(request.user, Role.MANAGER):
        raise Http404
    today = timezone.localdate()
    mornings = [
        Morning(time, digests.channels_of(time.merchant), digests.words(time.merchant, today))
        for time in digests.times_of(request.user)
    ]
    return render(request, "shipping/digest.html", {"mornings": mornings})


@require_POST
def digest_set(request: MemberRequest, pk: int) -> HttpResponse:
    """Switch a store's digest on or off, or move it to another hour."""
    store = get_object_or_404(merchants_for(request.user, Role.MANAGER), pk=pk)
    try:
        at = parse_time(request.POST.get("at", ""))
    except ValueError:
        at = None
    if at is None:
        messages.error(request, _("请填一个时间，例如 08:30。"))
    else:
        digests.set_time(store=store, is_on="is_on" in request.POST, at=at)
        messages.info(request, _("已保存。"))
    return redirect("digest")
