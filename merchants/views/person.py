"""What a person sets for oneself: language, look, password."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from merchants import people, services
from merchants.forms import PersonForm
from merchants.queries import factor_of
from merchants.views import MemberRequest


@require_http_methods(["GET", "POST"])
def person(request: MemberRequest) -> HttpResponse:
    """Language and look of the signed-in person, and the ways to password and second factor."""
    form = PersonForm(request.POST or None, instance=request.user)
    if form.is_bound and form.is_valid():
        services.set_preferences(user=request.user, **form.cleaned_data)
        messages.info(request, _("已保存。"))
        return redirect("person")
    has_factor = factor_of(request.user) is not None
    return render(request, "merchants/person.html", {"form": form, "has_factor": has_factor})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password_change(request: MemberRequest) -> HttpResponse:
    """A new password for oneself; the sessions elsewhere are over, this one goes on."""
    form = PasswordChangeForm(request.user, request.POST or None)
    if not form.is_bound or not form.is_valid():
        return render(request, "merchants/password.html", {"form": form})
    people.change_password(user=request.user, password=form.cleaned_data["new_password1"], by=request.user)
    update_session_auth_hash(request, request.user)
    messages.info(request, _("密码已修改，其他地方的登录已退出。"))
    return redirect("person")
