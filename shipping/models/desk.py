"""What people do around an order: hold it, type into its form, have it open, print its slip."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .orders import Order


class Hold(models.Model):
    """An order that must not leave for now; over when released, or when its time has come."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=200)
    until = models.DateTimeField(null=True)
    held_at = models.DateTimeField(default=timezone.now)
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(released_at=None), name="one_open_hold_per_order"
            ),
        ]


class Typed(models.Model):
    """What one person has typed into an order's form and not sent; the form saves it by itself."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="typed")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    fields = models.JSONField()
    saved_at = models.DateTimeField(default=timezone.now)
    noted = models.JSONField(null=True)
    noted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "user"], name="typed_once_per_person")]


class Visit(models.Model):
    """Who has an order's form open, and since when; a poll keeps `seen_at` fresh."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="visits")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "user"], name="visit_once_per_person")]


class Printing(models.Model):
    """A packing slip that was printed, and what the order said then."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="printings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    paper = models.CharField(max_length=10)
    noted = models.JSONField(null=True)

    class Meta:
        ordering = ["-id"]
