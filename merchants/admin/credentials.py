"""How each store is called: the mode is chosen here, secrets go in and never come out."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from merchants import credentials, queries
from merchants.models import Credential, Errand, Mode

from .base import OwnStores, ReadOnly, me
from .secrets import Hidden, PushSecrets, shown


class CredentialForm(PushSecrets):
    """The mode and new secrets; what is stored is shown by its last four characters only."""

    new_secret = forms.CharField(
        label=_("新的 AppSecret"),
        required=False,
        strip=True,
        help_text=_("留空则保留现在的；保存后无法再查看。在微信小店后台「服务市场 → 自研」里复制。"),
        widget=Hidden,
    )
    new_token = forms.CharField(
        label=_("粘贴 access_token"),
        required=False,
        strip=True,
        max_length=2048,
        help_text=_("店铺不愿交出 AppSecret 时，由店铺自己的系统取好粘贴到这里。留空则保留现在的。"),
        widget=Hidden,
    )
    minutes = forms.IntegerField(
        label=_("还能用几分钟"),
        required=False,
        min_value=1,
        max_value=120,
        help_text=_("取到时的 expires_in 除以 60，最多 120。到时间后发货暂停，要再粘贴一张。"),
    )

    class Meta:
        model = Credential
        fields = ("mode",)
        help_texts = {
            "mode": _(
                "自有店铺：填 AppSecret，系统用 stable_token 自动换 access_token。"
                "粘贴：不填密钥，到期前手工换。"
                "第三方平台：店主授权给服务商，授权里必须有权限集 131。"
                "云调用：只在本系统部署于微信云托管时能用，不需要任何凭证。"
                "改变方式会丢弃现在的 access_token。"
            )
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if missing := MISSING.get(str(data.get("mode"))):
            for field, words in missing(self.instance, data):
                self.add_error(field, words)
        return data


def _own(row: Credential, data: dict[str, Any]) -> list[tuple[str, str]]:
    has_secret = data.get("new_secret") or row.app_secret
    return [] if has_secret else [("new_secret", say("自有店铺要填 AppSecret。"))]


def _pasted(row: Credential, data: dict[str, Any]) -> list[tuple[str, str]]:
    if data.get("new_token"):
        return [] if data.get("minutes") else [("minutes", say("粘贴 access_token 时要写还能用几分钟。"))]
    has_token = row.mode == Mode.PASTED and row.access_token
    return [] if has_token else [("new_token", say("请粘贴 access_token。"))]


def _cloud(row: Credential, data: dict[str, Any]) -> list[tuple[str, str]]:
    if settings.WECHAT_CLOUD_API_URL:
        return []
    return [("mode", say("本系统没有填 WECHAT_CLOUD_API_URL：只有部署在微信云托管里才能用云调用。"))]


def _component(row: Credential, data: dict[str, Any]) -> list[tuple[str, str]]:
    platform = queries.the_platform()
    if platform is not None and platform.app_secret:
        return []
    return [("mode", say("还没有第三方平台：请超级管理员先在「第三方平台」里填好 AppID 和密钥。"))]


MISSING: dict[str, Callable[[Credential, dict[str, Any]], list[tuple[str, str]]]] = {
    Mode.OWN: _own,
    Mode.PASTED: _pasted,
    Mode.COMPONENT: _component,
    Mode.CLOUD: _cloud,
}


@admin.register(Credential)
class CredentialAdmin(OwnStores, admin.ModelAdmin):  # type: ignore[type-arg]
    form = CredentialForm
    change_form_template = "admin/merchants/credential/change_form.html"
    list_display = ("merchant", "mode", "ends_with", "token_now", "token_fetched_at", "is_contested")
    list_filter = ("mode",)
    search_fields = ("merchant__name", "merchant__appid")
    fieldsets = (
        (None, {"fields": ("merchant", "mode")}),
        (_("自有店铺"), {"fields": ("ends_with", "new_secret", "force_budget")}),
        (_("粘贴的 access_token"), {"fields": ("token_ends_with", "new_token", "minutes")}),
        (
            _("第三方平台"),
            {"fields": ("authorization", "permission_sets_shown", "authorized_at", "cancelled_at")},
        ),
        (
            _("微信推送的事件"),
            {
                "fields": (
                    "push_url",
                    "push_token_now",
                    "new_push_token",
                    "aes_key_now",
                    "new_aes_key",
                    "pushed_at",
                ),
                "description": _(
                    "在微信小店后台「服务市场 → 自研 → 消息推送」里填这个 URL、Token 和 EncodingAESKey，"
                    "选安全模式和 JSON。先在这里保存，再到微信后台提交：微信会马上来核对。"
                ),
            },
        ),
        (_("现在的 access_token"), {"fields": ("token_now", "token_fetched_at", "contest", "failure")}),
    )
    readonly_fields = (
        "merchant", "ends_with", "force_budget", "token_ends_with", "token_now", "token_fetched_at",
        "contest", "failure", "authorization", "permission_sets_shown", "authorized_at", "cancelled_at",
        "push_url", "push_token_now", "aes_key_now", "pushed_at",
    )  # fmt: skip
    list_select_related = ("merchant", "secret_set_by", "token_set_by")

    @admin.display(description=_("现在的 AppSecret"))
    def ends_with(self, row: Credential) -> str:
        return _last4(row.secret_last4, row.secret_set_at, row.secret_set_by)

    @admin.display(description=_("上次粘贴的"))
    def token_ends_with(self, row: Credential) -> str:
        return _last4(row.token_last4, row.token_set_at, row.token_set_by)

    @admin.display(description=_("推送 URL"))
    def push_url(self, row: Credential) -> str:
        return f"{settings.PUBLIC_URL}{reverse('store_events', args=[row.event_key])}"

    @admin.display(description=_("现在的 Token"))
    def push_token_now(self, row: Credential) -> str:
        return shown(row, "push_token")

    @admin.display(description=_("现在的 EncodingAESKey"))
    def aes_key_now(self, row: Credential) -> str:
        return shown(row, "aes_key")

    @admin.display(description=_("上次收到推送"))
    def pushed_at(self, row: Credential) -> str:
        last = queries.last_push(row.merchant)
        return timezone.localtime(last).strftime("%m-%d %H:%M:%S") if last else say("还没有收到")

    @admin.display(description=_("强制换新的次数"))
    def force_budget(self, row: Credential) -> str:
        budget = queries.force_budget(row.merchant)
        words = say(
            "24 小时内已用 %(used)d 次，还剩 %(left)d 次（微信每天限 20 次，相隔至少 30 秒）。现在可以用。"
        )
        if budget.next_at > timezone.now():
            words = say(
                "24 小时内已用 %(used)d 次，还剩 %(left)d 次（微信每天限 20 次，相隔至少 30 秒）。"
                "%(when)s 以后可以再用。"
            )
        when = timezone.localtime(budget.next_at).strftime("%m-%d %H:%M:%S")
        return words % {"used": budget.used, "left": budget.left, "when": when}

    @admin.display(description=_("状态"))
    def token_now(self, row: Credential) -> str:
        if row.mode == Mode.CLOUD:
            return say("云调用不需要")
        if row.token_expires_at is None or not row.access_token:
            return say("没有")
        if row.token_expires_at <= timezone.now():
            return say("已过期")
        return say("有效到 %s") % timezone.localtime(row.token_expires_at).strftime("%m-%d %H:%M")

    @admin.display(description=_("授权"))
    def authorization(self, row: Credential) -> str:
        if row.cancelled_at:
            return say("店铺已取消授权")
        return say("已授权") if row.refresh_token else say("还没有授权")

    @admin.display(description=_("权限集"))
    def permission_sets_shown(self, row: Credential) -> str:
        sets = say("、").join(str(number) for number in row.permission_sets)
        if not row.authorized_at or queries.SHIPPING_SET in row.permission_sets:
            return sets or "—"
        return say("缺少 131（订单与发货）。已有：%s") % (sets or "—")

    @admin.display(description=_("有别的系统在换"))
    def is_contested(self, row: Credential) -> str:
        return say("是") if queries.is_contested(row) else ""

    @admin.display(description=_("提前失效"))
    def contest(self, row: Credential) -> str:
        return _contest_words(row) if queries.is_contested(row) else say("没有发现")

    @admin.display(description=_("上次没取到的原因"))
    def failure(self, row: Credential) -> str:
        if row.failed_at is None:
            return "—"
        when = timezone.localtime(row.failed_at).strftime("%m-%d %H:%M:%S")
        return f"{when} {row.failed_errcode or ''} {row.failed_reason}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None and request.method == "GET" and queries.is_contested(row):
            messages.warning(request, _contest_words(row))
        buttons = {"line_buttons": BUTTONS.get(row.mode, ()) if row else ()}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **buttons})

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:
        data = form.cleaned_data
        credentials.save_credential(
            merchant=obj.merchant,
            mode=data["mode"],
            secret=data["new_secret"],
            token=data["new_token"],
            minutes=data["minutes"] or 0,
            by=me(request),
        )
        pushed = {"push_token": data["new_push_token"], "aes_key": data["new_aes_key"]}
        credentials.save_push_secrets(merchant=obj.merchant, secrets=pushed, by=me(request))

    def response_change(self, request: HttpRequest, obj: Credential) -> HttpResponse:
        """A button of the store's line saves the form like any other, then asks for its errand."""
        asked = next((ask for name, ask in ASKS.items() if name in request.POST), None)
        if asked is None:
            return super().response_change(request, obj)
        try:
            return redirect("errand", asked(merchant=obj.merchant, by=me(request)).pk)
        except credentials.NotNow as told:
            messages.error(request, str(told))
            return redirect(request.path)


