"""Against guessing passwords: whose tries are counted together, and what is said when they are used up."""

from collections.abc import Mapping
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def client_ip(request: HttpRequest) -> str:
    """Behind our own proxy the address it appended, which a visitor cannot choose; else the peer's."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    hops = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return _address(hops.rpartition(",")[2].strip()) or peer


def _address(text: str) -> str:
    """Nothing for what is no address: the counting must not stumble over it."""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def locked_out(
    request: HttpRequest, answer: HttpResponse, credentials: Mapping[str, object] | None = None
) -> HttpResponse:
    """The login page as it was answered: it says the sentence itself. htmx shows no page of an error."""
    if request.headers.get("HX-Request") != "true":
        answer.status_code = 429
    return answer
