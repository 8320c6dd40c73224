"""The login, also over a page whose session ended; what a person sets for oneself."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import trigger_client_event

from . import credentials, queries, services
from .forms import PersonForm
from .kept import Kept, kept
from .models import Errand, User

DEMO_LOGINS = [
    ("staff", lazy("员工"), lazy("填包裹、发货")),
    ("manager", lazy("主管"), lazy("还能看发货记录、裁定对不上的包裹")),
    ("admin", lazy("管理员"), lazy("还能管店铺、密钥和成员")),
]
DONE = {
    Errand.Kind.FORCE: lazy("已换新。旧的 access_token 已经作废，等待的包裹会自动用新的提交。"),
    Errand.Kind.LINK: lazy("授权链接已生成，十分钟内有效。请店主打开并扫码。"),
    Errand.Kind.QUERY_AUTH: lazy("已授权，权限集 131（订单与发货）已包含，可以发货了。"),
    Errand.Kind.START_PUSH: lazy("微信已开始推送 ticket，十分钟内会收到第一个。"),
}


@method_decorator(login_not_required, name="dispatch")
class LoginView(views.LoginView):
    """Django's own login; the demo lists its accounts, a form kept from before goes on afterwards."""

    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request") == "true":
            self.template_name = "registration/_login_dialog.html"
            self.redirect_authenticated_user = False
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **_around(self.request.POST.get("kept", ""))}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        if self.request.headers.get("HX-Request") == "true":
            login(self.request, form.get_user())
            signed_in = {"token": get_token(self.request)}
            return trigger_client_event(HttpResponse(status=204), "signed-in", signed_in)
        answer = super().form_valid(form)
        held = kept(self.request.POST.get("kept", ""))
        return _go_on(self.request, held) if held else answer


def _around(text: str) -> dict[str, Any]:
    return {"demo_logins": DEMO_LOGINS if settings.IS_DEMO else [], "kept": text}


def _go_on(request: HttpRequest, held: Kept) -> HttpResponse:
    path, fields = held
    return render(request, "registration/resume.html", {"path": path, "fields": fields})


def login_with(request: HttpRequest, text: str) -> HttpResponse:
    """The login in place of the page that a form was sent to; the form goes on after it."""
    context = {"form": AuthenticationForm(request), "next": request.path, **_around(text)}
    return render(request, "registration/login.html", context)


@require_http_methods(["GET", "POST"])
def person(request: HttpRequest) -> HttpResponse:
    """Language and look of the signed-in person."""
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    form = PersonForm(request.POST or None, instance=request.user)
    if form.is_bound and form.is_valid():
        services.set_preferences(user=request.user, **form.cleaned_data)
        messages.info(request, _("已保存。"))
        return redirect("person")
    return render(request, "merchants/person.html", {"form": form})


@require_GET
def errand(request: HttpRequest, pk: int) -> HttpResponse:
    """What a person asked of WeChat, followed until it has ended."""
    return _errand(request, pk, "merchants/errand.html")


@require_GET
def errand_status(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes."""
    return _errand(request, pk, "merchants/_errand.html")


def _errand(request: HttpRequest, pk: int, template: str) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    found = queries.errand_for(request.user, pk)
    if found is None:
        raise Http404
    return render(request, template, {"errand": found, "done_words": DONE[Errand.Kind(found.kind)]})


@require_GET
def authorized(request: HttpRequest, state: str) -> HttpResponse:
    """Where the authorisation page sends back to: the code goes to a worker, and out of the address bar."""
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    merchant = credentials.merchant_of_state(state, request.user)
    code = request.GET.get("auth_code", "")
    if merchant is None or not code:
        raise Http404
    taken = credentials.take_code(merchant=merchant, code=code, by=request.user)
    return redirect("errand", taken.pk)
