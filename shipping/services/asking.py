"""What a person asks the worker to look at now."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from merchants.models import Merchant, Pause, User
from merchants.services import resume_pause

from ..models import (
    Order,
    Reading,
    SyncCursor,
)
from ..wake import wake


def wake_read(merchant: Merchant, order_id: str) -> None:
    """Ask the worker to read one order from the platform, known or not."""
    wake("read_by_id", str(merchant.pk), order_id)


@transaction.atomic
def ask_reading(*, order: Order, by: User | None = None) -> None:
    """Have an order read as soon as possible; a person's wish also looks at what else is in its way."""
    now = timezone.now()
    values: dict[str, Any] = {"asked_at": now, "due_at": now, "tries": 0, "errcode": None, "slug": ""}
    if by is not None:
        values["asked_by"] = by
    Reading.objects.update_or_create(order=order, defaults=values)
    wake("read_asked", str(order.pk))


def wake_sync(merchant: Merchant) -> None:
    """Ask the worker to read now what changed among this merchant's orders."""
    SyncCursor.objects.update_or_create(merchant=merchant, defaults={"due_at": timezone.now()})
    wake("sync_merchant", str(merchant.pk))


@transaction.atomic
def resume_sending(*, pause: Pause, user: User) -> bool:
    """End a pause and let the worker look at once; False if someone was faster."""
    wake("send_ticket")
    return resume_pause(pause=pause, by=user)
