"""Who is told when something needs a person: a store's chat groups and mailboxes, and what was said there."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.fields import EncryptedText
from wechat import robots

from .people import Role
from .stores import Merchant


class Channel(models.Model):
    """A way to tell the people of a store, or, without a store, whoever runs the desk for all of them."""

    class Kind(models.TextChoices):
        WECOM = robots.WECOM, _("企业微信群机器人")
        FEISHU = robots.FEISHU, _("飞书群机器人")
        DINGTALK = robots.DINGTALK, _("钉钉群机器人")
        MAIL = "mail", _("邮件")

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, blank=True, related_name="channels", verbose_name=_("店铺")
    )
    name = models.CharField(_("名称"), max_length=60)
    kind = models.CharField(_("方式"), max_length=10, choices=Kind.choices)
    is_active = models.BooleanField(_("启用"), default=True)
    language = models.CharField(
        _("语言"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    # Of a mail: everybody of at least this role.
    role = models.CharField(_("邮件发给"), max_length=10, choices=Role.choices, default=Role.ADMIN)
    webhook = EncryptedText(blank=True, default="", editable=False)
    sign_secret = EncryptedText(blank=True, default="", editable=False)
    # {"webhook": {"last4": …, "at": …, "by": …}, …}: what may be shown of each secret.
    shown = models.JSONField(default=dict, editable=False)
    succeeded_at = models.DateTimeField(_("上次送到"), null=True, editable=False)
    failed_at = models.DateTimeField(_("上次没送到"), null=True, editable=False)
    failure = models.CharField(_("没送到的原因"), max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("通知渠道"), pgettext_lazy("plural", "通知渠道")
        ordering = ["merchant", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_failing(self) -> bool:
        """Whether the last try did not get through."""
        return self.failed_at is not None and (
            self.succeeded_at is None or self.succeeded_at < self.failed_at
        )


class Message(models.Model):
    """What is to be said on one channel: saved before the first call, tried again until it got through."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="messages", verbose_name=_("通知渠道"))
    title = models.CharField(_("标题"), max_length=120)
    text = models.TextField(_("内容"))
    created_at = models.DateTimeField(_("写于"), auto_now_add=True)
    # Null: said, or given up. While it is being said, when another may try.
    due_at = models.DateTimeField(_("下次尝试"), null=True, default=timezone.now)
    tries = models.PositiveSmallIntegerField(_("试了几次"), default=0)
    said_at = models.DateTimeField(_("送到"), null=True)
    failure = models.CharField(_("没送到的原因"), max_length=300, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("通知"), pgettext_lazy("plural", "通知")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="message_due"),
            models.Index(fields=["created_at"], name="message_by_age"),
        ]

    def __str__(self) -> str:
        return self.title
