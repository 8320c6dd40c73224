"""What a scan station has in hand, and the ledger of the devices that were packed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from merchants.models import Merchant

from .shipments import Package


class ScanSession(models.Model):
    """One station of one login: a reload or another browser goes on where the last scan left off."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="stations")
    station = models.CharField(max_length=20, default="1")
    packer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # scanning.State, scanning.Told, the keys of the last scans, the shipments saved last.
    state = models.JSONField(default=dict)
    told = models.JSONField(default=dict)
    keys = models.JSONField(default=list)
    recent = models.JSONField(default=list)
    # Bumped by every scan: the update is the lock.
    revision = models.PositiveIntegerField(default=0)
    scanned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "station"], name="one_row_per_station"),
        ]


class SerialUse(models.Model):
    """One number of a device, taken by one package until that is off or the device came back.

    number: as the platform compares it, in capitals. kind: sn or imei.
    """

    class Kind(models.TextChoices):
        SN = "sn"
        IMEI = "imei"

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="serials")
    package = models.ForeignKey(Package, models.PROTECT, related_name="serial_uses")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    number = models.CharField(max_length=120)
    taken_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "number"], condition=Q(released_at=None), name="serial_in_use_once"
            ),
        ]
        indexes = [models.Index(fields=["number"], name="serial_use_by_number")]
