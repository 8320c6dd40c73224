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
