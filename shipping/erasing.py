"""Personal data goes: raw bodies some time after an order has ended, everything of a buyer when asked.

What stays are ids, codes, counts and times; docs/PRIVACY.md lists every personal field.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from merchants.audit import note
from merchants.models import Audit, Credential, Merchant, PushedEvent
from merchants.telling import close_channels

from . import archiving
from .history import opened
from .models import (
    Attempt,
    BatchFile,
    BatchOrder,
    BatchRow,
    Hold,
    Order,
    OrderBody,
    OrderErrand,
    Printing,
    ReceiverView,
    Serial,
    SerialUse,
    Shipment,
    StatusChange,
    Typed,
)

# store-api 1.4: done, oversold, everything refunded, cancelled.
ENDED = (100, 190, 200, 250)
# A transaction of its own each, so that nobody waits long for the database.
BATCH = 500
# Columns of an order that say something about its buyer.
PERSONAL = (
    "openid", "address_hash", "receiver", "phone", "phone_last4", "region", "customer_notes",
    "merchant_notes",
)  # fmt: skip


def remove_old_bodies() -> int:
    """Remove the raw bodies of orders that ended more than RAW_BODY_DAYS ago; returns how many."""
    before = timezone.now() - timedelta(days=settings.RAW_BODY_DAYS)
    is_old = Q(order__platform_updated_at__lte=before) | Q(
        order__platform_updated_at=None, read_at__lte=before
    )
    keys = OrderBody.objects.filter(is_old, order__status__in=ENDED).values_list("pk", flat=True)
    return sum(OrderBody.objects.filter(pk__in=some).delete()[0] for some in _batches(list(keys)))


def remove_old_uploads() -> int:
    """Remove files uploaded more than BATCH_FILE_DAYS ago, with every cell of theirs that no field needs."""
    before = timezone.now() - timedelta(days=settings.BATCH_FILE_DAYS)
    old = list(BatchFile.objects.filter(batch__created_at__lte=before).values_list("batch__pk", flat=True))
    for key in old:
        _forget_upload(key)
    return len(old)


@transaction.atomic
def _forget_upload(batch: int) -> None:
    BatchRow.objects.filter(batch=batch).update(cells=[])
    BatchFile.objects.filter(batch=batch).delete()


def erase_buyer(openid: str) -> int:
    """Remove what is personal from every order of one buyer; returns how many orders there were.

    Raises archiving.Missing, before it erased the order, when a file that names one is not at hand.
    """
    return _erase_orders(Order.objects.filter(openid=openid))


def erase_merchant(merchant: Merchant) -> int:
    """Close a store, forget its credential and channels, and remove what is personal from all its orders."""
    with transaction.atomic():
        Merchant.objects.filter(pk=merchant.pk).update(is_active=False)
        _forget_credential(merchant)
        close_channels(merchant)
    return _erase_orders(Order.objects.filter(merchant=merchant))


def _forget_credential(merchant: Merchant) -> None:
    rows = Credential.objects.filter(merchant=merchant)
    if row := rows.only("pk").first():
        note(
            row, kind=Audit.Kind.CREDENTIAL, action=Audit.Action.REMOVED, by=None, fields=["credential"],
            merchant=merchant,
        )  # fmt: skip
        rows.delete()


def _erase_orders(orders: QuerySet[Order]) -> int:
    keys = list(orders.values_list("pk", flat=True))
    for some in _batches(keys):
        # The files first: once the rows are erased nobody knows whose lines they were.
        archiving.forget(some)
        _erase(some)
    return len(keys)


def _batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    yield from (keys[first : first + BATCH] for first in range(0, len(keys), BATCH))


@transaction.atomic
def _erase(orders: Sequence[int]) -> None:
    blank: dict[str, str] = dict.fromkeys(PERSONAL, "")
    # A later reading of the order brings none of it back.
    Order.objects.filter(pk__in=orders).update(erased_at=timezone.now(), **blank)
    OrderBody.objects.filter(order__in=orders).delete()
    Typed.objects.filter(order__in=orders).delete()
    for merchant, order_id in Order.objects.filter(pk__in=orders).values_list("merchant", "order_id"):
        # What was pushed names the buyer.
        PushedEvent.objects.filter(merchant=merchant, order_id=order_id).update(body="")
    Printing.objects.filter(order__in=orders).update(noted=None)
    _erase_from_uploads(orders)
    Shipment.objects.filter(order__in=orders).update(noted=None)
    _erase_from_history(orders)
    Serial.objects.filter(package__order__in=orders).update(imei1="", imei2="")
    SerialUse.objects.filter(package__order__in=orders, kind=SerialUse.Kind.IMEI).delete()
    # Reasons that people wrote may name anybody.
    Hold.objects.filter(order__in=orders).update(reason="—")
    ReceiverView.objects.filter(order__in=orders).update(why="—")
    OrderErrand.objects.filter(order__in=orders).update(notes="", errmsg="", seen_hash="")
    SerialUse.objects.filter(package__order__in=orders, released_by__isnull=False).update(reason="—")


def _erase_from_history(orders: Sequence[int]) -> None:
    with opened("erasing"):
        # What is on its way is still needed; its row is closed soon.
        Attempt.objects.filter(order__in=orders, closed_at__isnull=False).update(request=None, errmsg="")
        StatusChange.objects.filter(package__order__in=orders, by__isnull=False).update(reason="")


def _erase_from_uploads(orders: Sequence[int]) -> None:
    """A file that names an order goes whole; of its rows stay the fields that were shipped by."""
    BatchOrder.objects.filter(order__in=orders).update(noted=None, packages=[])
    keys = list(Order.objects.filter(pk__in=orders).values_list("order_id", flat=True))
    rows = BatchRow.objects.filter(key__in=keys)
    BatchFile.objects.filter(batch__in=rows.values("batch")).delete()
    for row in rows.iterator():
        kept = {name: text for name, text in row.values.items() if name not in ("imei1", "imei2", "note")}
        BatchRow.objects.filter(pk=row.pk).update(cells=[], values=kept)
