"""What one-time links open: joining a store, setting a new password."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from merchants import people
from merchants.forms import JoinForm
from merchants.models import OneTimeLink, User
from merchants.queries import link_with
from merchants.views.signin import PASSWORDS


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever is signed in joins with that account, anybody else makes one."""
    link = link_with(token, OneTimeLink.Kind.INVITE)
    if link is None:
        return _gone(request)
    if isinstance(request.user, User):
        is_asked = request.method == "GET"
        return _page(request, link, None) if is_asked else _join(request, link, request.user)
    form = JoinForm(request.POST or None)
    if not form.is_bound or not form.is_valid():
        return _page(request, link, form)
    return _join(request, link, form.save(commit=False))


def _page(request: HttpRequest, link: OneTimeLink, form: JoinForm | None) -> HttpResponse:
    return render(request, "registration/join.html", {"link": link, "form": form})


def _join(request: HttpRequest, link: OneTimeLink, user: User) -> HttpResponse:
    try:
        people.join(link=link, user=user)
    except people.LinkOver:
        return _gone(request)
    if not request.user.is_authenticated:
        login(request, user, backend=PASSWORDS)
    messages.info(request, _("欢迎，您已加入 %s。") % link.merchant.name)
    return redirect("order_list")


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def password_reset(request: HttpRequest, token: str) -> HttpResponse:
    """A new password for the person the link was made for; the login follows, with its second factor."""
    link = link_with(token, OneTimeLink.Kind.RESET)
    if link is None or link.user is None:
        return _gone(request)
    form = SetPasswordForm(link.user, request.POST or None)
    if not form.is_bound or not form.is_valid():
        return render(request, "registration/reset.html", {"link": link, "form": form})
    return _reset(request, link, link.user, form.cleaned_data["new_password1"])


def _reset(request: HttpRequest, link: OneTimeLink, user: User, password: str) -> HttpResponse:
    try:
        people.change_password(user=user, password=password, by=user, link=link)
    except people.LinkOver:
        return _gone(request)
    messages.info(request, _("密码已修改，请用新密码登录。"))
    return redirect("login")


def _gone(request: HttpRequest) -> HttpResponse:
    """Used, withdrawn, too old and never made read alike."""
    return render(request, "registration/link_over.html", status=404)
