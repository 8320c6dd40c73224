"""An uploaded file into rows of ours: the header understood, each cell under its field."""

import logging
from collections.abc import Iterator
from itertools import islice

from django.db import transaction

from merchants.queries import merchants_for
from shipping.models import Batch, BatchRow, Remembered
from shipping.tables.columns import Mapping
from shipping.tables.reading import Row, Table, open_table, pasted_table, values_of
from shipping.tables.refusing import Refused

log = logging.getLogger(__name__)
CHUNK = 1000
SAMPLES = 3
# What a file must say of an order, or nothing can be shipped by it.
NEEDED = ("order_id",)
# What reading a file finds out.
FOUND = ("stage", "refused", "refused_params", "columns", "mapping", "rows")


def read_upload(batch: Batch) -> None:
    """Read the file, and stop at what only a person can tell: an unknown column, or none with the order."""
    _read(batch)
    found = {name: getattr(batch, name) for name in FOUND}
    # What a person has said meanwhile stays: a pause is a column of the same row.
    Batch.objects.filter(pk=batch.pk, stage=Batch.Stage.READING).update(**found)
    batch.refresh_from_db()


def _read(batch: Batch) -> None:
    try:
        table = _table(batch)
        rows = _widened(table)
        batch.columns = table.columns
        batch.mapping = _mapping(batch, table).as_json()
        _store(batch, rows)
    except Refused as refused:
        batch.stage, batch.refused = Batch.Stage.REFUSED, refused.code
        batch.refused_params = dict(refused.params)
    except Exception:
        # A file that breaks us once would break us for ever.
        log.exception("batch=%s: fault of our own while reading", batch.pk)
        batch.stage, batch.refused = Batch.Stage.REFUSED, "file_damaged"
    else:
        batch.stage = Batch.Stage.COLUMNS if open_questions(batch) else Batch.Stage.CHECKING


def _table(batch: Batch) -> Table:
    content = bytes(batch.file.content)
    if not batch.filename:
        return pasted_table(content.decode())
    return open_table(content, batch.filename)


def _widened(table: Table) -> list[Row]:
    """All rows; a cell beyond the named columns gets a column without a name, so that nobody misses it."""
    rows = list(table.rows)
    width = max((_width(row) for row in rows), default=0)
    table.columns += [""] * (width - len(table.columns))
    return rows


def _width(row: Row) -> int:
    return max((number for number, cell in enumerate(row.cells, 1) if cell), default=0)


def _mapping(batch: Batch, table: Table) -> Mapping:
    """By the names that are known, what was answered for these stores before, and what was answered now."""
    mapping = table.mapping(remembered_columns(batch))
    return mapping.answered({int(column): field for column, field in batch.answers.items()})


def remembered_columns(batch: Batch) -> dict[str, str]:
    """A column's name -> the field it was said to be, by anybody at the uploader's stores."""
    rows = Remembered.objects.filter(
        merchant__in=merchants_for(batch.created_by), kind=Remembered.Kind.COLUMN
    )
    return dict(rows.order_by("at").values_list("key", "value"))


def _store(batch: Batch, rows: list[Row]) -> None:
    """Replace the rows of the batch; a run that was killed begins anew."""
    mapping = Mapping.from_json(batch.mapping)
    BatchRow.objects.filter(batch=batch).delete()
    found = _named(batch, rows, mapping)
    while chunk := list(islice(found, CHUNK)):
        with transaction.atomic():
            BatchRow.objects.bulk_create(chunk)
    batch.rows = len(rows)


def _named(batch: Batch, rows: list[Row], mapping: Mapping) -> Iterator[BatchRow]:
    """A blank order cell, as merged cells leave it, means the order above."""
    current = ""
    for row in rows:
        values, faults = values_of(row, mapping)
        current = order_key(values.get("order_id", "")) or current
        yield BatchRow(
            batch_id=batch.pk, number=row.number, key=current, cells=row.cells, values=values, faults=faults
        )


def order_key(text: str) -> str:
    """An order number as it is looked for: shop exports put a # before it."""
    return text.strip().lstrip("#").strip()[:64]


def open_questions(batch: Batch) -> list[int]:
    """The columns a person must explain: unknown ones that hold something; all, if none is the order."""
    mapping = Mapping.from_json(batch.mapping)
    filled = _filled_columns(batch)
    unknown = [column for column in mapping.unrecognised if column in filled]
    if all(name in mapping.fields for name in NEEDED):
        return unknown
    return sorted(filled)


def _filled_columns(batch: Batch) -> set[int]:
    rows = BatchRow.objects.filter(batch=batch).values_list("cells", flat=True)
    return {column for cells in rows.iterator() for column, cell in enumerate(cells) if cell}


def samples(batch: Batch, column: int) -> list[str]:
    """The first things that stand in a column."""
    rows = BatchRow.objects.filter(batch=batch).order_by("number").values_list("cells", flat=True)[:50]
    found = (cells[column] for cells in rows if column < len(cells) and cells[column])
    return list(dict.fromkeys(found))[:SAMPLES]
