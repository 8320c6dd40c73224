"""For machines that watch: is the process alive, can it do its work, in numbers. No login, no session."""

import secrets
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from shipping.health import OK, readiness
from shipping.metrics import exposition

PASSED_ON = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded")


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when everything the desk needs is there, 503 when not; a word for each."""
    checks = readiness()
    is_ready = all(word == OK for word in checks.values())
    words = {"status": "ready" if is_ready else "not ready", **checks}
    return JsonResponse(words, status=200 if is_ready else 503, headers={"Cache-Control": "no-store"})


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers for Prometheus: for who knows METRICS_TOKEN; without one for this machine only."""
    if settings.METRICS_TOKEN and not _knows_token(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    if not settings.METRICS_TOKEN and not _is_local(request):
        return HttpResponse(status=404)
    try:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse(status=503)


def _knows_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode(errors="replace")
    return secrets.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())


def _is_local(request: HttpRequest) -> bool:
    """Not what a proxy on this machine passes on for others."""
    if any(name in request.headers for name in PASSED_ON):
        return False
    try:
        return ip_address(str(request.META.get("REMOTE_ADDR", ""))).is_loopback
    except ValueError:
        return False
