"""How fast one store may call one path, as WeChat's refusals have taught it."""

from django.db import models
from django.utils import timezone

from merchants.models import Merchant


class Tempo(models.Model):
    """A store that was called too fast goes slower from then on; without a row it goes as fast as it can."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="tempos")
    call = models.CharField(max_length=60)
    per_minute = models.FloatField()
    # The pace that WeChat refused: twice as fast without another refusal, and the row has served its time.
    refused = models.FloatField()
    next_at = models.DateTimeField(default=timezone.now)
    taught_at = models.DateTimeField(default=timezone.now)
    grown_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "call"], name="one_tempo_per_call")]


class Allowance(models.Model):
    """What openapi/quota/get told of a store and a call: the day's calls left, so many in so many seconds."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="allowances")
    call = models.CharField(max_length=60)
    # 0 where WeChat names none.
    day_limit = models.PositiveBigIntegerField(default=0)
    day_left = models.PositiveBigIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    seconds = models.PositiveIntegerField(default=0)
    read_at = models.DateTimeField(default=timezone.now)
    # The window being counted, and when the next one begins for a store that has used it up.
    began_at = models.DateTimeField(default=timezone.now)
    used = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "call"], name="one_allowance_per_call")]
