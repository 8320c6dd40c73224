"""Uploaded files of tracking numbers, what a rehearsal made of them, what a person answered once."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from merchants.models import Merchant

from .orders import ID, Order
from .shipments import Shipment


class Batch(models.Model):
    """One upload. `stage` says what the worker is doing with it, or that a person has the word."""

    class Stage(models.TextChoices):
        READING = "reading", _("正在读取")
        REFUSED = "refused", _("文件不能用")
        COLUMNS = "columns", _("等您说明各列")
        CHECKING = "checking", _("正在预检")
        OPEN = "open", _("预检完成")
        QUEUEING = "queueing", _("正在保存")
        CANCELLING = "cancelling", _("正在撤回")

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="batches")
    created_at = models.DateTimeField(default=timezone.now)
    # "" when rows were pasted.
    filename = models.CharField(max_length=200, blank=True)
    size = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64)
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.READING)
    # Why the file could not be used: a code of filewords, and what its sentence names.
    refused = models.CharField(max_length=40, blank=True)
    refused_params = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    # A person's answers: the number of a column -> its field.
    answers = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # A worker has it until then; by the clock, since doing a chunk twice harms nobody.
    lease_until = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["created_by", "-id"], name="batch_newest"),
            models.Index(fields=["sha256"], name="batch_by_content"),
            models.Index(fields=["paused_at"], condition=Q(paused_at__isnull=False), name="batch_paused"),
        ]

    def __str__(self) -> str:
        return self.filename or f"#{self.pk}"


class BatchFile(models.Model):
    """The upload itself, apart so that lists never load it; removed after BATCH_FILE_DAYS."""

    batch = models.OneToOneField(Batch, models.PROTECT, related_name="file")
    content = models.BinaryField()


class BatchStore(models.Model):
    """A store that has orders in a file: its managers see the batch."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="stores")
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="batches", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "batch"], name="store_once_per_batch"),
        ]


class BatchOrder(models.Model):
    """One order of a file: what the rehearsal found, and the shipment it became."""

    class Verdict(models.TextChoices):
        READY = "ready", _("可以发货")
        STOPPED = "stopped", _("有问题")
        DIFFERS = "differs", _("已用别的单号")
        KNOWN = "known", _("已发过")
        STRANGE = "strange", _("不是您的订单")
        QUEUED = "queued", _("已提交")
        CANCELLED = "cancelled", _("已撤回")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="orders", db_index=False)
    # The order number as the file has it, whatever that is.
    key = models.CharField(max_length=ID)
    first_row = models.PositiveIntegerField()
    row_count = models.PositiveIntegerField(default=1)
    # Null: of none of the stores that the uploader ships for.
    merchant = models.ForeignKey(Merchant, models.PROTECT, null=True, related_name="+")
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    # The first thing that stops it, by which many are counted and mended at once.
    cause = models.CharField(max_length=160, blank=True)
    # [[row, column, errcode, slug, stops, params]]
    problems = models.JSONField(default=list)
    has_warnings = models.BooleanField(default=False)
    # The packages exactly as they will be sent (drafts.PackageDraft).
    packages = models.JSONField(default=list)
    package_count = models.PositiveSmallIntegerField(default=0)
    # Pieces that stay unshipped.
    leaves = models.PositiveIntegerField(default=0)
    # What the order said when the file came (drafts.Noted).
    noted = models.JSONField(null=True)
    # When somebody last said yes to it; the worker saves what has the batch's own `confirmed_at`.
    confirmed_at = models.DateTimeField(null=True)
    shipment = models.ForeignKey(Shipment, models.PROTECT, null=True, related_name="batch_orders")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "key"], name="order_once_per_batch"),
        ]
        indexes = [
            models.Index(fields=["batch", "verdict", "first_row"], name="batch_order_by_verdict"),
            models.Index(fields=["batch", "cause"], name="batch_order_by_cause"),
        ]

    def __str__(self) -> str:
        return self.key


class BatchRow(models.Model):
    """One row of a file: its cells as they came, and what a person has changed since."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="lines", db_index=False)
    number = models.PositiveIntegerField()
    # The order number; a blank cell means the one of the row above.
    key = models.CharField(max_length=ID)
    # Every cell, for the file that goes back; removed with the upload.
    cells = models.JSONField(default=list)
    # By field: the text that counts, and why Excel's cannot be used.
    values = models.JSONField(default=dict)
    faults = models.JSONField(default=dict)
    is_edited = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="batch_row_once"),
        ]
        indexes = [
            models.Index(fields=["batch", "key", "number"], name="batch_row_by_order"),
            models.Index(fields=["key"], name="batch_row_of_order"),
        ]


class Remembered(models.Model):
    """An answer given once for a store: what a column means, which courier a name is."""

    class Kind(models.TextChoices):
        COLUMN = "column"
        COURIER = "courier"

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="remembered")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=120)
    value = models.CharField(max_length=ID)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "kind", "key"], name="remembered_once"),
        ]
