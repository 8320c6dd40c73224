"""Rows about who sells, who works there, and which credential speaks for them."""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from wechat.errcodes import Code, meaning

from .fields import EncryptedText


def platform_host() -> str:
    """The host a merchant is made for: credentials never travel to another one."""
    return str(settings.WECHAT_API_HOST)


class Theme(models.TextChoices):
    LIGHT = "light", _("浅色")
    DARK = "dark", _("深色")


class User(AbstractUser):
    """A person. Deactivated when they leave, never deleted."""

    display_name = models.CharField(_("姓名"), max_length=60, blank=True)
    # "" follows the browser.
    language = models.CharField(_("语言"), max_length=10, blank=True, choices=settings.LANGUAGES)
    theme = models.CharField(_("外观"), max_length=5, blank=True, choices=Theme.choices)
    # Part of what a session is checked against: one more, and every session of the person is over.
    session_round = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("用户"), pgettext_lazy("plural", "用户")

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_session_auth_hash(self) -> str:
        return f"{super().get_session_auth_hash()}-{self.session_round}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return (f"{old}-{self.session_round}" for old in super().get_session_auth_fallback_hash())


class Merchant(models.Model):
    """A WeChat Store and what was last read about it."""

    appid = models.CharField("AppID", max_length=64, unique=True)
    name = models.CharField(_("店铺名称"), max_length=120)
    api_host = models.CharField(_("接口主机"), max_length=200, default=platform_host, editable=False)
    is_active = models.BooleanField(_("启用"), default=True)
    undo_seconds = models.PositiveSmallIntegerField(_("撤回时间（秒）"), default=0)
    # None: never read. A fact that was never read warns, it never stops.
    has_return_address = models.BooleanField(_("有默认退货地址"), null=True, editable=False)
    return_address_read_at = models.DateTimeField(null=True, editable=False)
    couriers_read_at = models.DateTimeField(null=True, editable=False)
    orders_read_at = models.DateTimeField(_("上次读取订单"), null=True, editable=False)
    created_at = models.DateTimeField(_("添加时间"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("店铺"), pgettext_lazy("plural", "店铺")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(appid=""), name="merchant_has_an_appid"),
            models.CheckConstraint(condition=Q(undo_seconds__lte=120), name="undo_is_at_most_two_minutes"),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    STAFF = "staff", _("员工")
    MANAGER = "manager", _("主管")
    ADMIN = "admin", _("管理员")


class Membership(models.Model):
    """One person's role at one merchant."""

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships", verbose_name=_("用户"))
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="memberships", verbose_name=_("店铺"))
    role = models.CharField(_("角色"), max_length=10, choices=Role.choices, default=Role.STAFF)
    is_active = models.BooleanField(_("有效"), default=True)
    created_at = models.DateTimeField(_("加入时间"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("成员"), pgettext_lazy("plural", "成员")
        ordering = ["merchant", "user"]
        constraints = [
            models.UniqueConstraint(fields=["user", "merchant"], name="one_membership_per_merchant"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.merchant} · {self.get_role_display()}"


class Credential(models.Model):
    """What speaks for a merchant: the AppSecret and the access_token made from it, encrypted at rest."""

    merchant = models.OneToOneField(
        Merchant, models.PROTECT, related_name="credential", verbose_name=_("店铺")
    )
    app_secret = EncryptedText(blank=True, default="", editable=False)
    secret_last4 = models.CharField(max_length=4, blank=True, editable=False)
    secret_set_at = models.DateTimeField(null=True, editable=False)
    secret_set_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    access_token = EncryptedText(blank=True, default="", editable=False)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    token_expires_at = models.DateTimeField(null=True, editable=False)
    token_fetched_at = models.DateTimeField(null=True, editable=False)
    # Who may fetch: a compare-and-swap lease, so that many processes fetch once per expiry.
    lease_until = models.DateTimeField(default=timezone.now, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)
    failed_errcode = models.IntegerField(null=True, editable=False)
    failed_reason = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("凭证"), pgettext_lazy("plural", "凭证")

    def __str__(self) -> str:
        return str(self.merchant)


class Pause(models.Model):
    """A merchant, or one call of a merchant, that must not be sent until someone acts or time passes.

    `call` is "" for every sending call, else the call's short word such as `order/list/get`.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="pauses", verbose_name=_("店铺"))
    call = models.CharField(_("接口"), max_length=80, blank=True)
    errcode = models.IntegerField(_("错误码"), null=True)
    slug = models.CharField(max_length=40, blank=True)
    errmsg = models.CharField(_("微信返回"), max_length=500, blank=True)
    rid = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(_("开始"), auto_now_add=True)
    until = models.DateTimeField(_("到"), null=True, blank=True)
    ended_at = models.DateTimeField(_("结束"), null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("暂停"), pgettext_lazy("plural", "暂停")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "call"], condition=Q(ended_at=None), name="one_open_pause_per_call"
            ),
        ]

    def __str__(self) -> str:
        stopped = self.call or _("全部发货")
        return f"{self.merchant} · {stopped}"

    @property
    def ip_to_allow(self) -> str:
        """Our address as the platform sees it, from its own words; "" when it names none."""
        named = re.search(r"invalid ip ([0-9A-Fa-f.:]+)", self.errmsg)
        return named[1] if named else ""

    @property
    def reason(self) -> Code:
        """The code table's row for what stopped it."""
        return meaning(self.errcode, self.slug)


class OneTimeLink(models.Model):
    """An invitation or a new password, handed over as a link; only a digest of the link is kept."""

    class Kind(models.TextChoices):
        INVITE = "invite", _("邀请")
        RESET = "reset", _("重设密码")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    digest = models.CharField(max_length=64, unique=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="links")
    role = models.CharField(max_length=10, choices=Role.choices, blank=True)
    name = models.CharField(max_length=60, blank=True)
    # Whose password, or who has taken up the invitation.
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="links")
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # Used or withdrawn.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at"]


FIELD_WORDS = {
    "role": _("角色"),
    "is_active": _("是否在职"),
    "invite": _("邀请"),
    "password": _("密码"),
    "second_factor": _("两步验证"),
    "app_secret": "AppSecret",
    "name": _("店铺名称"),
}


class AuditRows(models.QuerySet["Audit"]):
    """What was written down stays as it is."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("audit rows are append-only")

    def delete(self) -> NoReturn:
        raise TypeError("audit rows are append-only")


class Audit(models.Model):
    """Who changed which credential, membership or setting, and when: names of fields, never values."""

    class Kind(models.TextChoices):
        CREDENTIAL = "credential", _("密钥")
        MEMBERSHIP = "membership", _("成员")
        LINK = "link", _("一次性链接")
        PERSON = "person", _("账号")
        SETTING = "setting", _("店铺设置")

    class Action(models.TextChoices):
        ADDED = "added", _("添加")
        CHANGED = "changed", _("修改")
        REMOVED = "removed", _("移除")

    at = models.DateTimeField(_("时间"), auto_now_add=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("谁"))
    kind = models.CharField(_("种类"), max_length=12, choices=Kind.choices)
    action = models.CharField(_("操作"), max_length=10, choices=Action.choices)
    # The row, such as "membership 12".
    row = models.CharField(_("哪一行"), max_length=60)
    fields = models.JSONField(_("改了哪些"), default=list)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, related_name="+", verbose_name=_("店铺")
    )
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("涉及的人"))

    objects = AuditRows.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("改动记录")
        ordering = ["-id"]
        indexes = [models.Index(fields=["merchant", "-id"], name="audit_of_merchant")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("audit rows are append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("audit rows are append-only")

    @property
    def said(self) -> str:
        """The changed fields in words; a name without one of its own stays as it is."""
        return "、".join(str(FIELD_WORDS.get(name, name)) for name in self.fields)
