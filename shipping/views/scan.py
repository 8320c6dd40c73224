"""The scan station: one field, one POST for each scan; printed commands and badges."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from merchants.models import User
from merchants.queries import badges_for
from shipping import scanout, states, station
from shipping.asked import whole
from shipping.models import ScanSession
from shipping.queries import couriers_for_user
from shipping.views import MemberRequest

LONGEST = 300


@never_cache
@require_http_methods(["GET", "POST"])
def scan(request: MemberRequest) -> HttpResponse:
    """GET shows the station as it stands; POST works off one scan, once for each key."""
    session = _session(request)
    if request.method == "GET":
        batches = scanout.batches_to_scan(request.user)
        return render(request, "shipping/scan.html", _context(session) | {"batches": batches})
    key = request.POST.get("key", "")[:40] or uuid.uuid4().hex
    session = station.scan(session=session, text=_scanned(request), key=key)
    if request.headers.get("HX-Request"):
        return render(request, "shipping/_scan_answer.html", _context(session))
    return redirect("scan")


def _scanned(request: MemberRequest) -> str:
    """A button sends its command beside the field."""
    return next(filter(None, reversed(request.POST.getlist("code"))), "")[:LONGEST]


def _session(request: MemberRequest) -> ScanSession:
    """The station of this browser; several may work with one login."""
    if name := request.GET.get("station"):
        request.session["station"] = name[:20]
    return station.session_of(request.user, str(request.session.get("station", "1")))


def _context(session: ScanSession) -> dict[str, Any]:
    state = station.state_of(session)
    return {
        "session": session,
        "state": state,
        "saved": station.saved_goods(session),
        **_left(session.user, state.batch),
        "told": station.told_of(session),
        "hand": station.in_hand(session),
        "is_paused": station.is_paused(session),
        "key": uuid.uuid4().hex,
        **_recent(session),
    }


def _left(user: User, batch: int) -> dict[str, Any]:
    """Scanning out: what of the file nobody has scanned."""
    if not batch:
        return {}
    rows = scanout.rows_left(user, batch)
    return {"left": rows[: scanout.LISTED], "left_count": rows.count()}


def _recent(session: ScanSession) -> dict[str, Any]:
    """Polled as long as one of them is on its way."""
    recent = station.recent_packages(session)
    return {"recent": recent, "is_moving": any(package.status in states.MOVING for package in recent)}


@never_cache
@require_GET
def scan_recent(request: MemberRequest) -> HttpResponse:
    """What became of the packages saved last."""
    return render(request, "shipping/_scan_recent.html", _recent(_session(request)))


@require_POST
def scan_setup(request: MemberRequest) -> HttpResponse:
    """How this station works: its name, whether every piece is scanned, which file is scanned out."""
    if name := request.POST.get("station", "").strip()[:20]:
        request.session["station"] = name
    session = _session(request)
    batch = scanout.batch_to_scan(request.user, whole(request.POST.get("batch", "")) or 0)
    must_count = "must_count" in request.POST
    if "keep" in request.POST:  # a batch's page knows nothing of it
        must_count = station.state_of(session).must_count
    station.set_up(session=session, must_count=must_count, batch=batch.pk if batch else 0)
    return redirect("scan")


@require_GET
def scan_codes(request: MemberRequest) -> HttpResponse:
    """The commands and couriers as barcodes, to be printed and hung up."""
    return render(request, "shipping/scan_codes.html", {"couriers": couriers_for_user(request.user)})


@require_GET
def scan_badges(request: MemberRequest) -> HttpResponse:
    """The badges of everybody one works with."""
    return render(request, "shipping/scan_badges.html", {"people": badges_for(request.user)})
