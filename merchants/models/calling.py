"""What speaks for a store at WeChat, what WeChat pushes to us, and what a person asks of it."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.fields import EncryptedText
from wechat.errcodes import Code, meaning

from .people import User
from .stores import Merchant, ip_named_in, platform_host


class TokenRow(models.Model):
    """A token, who may fetch it, and why the last fetch failed; the same for a store and for a platform."""

    access_token = EncryptedText(blank=True, default="", editable=False)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    token_expires_at = models.DateTimeField(_("token 有效期到"), null=True, editable=False)
    token_fetched_at = models.DateTimeField(_("token 获取时间"), null=True, editable=False)
    # Who may fetch: a compare-and-swap lease, so that many processes fetch once per expiry.
    lease_until = models.DateTimeField(default=timezone.now, editable=False)
    failed_at = models.DateTimeField(_("上次失败"), null=True, editable=False)
    failed_errcode = models.BigIntegerField(_("失败的错误码"), null=True, editable=False)
    failed_reason = models.CharField(_("微信返回"), max_length=300, blank=True, editable=False)

    class Meta:
        abstract = True


class Mode(models.TextChoices):
    """The ways the document names to call, and a token somebody else fetched (document section 1)."""

    OWN = "own", _("自有店铺：AppID 和 AppSecret")
    PASTED = "pasted", _("粘贴 access_token：不交出 AppSecret")
    COMPONENT = "component", _("第三方平台：店铺授权给服务商（权限集 131）")
    CLOUD = "cloud", _("云调用：运行在微信云托管，不用凭证")


def new_event_key() -> str:
    """A name for a store's push address that nobody guesses."""
    return secrets.token_urlsafe(24)


class Credential(TokenRow):
    """How a merchant is called and what speaks for it; every secret is encrypted at rest."""

    merchant = models.OneToOneField(
        Merchant, models.PROTECT, related_name="credential", verbose_name=_("店铺")
    )
    mode = models.CharField(_("调用方式"), max_length=10, choices=Mode.choices, default=Mode.OWN)
    app_secret = EncryptedText(blank=True, default="", editable=False)
    secret_last4 = models.CharField(max_length=4, blank=True, editable=False)
    secret_set_at = models.DateTimeField(_("密钥填写时间"), null=True, editable=False)
    secret_set_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("密钥填写人")
    )
    token_last4 = models.CharField(max_length=4, blank=True, editable=False)
    token_set_at = models.DateTimeField(_("token 粘贴时间"), null=True, editable=False)
    token_set_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    # The last token that the platform refused although it should have lived on.
    died_early_at = models.DateTimeField(null=True, editable=False)
    # The last force_refresh that was allowed, taken by conditional update.
    forced_at = models.DateTimeField(null=True, editable=False)
    refresh_token = EncryptedText(blank=True, default="", editable=False)
    recovered_at = models.DateTimeField(null=True, editable=False)
    permission_sets = models.JSONField(default=list, editable=False)
    authorized_at = models.DateTimeField(_("授权时间"), null=True, editable=False)
    cancelled_at = models.DateTimeField(_("取消授权时间"), null=True, editable=False)
    # The store's push address ends in it; it is typed into WeChat's back office, so it never changes.
    event_key = models.CharField(max_length=43, unique=True, default=new_event_key, editable=False)
    push_token = EncryptedText(blank=True, default="", editable=False)
    aes_key = EncryptedText(blank=True, default="", editable=False)
    # {"push_token": {"last4": …, "at": …, "by": …}, …}: what may be shown of each secret.
    shown = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("凭证"), pgettext_lazy("plural", "凭证")
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="credential_mode_is_known"),
        ]

    def __str__(self) -> str:
        return str(self.merchant)


