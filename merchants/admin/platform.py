"""The third-party platform and what WeChat pushes to it; it serves every store, so only superusers see it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from merchants import credentials
from merchants.models import Errand, Platform, PushedEvent

from .base import OwnStores, ReadOnly, me
from .secrets import Hidden, PushSecrets, shown

SECRETS = ("app_secret", "push_token", "aes_key")


class PlatformForm(PushSecrets):
    """The platform's AppID and three secrets, each write-only."""

    new_app_secret = forms.CharField(
        label="AppSecret",
        required=False,
        help_text=_("在开放平台「第三方平台 → 开发配置」里。留空则保留现在的；保存后无法再查看。"),
        widget=Hidden,
    )

    class Meta:
        model = Platform
        fields = ("appid",)


class Superusers(OwnStores):
    """Rows of the whole desk, not of one store."""

    merchant_path = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


@admin.register(Platform)
class PlatformAdmin(Superusers, admin.ModelAdmin):  # type: ignore[type-arg]
    form = PlatformForm
    change_form_template = "admin/merchants/credential/change_form.html"
    list_display = ("appid", "ticket_at", "token_expires_at", "failed_at", "failed_reason")
    fieldsets = (
        (None, {"fields": ("appid", "app_secret_now", "new_app_secret")}),
        (
            _("推送"),
            {"fields": ("push_url", "push_token_now", "new_push_token", "aes_key_now", "new_aes_key")},
        ),
        (_("状态"), {"fields": ("ticket_at", "token_fetched_at", "token_expires_at", "failure")}),
    )
    readonly_fields = (
        "app_secret_now", "push_token_now", "aes_key_now", "push_url",
        "ticket_at", "token_fetched_at", "token_expires_at", "failure",
    )  # fmt: skip

    @admin.display(description=_("现在的 AppSecret"))
    def app_secret_now(self, row: Platform) -> str:
        return shown(row, "app_secret")

    @admin.display(description=_("现在的 Token"))
    def push_token_now(self, row: Platform) -> str:
        return shown(row, "push_token")

    @admin.display(description=_("现在的 EncodingAESKey"))
    def aes_key_now(self, row: Platform) -> str:
        return shown(row, "aes_key")

    @admin.display(description=_("授权事件接收 URL"))
    def push_url(self, row: Platform) -> str:
        return f"{settings.PUBLIC_URL}{reverse('component_events')}"

    @admin.display(description=_("上次没取到的原因"))
    def failure(self, row: Platform) -> str:
        return f"{row.failed_errcode or ''} {row.failed_reason}".strip() or "—"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request) and not Platform.objects.exists()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        buttons = {"line_buttons": (("_start_push", _("请微信推送 ticket")),)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **buttons})

    def save_model(self, request: HttpRequest, obj: Platform, form: Any, change: bool) -> None:
        data = form.cleaned_data
        secrets = {name: data[f"new_{name}"] for name in SECRETS}
        obj.pk = credentials.save_platform(appid=data["appid"], secrets=secrets, by=me(request)).pk

    def response_change(self, request: HttpRequest, obj: Platform) -> HttpResponse:
        if "_start_push" not in request.POST:
            return super().response_change(request, obj)
        return redirect("errand", credentials.start(Errand.Kind.START_PUSH, by=me(request)).pk)


@admin.register(PushedEvent)
class PushedEventAdmin(Superusers, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What came and when; what was in it stays sealed."""

    list_display = ("name", "source", "received_at", "handled_at")
    fields = ("name", "source", "create_time", "received_at", "handled_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
