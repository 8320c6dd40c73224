"""Rows as a file for a person's spreadsheet: every cell is text, none can become a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import IO

import xlsxwriter

from .cells import full_width

# What makes a spreadsheet calculate: its signs, their full-width forms, and the blanks it skips before them.
_STARTS = (*"=+-@\t\r\n\0", *map(full_width, "=+-@"))
# From here on a spreadsheet shows a number in short; a leading zero it drops.
_LONGEST_NUMBER = 11
FLUSHED_ROWS = 500
_WIDTH = 24


def harmless(text: str) -> str:
    """A cell of a CSV that stays text: a formula gets a ', a long number a tab behind it.

    cells.cleaned takes both off again.
    """
    plain = text.encode("utf-8", "replace").decode()
    if plain.lstrip().startswith(_STARTS) or plain.startswith(_STARTS):
        return "'" + plain
    is_number = plain.isascii() and plain.isdigit()
    return plain + "\t" if is_number and (len(plain) > _LONGEST_NUMBER or plain[0] == "0") else plain


def csv_stream(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """UTF-8 with the mark by which Excel knows it, in pieces of some hundred rows."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    for count, row in enumerate(rows, 1):
        writer.writerow([harmless(cell) for cell in row])
        if count % FLUSHED_ROWS == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def write_xlsx(target: IO[bytes], sheets: dict[str, Iterable[Sequence[str]]]) -> None:
    """Sheets by name, the first row of each a header; rows are written as they come, not kept in memory."""
    with xlsxwriter.Workbook(target, {"constant_memory": True, "strings_to_formulas": False}) as book:
        head = book.add_format({"bold": True, "num_format": "@"})
        text = book.add_format({"num_format": "@"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.set_column(0, 16_383, _WIDTH, text)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    sheet.write_string(
                        number, column, cell.encode("utf-8", "replace").decode(), text if number else head
                    )