class Platform(TokenRow):
    """Our third-party platform, one row at most: what it calls with, and the key of what is pushed to it."""

    appid = models.CharField(_("第三方平台 AppID"), max_length=64)
    api_host = models.CharField(_("接口主机"), max_length=200, default=platform_host, editable=False)
    app_secret = EncryptedText(blank=True, default="", editable=False)
    push_token = EncryptedText(blank=True, default="", editable=False)
    aes_key = EncryptedText(blank=True, default="", editable=False)
    # {"app_secret": {"last4": …, "at": …, "by": …}, …}: what may be shown of each secret.
    shown = models.JSONField(default=dict, editable=False)
    verify_ticket = EncryptedText(blank=True, default="", editable=False)
    # As WeChat dated it, so that an old push that arrives late does not replace a newer ticket.
    ticket_at = models.DateTimeField(_("上次收到 ticket"), null=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("第三方平台"), pgettext_lazy("plural", "第三方平台")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_platform")]

    def __str__(self) -> str:
        return self.appid


class PushedEvent(models.Model):
    """One event as it was pushed, decrypted and encrypted again by us: a ticket is a secret."""

    source = models.CharField(_("来自"), max_length=64)
    name = models.CharField(_("事件"), max_length=64)
    create_time = models.BigIntegerField(_("事件时间（秒）"))
    body_hash = models.CharField(max_length=64)
    body = EncryptedText(editable=False)
    # Of a store's own events: whose, about which order, and the type of an ext_info event.
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("店铺")
    )
    order_id = models.CharField(_("订单号"), max_length=64, blank=True, default="")
    detail = models.IntegerField(_("类型"), null=True)
    received_at = models.DateTimeField(_("收到"), auto_now_add=True)
    handled_at = models.DateTimeField(_("处理"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("推送事件"), pgettext_lazy("plural", "推送事件")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name", "create_time", "order_id", "body_hash"],
                name="one_row_per_pushed_event",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(handled_at=None), name="pushed_event_waiting"),
            models.Index(fields=["merchant", "order_id"], name="pushed_event_of_order"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.create_time}"


class Errand(models.Model):
    """Something a person asked of WeChat and waits for: a worker runs it once, the page follows this row."""

    class Kind(models.TextChoices):
        FORCE = "force", _("强制换新 access_token")
        LINK = "link", _("生成授权链接")
        QUERY_AUTH = "query_auth", _("读取店铺的授权")
        START_PUSH = "start_push", _("请微信推送 ticket")
        TEST = "test", _("测试线路")
        QUOTA = "quota", _("查看用量")
        CLEAR_QUOTA = "clear_quota", _("清空今天的用量")
        TELL = "tell", _("发送测试消息")

    class Status(models.TextChoices):
        WAITING = "waiting", _("等待")
        RUNNING = "running", _("进行中")
        DONE = "done", _("完成")
        FAILED = "failed", _("没有成功")

    kind = models.CharField(_("事项"), max_length=12, choices=Kind.choices)
    merchant = models.ForeignKey(Merchant, models.PROTECT, null=True, verbose_name=_("店铺"))
    status = models.CharField(_("状态"), max_length=8, choices=Status.choices, default=Status.WAITING)
    # What goes in and what comes out: an authorization code, a link with its pre_auth_code.
    given = EncryptedText(blank=True, default="", editable=False)
    result = EncryptedText(blank=True, default="", editable=False)
    # What was found out, for the page to show; nothing secret.
    facts = models.JSONField(default=dict, editable=False)
    # A code is good for one call, however many ways it reaches us.
    key = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 - NULL repeats
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("申请人"))
    asked_at = models.DateTimeField(_("申请时间"), auto_now_add=True)
    begun_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(_("结束时间"), null=True)
    errcode = models.BigIntegerField(_("错误码"), null=True)
    slug = models.CharField(max_length=40, blank=True)
    errmsg = models.CharField(_("微信返回"), max_length=500, blank=True)
    rid = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name = _("请求微信的事项")
        verbose_name_plural = pgettext_lazy("plural", "请求微信的事项")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.merchant or ''}"

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def ip_to_allow(self) -> str:
        """Our address as the platform sees it, "" when its words name none."""
        return ip_named_in(self.errmsg)

    @property
    def reason(self) -> Code:
        """The code table's row for why it failed."""
        return meaning(self.errcode, self.slug)
