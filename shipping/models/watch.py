"""What is counted and watched for whoever runs the desk."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models import Merchant


class Tally(models.Model):
    """How many calls of a store ended with one answer, since ever; each is counted once."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="+")
    # WeChat's number, or our own word where it gave none.
    code = models.CharField(max_length=40)
    then = models.CharField(max_length=20)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "code", "then"], name="one_tally_per_code")
        ]


class TallyMark(models.Model):
    """The last attempt that was counted; one row."""

    upto = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_tally_mark")]


class Alert(models.Model):
    """Something that needs a person: told when it begins, again while it lasts, and when it is over."""

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, related_name="alerts", verbose_name=_("店铺")
    )
    # What it is, and what tells two of a kind apart: "paused" and " 48001", "code" and "999999".
    name = models.CharField(_("原因"), max_length=20)
    detail = models.CharField(_("细节"), max_length=100, blank=True)
    # The store and both of these: one alert at a time for each.
    key = models.CharField(max_length=140, editable=False)
    # What is said of it, as seen last: counts, ids of orders, WeChat's code and words.
    facts = models.JSONField(default=dict)
    began_at = models.DateTimeField(_("开始"))
    seen_at = models.DateTimeField(_("上次看到"))
    told_at = models.DateTimeField(_("上次通知"))
    ended_at = models.DateTimeField(_("结束"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("告警"), pgettext_lazy("plural", "告警")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(ended_at=None), name="one_open_alert_per_cause"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant or ''} {self.name} {self.detail}".strip()
