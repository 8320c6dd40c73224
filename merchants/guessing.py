"""Against guessing passwords: whose tries are counted together, and what is said when they are used up."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def client_ip(request: HttpRequest) -> str:
    """Behind our own proxy the address it appended, which a visitor cannot choose; else the peer's."""
    hops = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return hops.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def locked_out(
    request: HttpRequest, answer: HttpResponse, credentials: Mapping[str, object] | None = None
) -> HttpResponse:
    """The login page as it was answered: it says the sentence itself. htmx shows no page of an error."""
    if request.headers.get("HX-Request") != "true":
        answer.status_code = 429
    return answer
