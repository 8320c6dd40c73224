"""A file, or what was pasted, as a Table: its columns by name and its rows one at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from .books import book_rows
from .cells import DIGITS_LOST, Value, is_destroyed, text_of
from .columns import IGNORED, field_of
from .hostile import BOOKS, WEB, Limits, kind_of
from .refusing import Refused
from .source import Source
from .text import pasted_rows, text_rows

HEADER_WITHIN = 6


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


@dataclass
class Table:
    """`rows` yields what stands under the header, blank rows left out, once; it may raise Refused midway.

    columns: the names, "" for a column without one; header_rows 0: there is no header.
    """

    columns: list[str]
    header_rows: int
    rows: Iterator[Row]
    kind: str


def open_table(data: bytes | Path, filename: str, limits: Limits = WEB) -> Table:
    """Read xlsx, xls, ods or text by its content, whatever it is called. Raises Refused."""
    source = Source(data, filename)
    kind = kind_of(source, limits)
    rows = book_rows(source) if kind in BOOKS else text_rows(source)
    return _table(rows, kind, limits)


def pasted_table(text: str, limits: Limits = WEB) -> Table:
    """Rows copied out of a spreadsheet or typed, with or without a header. Raises Refused."""
    return _table(pasted_rows(text), "pasted", limits)


def _table(raw: Iterator[Sequence[Value]], kind: str, limits: Limits) -> Table:
    rows = (row for row in _read(raw) if any(row.cells) or row.faults)
    head = list(islice(rows, HEADER_WITHIN))
    if not head:
        raise Refused("file_empty")
    header = _header(head)
    columns = _names(header)
    if len(columns) > limits.columns:
        raise Refused("too_many_columns", most=limits.columns)
    start = head.index(header[-1]) + 1 if header else 0
    return Table(columns, len(header), _limited(chain(head[start:], rows), limits), kind)


def _read(raw: Iterator[Sequence[Value]]) -> Iterator[Row]:
    for number, values in enumerate(raw, 1):
        cells, faults = [], {}
        for column, value in enumerate(values):
            text, fault = text_of(value)
            cells.append(text)
            if fault or is_destroyed(text):
                faults[column] = fault or DIGITS_LOST
        yield Row(number, cells, faults)


def _limited(rows: Iterator[Row], limits: Limits) -> Iterator[Row]:
    for count, row in enumerate(rows, 1):
        if count > limits.rows:
            raise Refused("too_many_rows", most=limits.rows)
        if len(row.cells) > limits.columns:
            raise Refused("too_many_columns", most=limits.columns)
        yield row


def _header(head: list[Row]) -> list[Row]:
    """The rows that name the columns: the one with most known names, and those below that name them again."""
    hits = [_hits(row) for row in head]
    best = hits.index(max(hits))
    if not hits[best]:
        return head[:1]
    end = best + 1
    while end < len(head) and hits[end] and hits[end] == sum(map(bool, head[end].cells)):
        end += 1
    return head[best:end]


def _hits(row: Row) -> int:
    return sum(field_of(cell) not in ("", IGNORED) for cell in row.cells)


def _names(header: list[Row]) -> list[str]:
    """Each column by the first of the header's rows that names it."""
    width = max(len(row.cells) for row in header)
    named = [next((row.cell(n) for row in header if row.cell(n)), "") for n in range(width)]
    while named and not named[-1]:
        named.pop()
    return named
