"""Where each store is told that something needs a person: chat groups and mail, set up by its own admins."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from merchants import telling
from merchants.models import Channel, Message, Role
from merchants.queries import merchants_for
from wechat import robots

from .base import OwnStores, ReadOnly, is_admin, me
from .secrets import Hidden, shown

SECRETS = ("webhook", "sign_secret")
# Why a message did not get through, where the other side said nothing; what it did say is shown as it is.
WHY = {
    "redirected": _("对方要求转到别的地址，没有照做"),
    "http_error": _("对方回了错误"),
    "read_timeout": _("对方没有按时回答"),
    "answer_too_slow": _("对方没有按时回答"),
    "connect_timeout": _("连不上对方"),
    "refused_connection": _("连不上对方"),
    "unresolved_host": _("找不到对方的主机"),
    "not_a_robot": _("地址不是这种机器人的"),
    "no_address": _("没有填了邮箱的成员"),
    "secret_unreadable": _("密钥打不开保存的地址，请重新填写"),
    "switched_off": _("渠道停用了"),
}


def why(failure: str) -> str:
    slug, _space, more = failure.partition(" ")
    return f"{WHY[slug]} {more}".strip() if slug in WHY else failure


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A robot's address and sign secret go in and never come out."""

    new_webhook = forms.CharField(
        label=_("机器人地址（Webhook）"),
        required=False,
        strip=True,
        max_length=500,
        help_text=_(
            "在群里添加机器人后复制，只收企业微信、飞书、钉钉官方的 https 地址。"
            "机器人要求关键词时填“Fahuo”。留空则保留现在的；保存后无法再查看。邮件不用填。"
        ),
        widget=Hidden,
    )
    new_sign_secret = forms.CharField(
        label=_("加签密钥"),
        required=False,
        strip=True,
        max_length=200,
        help_text=_("飞书“签名校验”或钉钉“加签”给出的密钥；没有开就留空。企业微信没有。"),
        widget=Hidden,
    )

    class Meta:
        model = Channel
        fields = ("merchant", "name", "kind", "language", "role", "is_active")
        help_texts = {"role": _("只对邮件：店铺里这个角色及以上、填了邮箱的成员都会收到。")}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = str(data.get("kind") or self.instance.kind)
        for field, words in _faults(kind, self.instance, data):
            self.add_error(field, words)
        return data


def _faults(kind: str, row: Channel, data: dict[str, Any]) -> list[tuple[str | None, str]]:
    url = data.get("new_webhook") or ""
    if kind == Channel.Kind.MAIL:
        return [] if _has_mail() else [(None, say("本系统没有设置 EMAIL_URL，发不出邮件。"))]
    if not url and not row.webhook:
        return [("new_webhook", say("请填机器人地址。"))]
    if data.get("new_sign_secret") and not robots.ROBOTS[kind].signs:
        return [("new_sign_secret", say("企业微信的机器人没有加签密钥。"))]
    return [("new_webhook", say("这不是所选机器人的官方地址。"))] if url and not _is_robot(kind, url) else []


def _is_robot(kind: str, url: str) -> bool:
    try:
        robots.check(kind, url, settings.ALERT_HOSTS)
    except robots.NotARobot:
        return False
    return True


def _has_mail() -> bool:
    """In the demo mails are printed."""
    return settings.IS_DEMO or not settings.EMAIL_BACKEND.endswith("console.EmailBackend")


class Told(OwnStores):
    """An admin sees the own stores' rows, a superuser those of the operator, too."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and is_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


@admin.register(Channel)
class ChannelAdmin(Told, admin.ModelAdmin):  # type: ignore[type-arg]
    form = ChannelForm
    change_form_template = "admin/merchants/credential/change_form.html"
    list_display = ("name", "whose", "kind", "webhook_now", "is_active", "is_well", "waiting")
    list_filter = ("kind", "is_active")
    search_fields = ("name", "merchant__name")
    list_select_related = ("merchant",)
    readonly_fields = ("webhook_now", "sign_secret_now", "succeeded_at", "last_failure", "waiting")

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        told: Any = (None, {"fields": ("merchant", "name", "kind", "language", "role", "is_active")})
        typed = ("new_webhook", "new_sign_secret")
        if obj is None:
            return (told, (_("群机器人"), {"fields": typed}))
        secrets = ("webhook_now", "new_webhook", "sign_secret_now", "new_sign_secret")
        state = ("succeeded_at", "last_failure", "waiting")
        return (told, (_("群机器人"), {"fields": secrets}), (_("状态"), {"fields": state}))

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        """Another store or another kind is another channel."""
        return (*self.readonly_fields, "merchant", "kind") if obj else self.readonly_fields

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = merchants_for(me(request), Role.ADMIN)
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.required = not me(request).is_superuser
        if not field.required:
            field.help_text = say("留空：系统运营者自己的渠道，收到所有店铺的告警。")
        return field

    @admin.display(description=_("店铺"), ordering="merchant")
    def whose(self, row: Channel) -> str:
        return str(row.merchant or say("所有店铺（运营者）"))

    @admin.display(description=_("现在的地址"))
    def webhook_now(self, row: Channel) -> str:
        return "—" if row.kind == Channel.Kind.MAIL else shown(row, "webhook")

    @admin.display(description=_("现在的加签密钥"))
    def sign_secret_now(self, row: Channel) -> str:
        return shown(row, "sign_secret")

    @admin.display(description=_("送得到"), boolean=True)
    def is_well(self, row: Channel) -> bool | None:
        return not row.is_failing if row.succeeded_at or row.failed_at else None

    @admin.display(description=_("上次没送到"))
    def last_failure(self, row: Channel) -> str:
        if row.failed_at is None:
            return "—"
        return f"{timezone.localtime(row.failed_at):%m-%d %H:%M:%S} {why(row.failure)}"

    @admin.display(description=_("等着再试的"))
    def waiting(self, row: Channel) -> int:
        return telling.unsaid().filter(channel=row).count()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        buttons = {"line_buttons": (("_try", _("保存并发送测试消息")),)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **buttons})

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        data = form.cleaned_data
        secrets = {name: data[f"new_{name}"] for name in SECRETS}
        changed = [name for name in form.changed_data if not name.startswith("new_")]
        telling.save_channel(channel=obj, secrets=secrets, fields=changed, by=me(request))

    def response_change(self, request: HttpRequest, obj: Channel) -> HttpResponse:
        if "_try" not in request.POST:
            return super().response_change(request, obj)
        return redirect("errand", telling.ask_try(channel=obj, by=me(request)).pk)


@admin.register(Message)
class MessageAdmin(Told, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What was said, where, and what is still being tried."""

    merchant_path = "channel__merchant"
    list_display = ("title", "channel", "created_at", "said_at", "tries", "due_at", "reason")
    list_filter = (("said_at", admin.EmptyFieldListFilter), ("created_at", admin.DateFieldListFilter))
    search_fields = ("title", "channel__name")
    fields = ("channel", "title", "text", "created_at", "said_at", "tries", "due_at", "reason")
    list_select_related = ("channel",)

    @admin.display(description=_("没送到的原因"))
    def reason(self, row: Message) -> str:
        return why(row.failure) or "—"
