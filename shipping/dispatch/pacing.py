"""When to try again: backoff, the table's waits, the minute and the midnight of Beijing."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from shipping.models import Shipment
from wechat.errcodes import Code

BEIJING = ZoneInfo("Asia/Shanghai")


def backoff(count: int) -> timedelta:
    """5 to 300 seconds, doubling with each call that was not sent."""
    return timedelta(seconds=min(300, 5 * 2 ** min(count - 1, 10)))


def table_wait(code: Code, tries: int) -> timedelta:
    """The table's wait, doubled with each try, with up to a fifth of jitter."""
    seconds = max(1, code.wait) * 2 ** max(0, tries - 1)
    return timedelta(seconds=seconds * (1 + random.random() / 5))  # noqa: S311 - jitter, not a secret


def until(code: Code, now: datetime) -> datetime | None:
    """When a pause named by the table ends by itself; None when a person must end it."""
    local = now.astimezone(BEIJING)
    if code.until == "next_minute":
        return (local + timedelta(minutes=1)).replace(second=1, microsecond=0)
    return next_midnight(now) if code.until == "midnight" else None


def next_midnight(now: datetime) -> datetime:
    """When WeChat's day of calls begins anew, by Beijing's clock."""
    local = now.astimezone(BEIJING)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=5, microsecond=0)


def requeue_at(shipment: Shipment, moment: datetime) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(due_at=max(moment, timezone.now()))
