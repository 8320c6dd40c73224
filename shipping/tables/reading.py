"""A file, or what was pasted, as a Table: its columns by name and its rows one at a time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from .books import Sheet, open_ole, open_zip
from .cells import Value, fault_of, id_text, text_of
from .columns import IGNORED, field_of, guess_columns, recognise
from .columns import Mapping as Columns
from .hostile import WEB, Limits, check_name, check_size, outer_kind
from .places import Faults
from .refusing import Refused
from .source import Source
from .text import pasted_rows, text_rows

HEADER_WITHIN = 6
IDS = ("order_id", "waybill_id", "product_id", "sku_id", "sn_code", "imei1", "imei2")
SHEETS_LOOKED_AT = 8
LIKE_AN_ORDER = re.compile(r"\d{15,20}", re.ASCII)
NO_FAULTS: Mapping[int, str] = {}
NO_PLACES: Faults = {}


@dataclass(slots=True)
class Row:
    """One row as people see it: `number` is its line in their file, `faults` column -> slug of cells.py.

    cells are as long as the row is; a cell beyond the columns is not cut off.
    """

    number: int
    cells: list[str]
    faults: Mapping[int, str] = field(default_factory=dict)

    def cell(self, column: int | None) -> str:
        return self.cells[column] if column is not None and column < len(self.cells) else ""


def values_of(row: Row, mapping: Columns) -> tuple[dict[str, str], dict[str, str]]:
    """(texts, faults) of a row by field, blank ones left out; ids in their plain spelling."""
    columns = dict(mapping.fields)
    if mapping.courier_name is not None and not row.cell(columns.get("delivery_id")):
        columns["delivery_id"] = mapping.courier_name
    texts = {name: _meant(name, text) for name, column in columns.items() if (text := row.cell(column))}
    return texts, {name: row.faults[column] for name, column in columns.items() if column in row.faults}


def _meant(name: str, text: str) -> str:
    """Shop exports put a # before the number of an order."""
    if name not in IDS:
        return text
    return id_text(text).lstrip("#") if name == "order_id" else id_text(text)


@dataclass
class Table:
    """`rows` yields what stands under the header, blank rows left out, once; it may raise Refused midway.

    columns: the names, "" for a column without one; header_rows 0: there is no header, the names are blank.
    sample: the first rows, which `rows` yields as well. kind: xlsx, xls, ods, csv or pasted; sheet: the one
    that was read, "" where there are none.
    """

    columns: list[str]
    header_rows: int
    rows: Iterator[Row]
    sample: Sequence[Row]
    kind: str
    sheet: str = ""

    def mapping(self, remembered: Mapping[str, str] | None = None) -> Columns:
        """What the columns are, by their names; without a header by what the first rows hold."""
        if self.header_rows:
            return recognise(self.columns, remembered)
        return guess_columns([row.cells for row in self.sample])


def open_table(data: bytes | Path, filename: str, limits: Limits = WEB) -> Table:
    """Read xlsx, xls, ods or text by its content; a name of another kind is refused. Raises Refused."""
    source = Source(data, filename)
    check_size(source, limits)
    outer = outer_kind(source)
    if outer == "csv":
        check_name(source, "csv", limits)
        return _table(_read(text_rows(source)), limits, "csv")
    book = (open_zip if outer == "zip" else open_ole)(source.whole(), limits)
    check_name(source, book.kind, limits)
    return _of_orders([_sheet(s, limits, book.kind) for s in islice(book.sheets(), SHEETS_LOOKED_AT)])


def pasted_table(text: str, limits: Limits = WEB) -> Table:
    """Rows copied out of a spreadsheet or typed, with or without a header. Raises Refused."""
    if len(text) > limits.size:
        raise Refused("file_too_big", size=f"{len(text) / 1e6:.1f}", most=limits.size // 1_000_000)
    return _table(_read(pasted_rows(text)), limits, "pasted")


def _sheet(sheet: Sheet, limits: Limits, kind: str) -> Table | None:
    """None for a sheet in which every cell is blank."""
    try:
        return _table(_read(sheet.rows, sheet.left, sheet.faults), limits, kind, sheet.name)
    except Refused as refused:
        if refused.code in ("file_empty", "no_rows"):
            return None
        raise


def _of_orders(tables: Sequence[Table | None]) -> Table:
    """The sheet whose header names most; the first of equals."""
    filled = [table for table in tables if table is not None]
    if not filled:
        raise Refused("file_empty")
    return max(filled, key=lambda table: _hits(table.columns))


def _table(read: Iterator[Row], limits: Limits, kind: str, sheet: str = "") -> Table:
    rows = (row for row in read if row.faults or any(row.cells))
    head = list(islice(rows, HEADER_WITHIN))
    if not head:
        raise Refused("file_empty")
    header = _header(head)
    columns = _names(header, head)
    if len(columns) > limits.columns:
        raise Refused("too_many_columns", most=limits.columns)
    start = head.index(header[-1]) + 1 if header else 0
    under = head[start:]
    if not (under or limits.lenient):
        raise Refused("no_rows")
    return Table(columns, len(header), _limited(chain(under, rows), limits), under, kind, sheet)


def _read(raw: Iterator[Sequence[Value]], left: int = 0, places: Faults = NO_PLACES) -> Iterator[Row]:
    """Each row with its number; `left` blank cells stand before it, so that column 0 is the sheet's first."""
    for number, values in enumerate(raw, 1):
        cells, faults = [""] * left, dict(places.get(number - 1, NO_FAULTS))
        for column, value in enumerate(values, left):
            text, fault = text_of(value)
            cells.append(text)
            if fault := fault or fault_of(text):
                faults[column] = fault
        yield Row(number, cells, faults or NO_FAULTS)


def _limited(rows: Iterator[Row], limits: Limits) -> Iterator[Row]:
    for count, row in enumerate(rows, 1):
        if count > limits.rows:
            raise Refused("too_many_rows", most=limits.rows)
        if len(row.cells) > limits.columns and any(row.cells[limits.columns :]):
            raise Refused("too_many_columns", most=limits.columns)
        yield row


def _header(head: Sequence[Row]) -> Sequence[Row]:
    """The rows that name the columns: the one with most known names, and those below that name them again."""
    hits = [_hits(row.cells) for row in head]
    best = hits.index(max(hits))
    if not hits[best]:
        return () if any(LIKE_AN_ORDER.fullmatch(cell) for cell in head[0].cells) else head[:1]
    end = best + 1
    while end < len(head) and hits[end] and hits[end] == sum(map(bool, head[end].cells)):
        end += 1
    return head[best:end]


def _hits(cells: Sequence[str]) -> int:
    return sum(field_of(cell) not in ("", IGNORED) for cell in cells)


def _names(header: Sequence[Row], head: Sequence[Row]) -> list[str]:
    """Each column by the first of the header's rows that names it, or by a cell above that is known.

    The latter is a name merged downwards over two rows, beside the group name of other columns.
    """
    width = max(len(row.cells) for row in header or head)
    above = [row for row in head if header and row.number < header[0].number]
    names = [next((row.cell(n) for row in header if row.cell(n)), "") for n in range(width)]
    for column, name in enumerate(names):
        if not name:
            names[column] = next((row.cell(column) for row in above if field_of(row.cell(column))), "")
    while header and names and not names[-1]:
        names.pop()
    return names
