"""What the managers' board counts: sums of finished hours and days, and who looked at it last when."""

from datetime import time

from django.conf import settings
from django.db import models
from django.utils import timezone

from merchants.models import Merchant

from .orders import ID

WHOLE_DAY = -1
EVERY_MORNING = time(8, 30)


class Figure(models.Model):
    """One sum of a store's day, or of a finished hour of today, as `shipping.figures` counts it."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False, related_name="+")
    day = models.DateField()
    hour = models.SmallIntegerField(default=WHOLE_DAY)
    what = models.CharField(max_length=12)
    key = models.CharField(max_length=ID, blank=True)
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "day", "hour", "what", "key"], name="figure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.what} {self.key}: {self.count}"


class FigureCursor(models.Model):
    """Up to which moment a store's packages stand in its figures; what came later is counted when asked."""

    merchant = models.OneToOneField(Merchant, models.PROTECT, related_name="figure_cursor")
    counted_to = models.DateTimeField()


class BoardVisit(models.Model):
    """When a person looked at the board last, and since when "what went wrong meanwhile" is told."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()
    # The end of the visit before; None until there was one.
    since = models.DateTimeField(null=True)


class DigestTime(models.Model):
    """Whether and when a store's people are sent the morning's digest; without a row by the defaults."""

    merchant = models.OneToOneField(Merchant, models.PROTECT, related_name="digest_time")
    is_on = models.BooleanField(default=True)
    at = models.TimeField(default=EVERY_MORNING)


class Digest(models.Model):
    """A store's digest of one morning: whoever makes the row, and only who makes it, sends it."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False, related_name="+")
    day = models.DateField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "day"], name="digest_once_a_day")]
