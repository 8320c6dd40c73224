"""The login, also over a page whose session ended: password, then the code of who has a second factor."""

import time
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django_htmx.http import trigger_client_event

from merchants.kept import Kept, kept
from merchants.models import User
from merchants.queries import factor_of

DEMO_LOGINS = [
    ("staff", lazy("员工"), lazy("填包裹、发货")),
    ("manager", lazy("主管"), lazy("还能看发货记录、裁定对不上的包裹")),
    ("admin", lazy("管理员"), lazy("还能管店铺、密钥和成员")),
]
# The session's note of who gave the right password and still owes the code, and for how long it counts.
HALF_IN, HALF_IN_FOR = "half_in", 300
PASSWORDS = "django.contrib.auth.backends.ModelBackend"


@method_decorator(login_not_required, name="dispatch")
class LoginView(views.LoginView):
    """Django's own login; the demo lists its accounts, a form kept from before goes on afterwards."""

    redirect_authenticated_user = True

    @property
    def is_dialog(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.is_dialog:
            self.template_name = "registration/_login_dialog.html"
            self.redirect_authenticated_user = False
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **_around(self.request.POST.get("kept", ""))}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = _half_in(request) if "code" in request.POST else None
        if user is not None:
            return self._check_code(user)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        assert isinstance(user, User)  # noqa: S101 - for the type checker
        if factor_of(user) is None:
            return self._let_in(user)
        self.request.session[HALF_IN] = [user.pk, user.get_session_auth_hash(), int(time.time())]
        return self._ask_code()

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return self.render_to_response(
            self.get_context_data(form=form, is_locked=getattr(self.request, "axes_locked_out", False))
        )

    def _ask_code(self, error: str = "") -> HttpResponse:
        self.template_name = "registration/_code_dialog.html" if self.is_dialog else "registration/code.html"
        return self.render_to_response(self.get_context_data(error=error))

    def _check_code(self, user: User) -> HttpResponse:
        """A wrong code counts like a wrong password."""
        tried = {"username": user.get_username()}
        device = factor_of(user)
        if device is None or not AxesProxyHandler.is_allowed(self.request, tried):
            return self._over()
        if not device.verify_is_allowed()[0]:
            return self._ask_code(_("试得太快，请等几秒再输入一次。"))
        if device.verify_token(self.request.POST["code"].strip()):
            return self._let_in(user)
        user_login_failed.send(sender=__name__, credentials=tried, request=self.request)
        if getattr(self.request, "axes_locked_out", False):
            return self._over()
        return self._ask_code(_("验证码不对，请输入手机上现在显示的那一个。"))

    def _over(self) -> HttpResponse:
        del self.request.session[HALF_IN]
        context = self.get_context_data(form=AuthenticationForm(self.request), is_locked=True)
        return self.render_to_response(context)

    def _let_in(self, user: User) -> HttpResponse:
        self.request.session.pop(HALF_IN, None)
        login(self.request, user, backend=PASSWORDS)
        if self.is_dialog:
            signed_in = {"token": get_token(self.request)}
            return trigger_client_event(HttpResponse(status=204), "signed-in", signed_in)
        held = kept(self.request.POST.get("kept", ""))
        return go_on(self.request, held) if held else redirect(self.get_success_url())


class LogoutView(views.LogoutView):
    """On a machine that is shared the back button shows nothing any more (ASVS 14.3.1)."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        # Browsers heed it where the line is encrypted, and complain of it elsewhere.
        if request.is_secure():
            response["Clear-Site-Data"] = '"cache"'
        return response


def _half_in(request: HttpRequest) -> User | None:
    """Who gave the right password a moment ago, if nothing about the account has changed since."""
    pk, known_hash, at = request.session.get(HALF_IN, (None, "", 0))
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or time.time() - at > HALF_IN_FOR or user.get_session_auth_hash() != known_hash:
        return None
    return user


def _around(text: str) -> dict[str, Any]:
    return {"demo_logins": DEMO_LOGINS if settings.IS_DEMO else [], "kept": text}


def go_on(request: HttpRequest, held: Kept) -> HttpResponse:
    """The form from before, sent on by one click or by itself; one that lacks its secret opens anew."""
    if held.lacks_secret:
        messages.warning(request, _("刚才填的密钥没有保存：登录过期时不会把它记下来。请再填一次。"))
        return redirect(held.path)
    return render(request, "registration/resume.html", held._asdict())


def login_with(request: HttpRequest, text: str) -> HttpResponse:
    """The login in place of the page that a form was sent to; the form goes on after it."""
    context = {"form": AuthenticationForm(request), "next": request.path, **_around(text)}
    return render(request, "registration/login.html", context)
