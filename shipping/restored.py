"""After a restore: nothing is sent on what the backup remembers.

What was queued when the backup was made may have left since, under its own number or another. Facts count
only when they were read after the last call of the lost desk can have arrived, and a parcel that nobody here
knows of makes a manager decide.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Greatest

from merchants.models import Errand, Merchant, Pause
from merchants.once import once
from wechat.waybills import normalise

from . import states
from .models import (
    Attempt,
    Batch,
    Order,
    OrderErrand,
    Package,
    Parcel,
    Restore,
    RestoredShipment,
    Shipment,
)
from .parcels import known_as, renames

RESTORED, CHANGED, UNREAD = "restored", "restored_changed", "restored_unread"
# What had not ended, and might be sent by the next hand or worker.
UNDONE = (states.DRAFT, states.QUEUED, states.SENDING, states.UNKNOWN)
STEP = 500
Shown = tuple[int | None, str, tuple[tuple[str, str, int], ...]]


def facts_begin() -> datetime | None:
    """The moment before which nothing read of an order counts; None when nothing was ever restored."""
    return once("facts_begin", _facts_begin)


def _facts_begin() -> datetime | None:
    return Restore.objects.order_by("-pk").values_list("sure_at", flat=True).first()


def doubt(shipment: Shipment, order: Order) -> str:
    """Why a shipment of before a restore is not simply sent: a slug, "" when nothing speaks against it."""
    if facts_begin() is None:
        return ""
    row = RestoredShipment.objects.filter(shipment=shipment).select_related("restore").first()
    if row is None:
        return ""
    if order.read_at is None or order.read_at < row.restore.sure_at:
        return UNREAD
    return CHANGED if _strangers(order, row.parcels) else ""


def _strangers(order: Order, remembered: Iterable[Any]) -> Counter[Shown]:
    """The parcels the order shows now that it had not then, and that are none we know to have shipped."""
    ours = list(order.packages.filter(status=states.SHIPPED))
    corrected = renames(ours)
    known = {number for package in ours for number in known_as(package.waybill_id, corrected)}
    now = Counter(one for one in map(_shown, order.parcels.all()) if not one[1] or one[1] not in known)
    return now - Counter(_read(one) for one in remembered)


def _shown(parcel: Parcel) -> Shown:
    items = sorted((str(product), str(sku), int(count)) for product, sku, count in parcel.items)
    return parcel.deliver_type, normalise(parcel.waybill_id), tuple(items)


def _read(told: Any) -> Shown:
    deliver_type, number, items = told
    return deliver_type, number, tuple((product, sku, count) for product, sku, count in items)


# --- right after the rows are in, before anybody sees them ----------------------------------------------


def calm(using: str, *, at: datetime, made_at: datetime, version: str) -> None:
    """Make restored rows safe: every store stands still, what was in doubt is in doubt from `at` on."""
    grace = timedelta(seconds=settings.SETTLE_GRACE + 2 * settings.WECHAT_TIMEOUT[2])
    with transaction.atomic(using=using):
        RestoredShipment.objects.using(using).all().delete()
        row = Restore.objects.using(using).create(at=at, made_at=made_at, version=version, sure_at=at + grace)
        _pause(using, at)
        _remember(using, row)
        waiting = Shipment.objects.using(using).filter(due_at__isnull=False)
        waiting.update(due_at=Greatest("due_at", row.sure_at))
        _doubt_again(using, at)
        _drop_wishes(using, at)


def _pause(using: str, at: datetime) -> None:
    Pause.objects.using(using).filter(call="", ended_at=None).update(ended_at=at)
    for merchant in Merchant.objects.using(using).filter(is_active=True):
        Pause.objects.using(using).create(merchant=merchant, slug=RESTORED)


def _remember(using: str, row: Restore) -> None:
    undone = Package.objects.filter(shipment=OuterRef("pk"), status__in=UNDONE)
    rows: QuerySet[Shipment] = Shipment.objects.using(using).filter(Exists(undone)).select_related("order")
    made = (
        RestoredShipment(shipment=each, restore=row, parcels=[_shown(p) for p in each.order.parcels.all()])
        for each in rows.prefetch_related("order__parcels").iterator(STEP)
    )
    RestoredShipment.objects.using(using).bulk_create(made, batch_size=STEP)


def _doubt_again(using: str, at: datetime) -> None:
    """The lost desk may have called once more: what a read must prove is proved from now on."""
    lost = Attempt.objects.using(using).filter(closed_at=None, ended_at__isnull=False)
    lost.update(ended_at=at, misses=0, last_miss_at=None, next_read_at=at)
    asked = OrderErrand.objects.using(using).filter(ended_at=None, sent_at__isnull=False)
    asked.update(status=OrderErrand.Status.UNSURE, sent_at=at, misses=0, next_read_at=at)


def _drop_wishes(using: str, at: datetime) -> None:
    """What people had asked for may have been done since: they ask again."""
    over = {"status": OrderErrand.Status.FAILED, "slug": RESTORED, "ended_at": at}
    OrderErrand.objects.using(using).filter(ended_at=None, sent_at=None).update(notes="", **over)
    errands = Errand.objects.using(using).filter(ended_at=None)
    errands.update(status=Errand.Status.FAILED, slug=RESTORED, ended_at=at, given="")
    busy = Batch.objects.using(using).filter(stage=Batch.Stage.QUEUEING)
    busy.update(stage=Batch.Stage.OPEN, paused_at=at)
