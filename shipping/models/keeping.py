"""What was restored from a backup, and what left the database for files."""

from django.db import models
from django.utils import timezone

from .shipments import Shipment


class Restore(models.Model):
    """This database came out of a backup: what was done after `made_at` is known to WeChat alone."""

    at = models.DateTimeField(default=timezone.now)
    # When the backup was made, and by which version.
    made_at = models.DateTimeField()
    version = models.CharField(max_length=60, blank=True)
    # From then on no call of the desk that was lost can still arrive; facts read earlier are no facts.
    sure_at = models.DateTimeField()


class RestoredShipment(models.Model):
    """A shipment that had not ended when the backup was made, and the parcels its order showed then."""

    shipment = models.OneToOneField(Shipment, models.PROTECT, related_name="restored")
    restore = models.ForeignKey(Restore, models.PROTECT, db_index=False, related_name="shipments")
    # [[deliver_type, tracking number, [[product_id, sku_id, count]]]]
    parcels = models.JSONField(default=list)


class Archive(models.Model):
    """A file of attempts and status changes that left the database, or are about to.

    Written and read back before anything is removed; `sha256` is "" until then.
    """

    name = models.CharField(max_length=80, unique=True)
    folder = models.CharField(max_length=300)
    made_at = models.DateTimeField(default=timezone.now)
    version = models.CharField(max_length=60, blank=True)
    # Nothing in it happened later than this.
    before = models.DateTimeField()
    # Primary keys of the first and last shipment that it may hold.
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    shipments = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    changes = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # While a buyer is being erased from it: what the file's sum is about to be.
    next_sha256 = models.CharField(max_length=64, blank=True)
    # Null until everything of it was removed from the database.
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
