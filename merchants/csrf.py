"""A form whose token is no longer valid, for its person has signed in again in another window."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.csrf import csrf_failure

from .kept import keep, kept
from .views.signin import go_on


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of our own pages goes on with every field; one of another site is refused, as Django does."""
    is_ours = request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    if not is_ours or not request.user.is_authenticated or "HX-Request" in request.headers:
        return csrf_failure(request, reason=reason)
    # The second of two login windows: signed in already, and no page repeats a password.
    if request.path == resolve_url("login"):
        return redirect("order_list")
    held = kept(keep(request))
    if held is None:
        return csrf_failure(request, reason=reason)
    return go_on(request, held)