# What a store's page offers beside saving: (name of the button, its word).
TEST, QUOTA = ("_test", _("测试线路")), ("_quota", _("查看用量"))
BUTTONS = {
    Mode.OWN: (TEST, QUOTA, ("_force", _("强制换新 access_token（旧的立刻作废）"))),
    Mode.PASTED: (TEST, QUOTA),
    Mode.COMPONENT: (TEST, QUOTA, ("_link", _("生成授权链接"))),
    Mode.CLOUD: (TEST,),
}
ASKS = {
    "_test": credentials.ask_test,
    "_quota": credentials.ask_quota,
    "_force": credentials.ask_force_refresh,
    "_link": credentials.ask_link,
}


def _last4(last4: str, when: Any, who: Any) -> str:
    if not last4:
        return say("还没有填")
    moment = timezone.localtime(when).strftime("%Y-%m-%d %H:%M") if when else ""
    return " · ".join(part for part in (f"…{last4}", moment, str(who or "")) if part)


def _contest_words(row: Credential) -> str:
    assert row.died_early_at is not None  # noqa: S101 - asked for only then
    when = timezone.localtime(row.died_early_at).strftime("%m-%d %H:%M:%S")
    words = say(
        "access_token 在 %s 提前失效：有别的系统在换这个 AppID 的 access_token。"
        "请只留一个系统换，或都改用 stable_token。"
    )
    return words % when


@admin.register(Errand)
class ErrandAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("kind", "merchant", "status", "errcode", "errmsg", "asked_by", "asked_at", "ended_at")
    fields = list_display
    list_filter = ("kind", "status")
    search_fields = ("merchant__name", "errcode__exact")
    list_select_related = ("merchant", "asked_by")
