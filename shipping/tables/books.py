"""Workbooks as rows, through calamine."""

from collections.abc import Iterator, Sequence

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from .cells import Value
from .refusing import Refused
from .source import Source


def book_rows(source: Source) -> Iterator[Sequence[Value]]:
    """The rows of the first sheet that has any. Raises Refused."""
    with source.open() as raw:
        try:
            book = CalamineWorkbook.from_filelike(raw)
            sheets = (book.get_sheet_by_index(n) for n in range(len(book.sheet_names)))
            sheet = next((sheet for sheet in sheets if sheet.height), None)
        except PasswordError:
            raise Refused("file_locked") from None
        except CalamineError:
            raise Refused("file_damaged") from None
        if sheet is not None:
            yield from sheet.iter_rows()
