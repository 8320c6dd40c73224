"""Rows about who sells, who works there, and which credential speaks for them."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

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

    class Meta:
        verbose_name = verbose_name_plural = _("用户")

    def __str__(self) -> str:
        return self.display_name or self.username


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
        verbose_name = verbose_name_plural = _("店铺")
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
        verbose_name = verbose_name_plural = _("成员")
        ordering = ["merchant", "user"]
        constraints = [
            models.UniqueConstraint(fields=["user", "merchant"], name="one_membership_per_merchant"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.merchant} · {self.get_role_display()}"


class TokenRow(models.Model):
    """A token, who may fetch it, and why the last fetch failed; the same for a store and for a platform."""

    access_token = EncryptedText(blank=True, default="", editable=False)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    token_expires_at = models.DateTimeField(_("token 有效期到"), null=True, editable=False)
    token_fetched_at = models.DateTimeField(_("token 获取时间"), null=True, editable=False)
    # Who may fetch: a compare-and-swap lease, so that many processes fetch once per expiry.
    lease_until = models.DateTimeField(default=timezone.now, editable=False)
    failed_at = models.DateTimeField(_("上次失败"), null=True, editable=False)
    failed_errcode = models.IntegerField(_("失败的错误码"), null=True, editable=False)
    failed_reason = models.CharField(_("微信返回"), max_length=300, blank=True, editable=False)

    class Meta:
        abstract = True


class Mode(models.TextChoices):
    """The ways the document names to call, and a token somebody else fetched (document section 1)."""

    OWN = "own", _("自有店铺：AppID 和 AppSecret")
    PASTED = "pasted", _("粘贴 access_token：不交出 AppSecret")
    COMPONENT = "component", _("第三方平台：店铺授权给服务商（权限集 131）")
    CLOUD = "cloud", _("云调用：运行在微信云托管，不用凭证")


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

    class Meta:
        verbose_name = verbose_name_plural = _("凭证")
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
        verbose_name = verbose_name_plural = _("第三方平台")
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
    received_at = models.DateTimeField(_("收到"), auto_now_add=True)
    handled_at = models.DateTimeField(_("处理"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("推送事件")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name", "create_time", "body_hash"], name="one_row_per_pushed_event"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(handled_at=None), name="pushed_event_waiting"),
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
    # A code is good for one call, however many ways it reaches us.
    key = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 - NULL repeats
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("申请人"))
    asked_at = models.DateTimeField(_("申请时间"), auto_now_add=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True)
    errcode = models.IntegerField(_("错误码"), null=True)
    slug = models.CharField(max_length=40, blank=True)
    errmsg = models.CharField(_("微信返回"), max_length=500, blank=True)
    rid = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("请求微信的事项")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.merchant or ''}"

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def reason(self) -> Code:
        """The code table's row for why it failed."""
        return meaning(self.errcode, self.slug)


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
        verbose_name = verbose_name_plural = _("暂停")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "call"], condition=Q(ended_at=None), name="one_open_pause_per_call"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant} · {self.call or _('全部发货')}"

    @property
    def reason(self) -> Code:
        """The code table's row for what stopped it."""
        return meaning(self.errcode, self.slug)
