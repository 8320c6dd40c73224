"""Who sells, who works for them and is invited to, and what has stopped them."""

import re

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from wechat.errcodes import Code, meaning

from .people import Role, User


def platform_host() -> str:
    """The host a merchant is made for: credentials never travel to another one."""
    return str(settings.WECHAT_API_HOST)


def ip_named_in(errmsg: str) -> str:
    """Our address as a 40164 names it, "" when there is none."""
    named = re.search(r"invalid ip ([0-9A-Fa-f.:]+)", errmsg)
    return named[1] if named else ""


class Merchant(models.Model):
    """A WeChat Store and what was last read about it."""

    appid = models.CharField("AppID", max_length=64, unique=True)
    name = models.CharField(_("店铺名称"), max_length=120)
    api_host = models.CharField(_("接口主机"), max_length=200, default=platform_host, editable=False)
    is_active = models.BooleanField(_("启用"), default=True)
    undo_seconds = models.PositiveSmallIntegerField(_("撤回时间（秒）"), default=0)
    # None: never read. A fact that was never read warns, it never stops.
    has_return_address = models.BooleanField(_("有默认退货地址"), null=True, editable=False)
    return_address_read_at = models.DateTimeField(_("退货地址读取时间"), null=True, editable=False)
    couriers_read_at = models.DateTimeField(_("快递公司读取时间"), null=True, editable=False)
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


class Pause(models.Model):
    """A merchant, or one call of a merchant, that must not be sent until someone acts or time passes.

    `call` is "" for every sending call, else the call's short word such as `order/list/get`.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="pauses", verbose_name=_("店铺"))
    call = models.CharField(_("接口"), max_length=80, blank=True)
    errcode = models.BigIntegerField(_("错误码"), null=True)
    slug = models.CharField(_("情形"), max_length=40, blank=True)
    errmsg = models.CharField(_("微信返回"), max_length=500, blank=True)
    rid = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(_("开始"), auto_now_add=True)
    until = models.DateTimeField(_("到"), null=True, blank=True)
    ended_at = models.DateTimeField(_("结束"), null=True, blank=True)
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("由谁结束")
    )

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
        return ip_named_in(self.errmsg)

    @property
    def reason(self) -> Code:
        """The code table's row for what stopped it."""
        if self.errcode == 48001 and self.call:
            # Which is no permission to ship: parcels go on leaving.
            return meaning(None, "reading_not_allowed")
        return meaning(self.errcode, self.slug)
