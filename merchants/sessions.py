"""Sessions that end while someone works: nothing typed is lost; and each person's own language."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
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
    """The language of the person, else Chinese: the browser's wish is not asked, the goods are Chinese.

    A visitor reads what this browser showed last, so that the login over a page speaks as the page does.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        chosen = _language_of(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            return _remember(request, get_response(request), chosen)

    return middleware


def _language_of(request: HttpRequest) -> str:
    user, last = request.user, request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    asked = user.language if isinstance(user, User) else request.GET.get("language", last)
    return asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _remember(request: HttpRequest, answer: HttpResponse, language: str) -> HttpResponse:
    if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE) != language:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=settings.LANGUAGE_COOKIE_AGE, httponly=True,
            secure=settings.SESSION_COOKIE_SECURE, samesite="Lax",
        )  # fmt: skip
    return answer
