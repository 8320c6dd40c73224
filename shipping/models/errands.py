"""What a person asks of WeChat about one order, and who has looked at a receiver in clear."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wechat.errcodes import Code, meaning

from .orders import ID, Order


class OrderErrand(models.Model):
    """One question answered or one note written: a worker calls once, the page follows this row."""

    class Kind(models.TextChoices):
        ADDRESS_ACCEPT = "address_accept", _("同意改地址")
        ADDRESS_REJECT = "address_reject", _("拒绝改地址")
        SKU_APPROVE = "sku_approve", _("同意换规格")
        SKU_REJECT = "sku_reject", _("拒绝换规格")
        NOTES = "notes", _("改商家备注")

    class Status(models.TextChoices):
        WAITING = "waiting", _("等待")
        RUNNING = "running", _("进行中")
        # The answer was lost: only reads of the order decide.
        UNSURE = "unsure", _("核对中")
        DONE = "done", _("完成")
        FAILED = "failed", _("没有成功")

    order = models.ForeignKey(Order, models.PROTECT, related_name="errands")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    # The note to be written, until it is.
    notes = models.TextField(blank=True)
    # The address hash when it was asked: another one afterwards says that the address was accepted.
    seen_hash = models.CharField(max_length=128, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    begun_at = models.DateTimeField(null=True)
    # Null until the moment before the first byte.
    sent_at = models.DateTimeField(null=True)
    misses = models.PositiveSmallIntegerField(default=0)
    next_read_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    errcode = models.BigIntegerField(null=True)
    slug = models.CharField(max_length=40, blank=True)
    errmsg = models.TextField(blank=True)
    rid = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(ended_at=None), name="one_open_errand_per_order"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(ended_at=None), name="order_errand_open")]

    def __str__(self) -> str:
        return f"{self.order} · {self.get_kind_display()}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def reason(self) -> Code:
        """The code table's row for why it failed."""
        return meaning(self.errcode, self.slug)


class ReceiverView(models.Model):
    """Who had a receiver decoded and why, written before the call; what was shown is kept nowhere."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="receiver_views")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    why = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    # How it ended: "" while nobody knows.
    slug = models.CharField(max_length=40, blank=True)
    errcode = models.BigIntegerField(null=True)
    rid = models.CharField(max_length=ID, blank=True)

    class Meta:
        ordering = ["-id"]
