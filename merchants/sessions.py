"""Sessions that end while someone works: nothing typed is lost; and each person's own language."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from .guessing import client_ip
from .kept import keep
from .models import User
from .queries import needs_second_factor
from .views.factor import factor_with
from .views.signin import login_with

log = logging.getLogger("fahuo.signin")
# What pages ask for by themselves, without a hand on the keyboard.
POLLS = frozenset({"order_counts", "my_trouble", "package_status", "order_presence", "errand_status"})
# Open to an admin who has to set up the second factor first.
ON_THE_WAY = frozenset({"second_factor", "logout"})
BEGAN, LAST_ACTIVE = "began", "last_active"
STAMP_EVERY = 60


@receiver(user_logged_in)
def begin(sender: Any, request: HttpRequest, user: User, **more: Any) -> None:
    """A login starts both clocks, also over a session that was still running."""
    request.session[BEGAN] = request.session[LAST_ACTIVE] = int(time.time())
    log.info("person %s signed in from %s", user.pk, client_ip(request))


@receiver(user_logged_out)
def note_the_end(sender: Any, user: User | None, **more: Any) -> None:
    if user is not None:
        log.info("person %s signed out", user.pk)


@receiver(user_login_failed)
def note_a_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any
) -> None:
    """By number, never the name: people type passwords there."""
    known = User.objects.filter(username=str(credentials.get("username", ""))).values_list("pk", flat=True)
    address = client_ip(request) if request is not None else ""
    log.warning("a login failed, person %s, from %s", known.first() or "unknown", address)


class TimeLimits:
    """A session ends SESSION_COOKIE_AGE after its login and SESSION_IDLE_AGE after the last activity.

    It ends before the view: the request then goes the way of any other without a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        if not request.user.is_authenticated:
            return
        if _is_over(request):
            request.session.flush()
            request.user = AnonymousUser()
        elif not _is_poll(request):
            _stamp(request)


def _is_over(request: HttpRequest) -> bool:
    now, session = time.time(), request.session
    is_idle = now - session.get(LAST_ACTIVE, now) > settings.SESSION_IDLE_AGE
    return bool(is_idle or now - session.get(BEGAN, now) > settings.SESSION_COOKIE_AGE)


def _is_poll(request: HttpRequest) -> bool:
    """By name, not by the header HX-Request: a person's own click sends that one too."""
    return bool(request.resolver_match and request.resolver_match.url_name in POLLS)


def _stamp(request: HttpRequest) -> None:
    """Once a minute at most: each stamp is a write."""
    now = int(time.time())
    if now - request.session.get(LAST_ACTIVE, 0) >= STAMP_EVERY:
        request.session[LAST_ACTIVE] = now


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


class SecondFactorRequired(LoginRequiredMiddleware):
    """Where REQUIRE_ADMIN_TOTP is on, an admin without a second factor sets it up before anything else."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        name = request.resolver_match.url_name if request.resolver_match else ""
        is_open = name in ON_THE_WAY or not getattr(view_func, "login_required", True)
        return None if is_open or not needs_second_factor(request.user) else _factor_first(request)


def _factor_first(request: HttpRequest) -> HttpResponseBase:
    """A poll is answered with nothing to show: leading it there would reload the set-up under one's hands."""
    is_htmx = request.headers.get("HX-Request") == "true"
    if is_htmx and request.method == "GET":
        return HttpResponse(status=204)
    if is_htmx:
        return HttpResponseClientRedirect(reverse("second_factor"))
    if request.method == "POST":
        return factor_with(request, keep(request))
    return redirect("second_factor")


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
