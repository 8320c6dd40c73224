"""Files that a manager asked for, written in the background and kept for some days."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """One file of the history: what was asked, how far it is written; only its asker ever sees it."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("排队中")
        WRITING = "writing", _("正在导出")
        DONE = "done", _("已完成")
        FAILED = "failed", _("导出失败")

    class Kind(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "xlsx"

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="exports")
    asked_at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=4, choices=Kind.choices)
    # packages or calls, the filters of the page, and the language of its words.
    what = models.CharField(max_length=10)
    asked = models.JSONField(default=dict)
    language = models.CharField(max_length=10)
    # Whose rows it holds, by key: who no longer manages one of them gets the file no more.
    stores = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    # Rows written, and how many there were to write when it began.
    rows = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    # The store and the row written last: a run that was stopped goes on behind them.
    at_store = models.PositiveIntegerField(default=0)
    at_row = models.BigIntegerField(null=True)
    size = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    # A worker has it until then.
    lease_until = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["asked_by", "-id"], name="export_newest"),
            models.Index(fields=["status", "lease_until"], name="export_to_write"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.WRITING)


class ExportPart(models.Model):
    """A piece of an export: some hundred rows as JSON, or of a finished xlsx a megabyte of the file."""

    export = models.ForeignKey(Export, models.PROTECT, related_name="parts", db_index=False)
    is_file = models.BooleanField(default=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["export", "is_file", "number"], name="export_part_once"),
        ]
