"""What the background remembers of its own work: how far it read, when it last ran."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from merchants.models import Merchant
from wechat.errcodes import Code, meaning

from .orders import Order


class SyncCursor(models.Model):
    """How far one store's orders were read, by WeChat's update_time; the row is the lease on reading, too."""

    merchant = models.OneToOneField(Merchant, models.PROTECT, related_name="sync_cursor")
    # Whatever changed up to then was read; null until a first window was read whole.
    read_to = models.DateTimeField(null=True)
    # The window being read and the place in its list: a run that was stopped goes on there.
    window_from = models.DateTimeField(null=True)
    window_to = models.DateTimeField(null=True)
    next_key = models.TextField(blank=True)
    # Ids of orders that could not be read in their turn; every run tries them again.
    missed = models.JSONField(default=list)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    # A task was enqueued then and has not begun.
    asked_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    # When couriers and return address were last asked for.
    store_asked_at = models.DateTimeField(null=True)
    # Of the run under way, or the last one.
    read = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)


class Reading(models.Model):
    """An order that is to be read now: WeChat pushed an event about it, or a person asked.

    It goes when a reading begun after `asked_at` was stored; until then what we know of the order is old.
    """

    order = models.OneToOneField(Order, models.PROTECT, related_name="reading")
    asked_at = models.DateTimeField(default=timezone.now)
    # A person also wants to know about what else stands in the order's way; None: an event.
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # Null: it was refused, and is not tried again by itself.
    due_at = models.DateTimeField(null=True, default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    errcode = models.BigIntegerField(null=True)
    slug = models.CharField(max_length=40, blank=True)
    errmsg = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="reading_due"),
        ]

    @property
    def reason(self) -> Code | None:
        """Why the last try brought nothing; None before the first."""
        return meaning(self.errcode, self.slug) if self.tries else None


class Schedule(models.Model):
    """When each entry of the timekeeper last ran; taken by conditional update."""

    name = models.CharField(max_length=40, unique=True)
    last_run_at = models.DateTimeField(default=timezone.now)


class Opening(models.Model):
    """The door to history is open to the transaction that made this row; it never outlives it."""

    why = models.CharField(max_length=60)
