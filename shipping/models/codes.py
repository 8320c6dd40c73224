"""What this installation says of codes in its own words, and which codes the table does not know."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models import Merchant
from wechat.errcodes import Code, meaning


class CodeText(models.Model):
    """Own words over the shipped table, for people only: what a worker does on a code is not written here.

    A row is never rewritten: new words end the row before, and so does the way back to the shipped words.
    """

    # The platform's number, or our own slug.
    code = models.CharField(_("错误码"), max_length=40)
    language = models.CharField(_("语言"), max_length=10, choices=settings.LANGUAGES)
    # Blank: the shipped word stays.
    title = models.CharField(_("标题"), max_length=60, blank=True)
    means = models.CharField(_("发生了什么"), max_length=300, blank=True)
    do = models.CharField(_("下一步"), max_length=300, blank=True)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("谁写的")
    )
    written_at = models.DateTimeField(_("写于"), default=timezone.now)
    ended_at = models.DateTimeField(_("停用"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("谁停用的")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("错误说明"), pgettext_lazy("plural", "错误说明")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "language"], condition=Q(ended_at=None), name="one_text_in_force_per_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.get_language_display()}"

    @property
    def row(self) -> Code:
        """The table's row; of a code that is not listed, the one for all of those."""
        number = self.code.removeprefix("-")
        return meaning(int(self.code)) if number.isascii() and number.isdigit() else meaning(None, self.code)


class UnknownCode(models.Model):
    """A code that a store was answered with and that the table does not know."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="unknown_codes", verbose_name=_("店铺")
    )
    errcode = models.BigIntegerField(_("错误码"))
    count = models.PositiveIntegerField(_("次数"), default=1)
    first_seen_at = models.DateTimeField(_("第一次"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("最近一次"), default=timezone.now)
    # Of the last time, without what is personal or secret: WeChat finds it by the rid for seven days.
    errmsg = models.CharField(_("微信返回"), max_length=300, blank=True)
    rid = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("未收录的错误码"), pgettext_lazy("plural", "未收录的错误码")
        ordering = ["-last_seen_at"]
        constraints = [
            models.UniqueConstraint(fields=["merchant", "errcode"], name="one_row_per_unknown_code"),
        ]

    def __str__(self) -> str:
        return f"{self.errcode} · {self.merchant}"
