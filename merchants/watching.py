"""What happens around every request: the probes before anything else, an id, a log line, how long it took."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from prometheus_client import Histogram
from structlog.contextvars import bind_contextvars

from .logs import about

log = logging.getLogger("fahuo.request")
Handler = Callable[[HttpRequest], HttpResponse]

REQUESTS = Histogram(
    "fahuo_request_seconds",
    "Time to answer a request, by view",
    ("view", "method", "status"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
METHODS = ("GET", "HEAD", "POST")
PROBES = ("/healthz", "/readyz", "/metrics")
NOT_SEEN = (*PROBES, "/static/")
# One that a proxy has given is kept, so that its log and ours are one story.
REQUEST_ID = re.compile(r"[0-9A-Za-z_-]{8,64}", re.ASCII)


def probes_first(get_response: Handler) -> Handler:
    """A probe asks by address and in clear: no session, no check of the host, no redirect to https."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in PROBES:
            return get_response(request)
        answer: HttpResponse = resolve(request.path_info).func(request)
        # A 503 every few seconds is the probe's to report, not a mail to ADMINS.
        answer._has_been_logged = True  # type: ignore[attr-defined]
        return answer

    return middleware


class Observe:
    """Gives each request an id, which its log lines and its answer carry, one log line and one measure."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(NOT_SEEN):
            return self.get_response(request)
        began, given = time.perf_counter(), request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        with about(request=request_id, actor=None, order=None):
            answer = self.get_response(request)
            answer.headers["X-Request-ID"] = request_id
            _note(request, answer, time.perf_counter() - began)
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        bind_contextvars(actor=request.user.pk)
        if "order_id" in kwargs:
            bind_contextvars(order=kwargs["order_id"])


def _note(request: HttpRequest, answer: HttpResponse, seconds: float) -> None:
    """The name of the view, never the address: links to join and to a push door are secrets."""
    view = request.resolver_match.view_name if request.resolver_match else "-"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(view, method, f"{answer.status_code // 100}xx").observe(seconds)
    seen = {"method": method, "view": view, "status": answer.status_code, "ms": round(seconds * 1000)}
    log.info("request", extra=seen)
