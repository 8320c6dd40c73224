"""The managers' board: today's race, what went wrong, what needs a person, and the figures of some days."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from merchants.models import Merchant, Role
from merchants.queries import has_role, merchants_for
from shipping import board as reads
from shipping import figures, states
from shipping.figures import Read
from shipping.views import MemberRequest

from .boardcharts import Span, charts

DAY = timedelta(days=1)
PERIODS: dict[str, tuple[object, Callable[[date], tuple[date, date]]]] = {
    "today": (_("今天"), lambda today: (today, today)),
    "yesterday": (_("昨天"), lambda today: (today - DAY, today - DAY)),
    "7d": (_("7 天"), lambda today: (today - 6 * DAY, today)),
    "30d": (_("30 天"), lambda today: (today - 29 * DAY, today)),
}


@require_GET
def board(request: MemberRequest) -> HttpResponse:
    """The whole board of the stores this person manages; opening it is the visit that "since" goes by."""
    stores = _stores(request)
    if not request.headers.get("HX-Request"):
        reads.note_visit(request.user)
    return render(request, "shipping/board.html", _now(request, stores) | _figures(request, stores))


@require_GET
def board_now(request: MemberRequest) -> HttpResponse:
    """The board's poll: what is of this minute."""
    return render(request, "shipping/_board_now.html", _now(request, _stores(request)))


def _stores(request: MemberRequest) -> list[Merchant]:
    if not has_role(request.user, Role.MANAGER):
        raise Http404
    return reads.stores_of(request.user, request.GET.get("merchant", ""))


def _now(request: MemberRequest, stores: list[Merchant]) -> dict[str, object]:
    appid, now = request.GET.get("merchant", ""), timezone.localtime()
    meanwhile = reads.meanwhile(request.user, stores)
    hour_ago = f"{now - reads.HOUR:%Y-%m-%dT%H:%M:%S}"
    return {
        "races": reads.races(stores),
        "meanwhile": meanwhile,
        "wrong": _wrong(meanwhile, appid),
        "needed": reads.needed(stores, request.user),
        "data_from": reads.data_from(request.user, appid),
        "now": now,
        "today_query": urlencode({"purpose": "send", "status": states.SHIPPED, "since": f"{now:%Y-%m-%d}"}),
        "hour_query": urlencode({"purpose": "send", "status": states.SHIPPED, "since": hour_ago}),
        "appid": appid,
    }


class Wrong(NamedTuple):
    """So many packages that ended so, and where they are."""

    status: str
    number: int
    url: str


def _wrong(meanwhile: reads.Meanwhile, appid: str) -> list[Wrong]:
    since = f"{timezone.localtime(meanwhile.since):%Y-%m-%dT%H:%M:%S}"
    store = {"merchant": appid} if appid else {}
    return [
        Wrong(status, count, f"{reverse('history')}?{urlencode({**store, 'status': status, 'since': since})}")
        for status in states.TROUBLE
        if (count := meanwhile.packages[status])
    ]


def _figures(request: MemberRequest, stores: list[Merchant]) -> dict[str, object]:
    appid, asked = request.GET.get("merchant", ""), request.GET.get("period", "")
    period = asked if asked in PERIODS else "today"
    span = Span(*PERIODS[period][1](timezone.localdate()), appid)
    read = figures.read([store.pk for store in stores], span.first, span.last)
    return {
        "period": period,
        "periods": [
            (name, word, urlencode({"period": name, "merchant": appid}))
            for name, (word, _days) in PERIODS.items()
        ],
        "merchants": merchants_for(request.user, Role.MANAGER),
        "charts": charts(request.user, span, read),
        "tiles": _tiles(span, read),
        "is_whole": read.is_whole,
        "span": span,
    }


def _tiles(span: Span, read: Read) -> dict[str, object]:
    """The sums above the charts, and where each leads."""
    right, wrong, took = read.sum(figures.RIGHT), read.sum(figures.WRONG), read.of(figures.TOOK)
    return {
        "shipped": read.sum(figures.SHIPPED),
        "shipped_url": span.url(status=states.SHIPPED),
        "refused": read.sum(figures.REFUSED),
        "refused_url": span.url(status=states.REJECTED),
        "right": right,
        "tried": right + wrong,
        "right_share": right / (right + wrong) if right + wrong else None,
        "wrong_url": span.url(status=states.REJECTED, first="1"),
        "median": figures.percentile(took, 0.5),
        "p90": figures.percentile(took, 0.9),
    }
