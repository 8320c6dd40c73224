"""Sessions that end while someone works: nothing typed is lost; and each person's own language."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django_htmx.http import trigger_client_event

from .kept import keep
from .models import User
from .views import login_with


class LoginRequired(LoginRequiredMiddleware):
    """Django's own, but a form that was sent after the session ended is kept through the login.

    A request by htmx is answered 401 without a body: a poll must never show a login inside a fragment, and
    for a form the page itself opens the login over what was typed.
    """

    def handle_no_permission(  # type: ignore[override]  # it redirects; ours may also answer
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        if request.headers.get("HX-Request") == "true":
            return trigger_client_event(HttpResponse(status=401), "signed-out")
        if request.method == "POST":
            return login_with(request, keep(request))
        return super().handle_no_permission(request, view_func)


def own_language(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The language of the person, else Chinese: the browser's wish is not asked, the goods are Chinese."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        chosen = user.language if isinstance(user, User) else ""
        if not chosen:
            return get_response(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            return get_response(request)

    return middleware
