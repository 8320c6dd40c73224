"""When people are told: as something begins, every few hours while it lasts, and as it is over.

Alert and messages are one transaction, before anything is called; the open alert of a cause is unique and
each step a conditional update, so that several timekeepers tell it once.
"""

import logging
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from merchants.telling import notify
from shipping.models import Alert

from .causes import FINDERS, Cause
from .words import BEGAN, LASTS, OVER, compose

log = logging.getLogger(__name__)
# What goes and comes again within this time is one trouble, told once.
QUIET = timedelta(minutes=3)


def watch() -> None:
    """Look for everything that needs a person, and tell what is new, what lasts and what is over."""
    looked_for = [name for name in FINDERS if _look(name)]
    over = Alert.objects.filter(ended_at=None, name__in=looked_for, seen_at__lte=timezone.now() - QUIET)
    for alert in over.select_related("merchant"):
        _end(alert)


def _look(name: str) -> bool:
    """False when one kind could not be looked for: then nothing of it is over."""
    try:
        for cause in FINDERS[name]():
            _see(cause)
    except Exception:
        log.exception("alerts=%s: fault of our own", name)
        return False
    return True


def _see(cause: Cause) -> None:
    alert = Alert.objects.filter(key=cause.key, ended_at=None).select_related("merchant").first()
    if alert is None:
        _begin(cause)
        return
    now = timezone.now()
    alert.facts = cause.facts
    Alert.objects.filter(pk=alert.pk).update(seen_at=now, facts=cause.facts)
    repeat = timedelta(hours=settings.ALERT_REPEAT_HOURS)
    with transaction.atomic():
        if Alert.objects.filter(pk=alert.pk, ended_at=None, told_at__lte=now - repeat).update(told_at=now):
            _tell(alert, LASTS)


def _begin(cause: Cause) -> None:
    now = timezone.now()
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                merchant_id=cause.merchant, name=cause.name, detail=cause.detail, key=cause.key,
                facts=cause.facts, began_at=now, seen_at=now, told_at=now,
            )  # fmt: skip
            _tell(alert, BEGAN)
    except IntegrityError:
        log.info("another timekeeper was faster")


@transaction.atomic
def _end(alert: Alert) -> None:
    still = Alert.objects.filter(pk=alert.pk, ended_at=None, seen_at=alert.seen_at)
    if still.update(ended_at=timezone.now()):
        _tell(alert, OVER)


def _tell(alert: Alert, stage: str) -> None:
    notify(merchant=alert.merchant, compose=partial(compose, alert, stage), operator_too=True)
