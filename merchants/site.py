"""Django admin behind the desk's own login, which counts the tries and asks for the second factor."""

from functools import update_wrapper
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Section(NamedTuple):
    """A part of the home and of the side bar: its word, and its models in working order."""

    slug: str
    word: object
    models: tuple[str, ...]


SECTIONS = (
    Section("stores", _("店铺与凭证"), ("Merchant", "Credential", "Platform")),
    Section("people", pgettext_lazy("plural", "成员"), ("Membership", "User")),
    Section("pauses", pgettext_lazy("plural", "暂停"), ("Pause",)),
    Section("telling", _("通知与提醒"), ("Channel", "Alert", "AlertRule", "Message")),
    Section("codes", _("错误说明"), ("UnknownCode", "CodeText")),
    # Whatever is registered and named nowhere stands here, too.
    Section(
        "history", _("历史（只能看）"), ("Package", "Shipment", "Attempt", "StatusChange", "Errand", "Audit")
    ),
)


class StoreAdmin(AdminSite):
    """Whoever is signed in and no admin finds nothing here."""

    # The home is the way there; two menus beside each other are one too many.
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The sections that hold something this person may see, in working order."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        apps = self._build_app_dict(request)
        known = {model["object_name"]: model for app in apps.values() for model in app["models"]}
        return [found for section in SECTIONS if (found := _filled(section, known))["models"]]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            answer: HttpResponseBase = inner(request, *args, **kwargs)
            return answer

        return update_wrapper(guarded, inner)

    @method_decorator(login_not_required)
    def login(  # type: ignore[override]  # it may also answer without a template
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next", ""), settings.LOGIN_URL)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        return redirect("password_change")


def _filled(section: Section, known: dict[str, Any]) -> dict[str, Any]:
    """The section as Django's own list of apps has it; a model is taken once."""
    names = [name for name in section.models if name in known]
    models = [known.pop(name) for name in names]
    if section is SECTIONS[-1]:
        models += known.values()
    url = f"{reverse('admin:index')}#section-{section.slug}"
    return {
        "name": section.word,
        "app_label": section.slug,
        "app_url": url,
        "models": models,
        "has_module_perms": True,
    }
