"""What a person mends in a batch: one answer for many rows, remembered for the store; one row by itself."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from merchants.models import Merchant, User
from shipping.models import Batch, BatchOrder, BatchRow, BatchStore, Remembered
from shipping.tables.columns import FIELDS, to_remember

from .controls import Stage, keep_open, send
from .couriers import courier_key
from .reading import order_key
from .rehearsal import OVER, Rehearsal, Verdict
from .shapes import Cause

EDITABLE = tuple(name for name in FIELDS if name != "note")
LONGEST = 200


def remember_columns(batch: Batch) -> None:
    """What a person said of columns holds for the stores that turned out to have orders in the file."""
    answers = {int(column): field for column, field in batch.answers.items()}
    known = to_remember(batch.columns, answers)
    for store in note_stores(batch) if known else ():
        for key, value in known.items():
            _remember(store, Remembered.Kind.COLUMN, key, value, batch.created_by)


def note_stores(batch: Batch) -> set[int]:
    """Keep which stores have orders in the batch, for their managers see it."""
    rows = BatchOrder.objects.filter(batch=batch, merchant__isnull=False).order_by()
    stores = set(rows.values_list("merchant__pk", flat=True).distinct())
    known = set(BatchStore.objects.filter(batch=batch).values_list("merchant__pk", flat=True))
    BatchStore.objects.bulk_create(BatchStore(batch=batch, merchant_id=key) for key in stores - known)
    return stores


def _remember(store: int, kind: Remembered.Kind, key: str, value: str, by: User) -> None:
    Remembered.objects.update_or_create(
        merchant_id=store, kind=kind, key=key[:120],
        defaults={"value": value, "by": by, "at": timezone.now()},
    )  # fmt: skip


@transaction.atomic
def name_courier(batch: Batch, cause: str, merchant: Merchant, code: str, user: User) -> int:
    """Say which courier all rows of a cause mean, remembered for the store; blank cells are filled.

    Returns the number of rows that the worker checks again. Raises controls.Busy.
    """
    send(batch, (Stage.OPEN,), Stage.CHECKING)
    rows = BatchOrder.objects.filter(batch=batch, cause=cause, merchant=merchant, verdict=Verdict.STOPPED)
    keys = list(rows.values_list("key", flat=True))
    lines = list(BatchRow.objects.filter(batch=batch, key__in=keys))
    if name := Cause.parse(cause).name:
        _remember(merchant.pk, Remembered.Kind.COURIER, courier_key(name), code, user)
    else:
        blank = [line for line in lines if not line.values.get("delivery_id")]
        for line in blank:
            line.values["delivery_id"] = code
        BatchRow.objects.bulk_update(blank, ["values"], batch_size=500)
    BatchOrder.objects.filter(batch=batch, key__in=keys).exclude(verdict__in=OVER).delete()
    return len(lines)


class AlreadySent(Exception):
    """The order that a row was given to has left with this very batch."""


@transaction.atomic
def edit_row(batch: Batch, number: int, texts: Mapping[str, str]) -> str:
    """Put other texts into a row and rehearse its order at once; returns the order that the row is of now.

    Raises AlreadySent, controls.Busy.
    """
    keep_open(batch)
    row = BatchRow.objects.get(batch=batch, number=number)
    old = row.key
    changed = {name: text[:LONGEST].strip() for name, text in texts.items() if name in EDITABLE}
    row.values = {name: text for name, text in (row.values | changed).items() if text}
    # A destroyed number is mended by typing it anew.
    row.faults = {name: slug for name, slug in row.faults.items() if name not in changed}
    if "order_id" in changed:
        row.key = order_key(changed["order_id"]) or old
    if BatchOrder.objects.filter(batch=batch, key=row.key, verdict__in=OVER).exists():
        raise AlreadySent
    row.is_edited = True
    row.save(update_fields=["values", "faults", "key", "is_edited"])
    Rehearsal(batch).check({old, row.key})
    note_stores(batch)
    return row.key
