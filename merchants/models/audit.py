"""Who changed what."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from .people import User
from .stores import Merchant

FIELD_WORDS: dict[str, Any] = {
    "role": _("角色"),
    "is_active": _("是否在职"),
    "invite": _("邀请"),
    "password": _("密码"),
    "second_factor": _("两步验证"),
    "mode": _("调用方式"),
    "app_secret": "AppSecret",
    "access_token": "access_token",
    "appid": "AppID",
    "push_token": _("消息校验 Token"),
    "aes_key": "EncodingAESKey",
    "name": _("店铺名称"),
    "force_refresh": _("强制换新 access_token"),
    "authorization": _("授权"),
    "credential": _("凭证"),
    "title": _("标题"),
    "means": _("发生了什么"),
    "do": _("下一步"),
    **dict(settings.LANGUAGES),
    "kind": _("方式"),
    "language": _("语言"),
    "webhook": _("机器人地址"),
    "sign_secret": _("加签密钥"),
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
        TEXT = "text", _("错误说明")
        CHANNEL = "channel", _("通知渠道")

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
        return say("、").join(str(FIELD_WORDS.get(name, name)) for name in self.fields)
