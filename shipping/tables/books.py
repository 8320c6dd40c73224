"""Workbooks as rows, through calamine; what a file hides is looked for before (zipped, places, ole)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from .cells import Value
from .hostile import Limits
from .ole import xls_faults
from .places import Faults, check_ods, xlsx_faults
from .refusing import Refused
from .trial import survive
from .zipped import Archive, unpack


@dataclass
class Sheet:
    """One sheet of a workbook that holds something, from its first row on.

    left: how many columns stand empty before the first cell of each row; faults by row and column.
    """

    name: str
    rows: Iterator[Sequence[Value]]
    left: int = 0
    faults: Faults = field(default_factory=dict)


@dataclass
class Book:
    """A workbook that was looked over: xlsx, ods or xls."""

    kind: str
    data: bytes
    faults: Sequence[Faults]

    def sheets(self) -> Iterator[Sheet]:
        """The visible sheets that hold something, one after another. Raises Refused."""
        try:
            book = CalamineWorkbook.from_filelike(BytesIO(self.data))
            for number, about in enumerate(book.sheets_metadata):
                is_shown = about.visible == SheetVisibleEnum.Visible
                if is_shown and about.typ == SheetTypeEnum.WorkSheet:
                    yield from self._sheet(number, book.get_sheet_by_index(number))
        except PasswordError:
            raise Refused("file_locked") from None
        except Refused:
            raise
        except BaseException as error:
            raise _damaged(error) from None

    def _sheet(self, number: int, sheet: CalamineSheet) -> Iterator[Sheet]:
        if sheet.start is not None:
            faults = self.faults[number] if number < len(self.faults) else {}
            yield Sheet(sheet.name, sheet.iter_rows(), sheet.start[1], faults)


def _damaged(error: BaseException) -> BaseException:
    """What the parser says of a broken file; its panics are no Exception, a pressed Ctrl-C stays one."""
    is_panic = type(error).__name__ == "PanicException"
    return Refused("file_damaged") if is_panic or isinstance(error, Exception) else error


def open_zip(data: bytes, limits: Limits) -> Book:
    """xlsx or ods. Raises Refused."""
    archive = unpack(data)
    if archive.kind == "ods":
        check_ods(archive.members.get("content.xml", b""), limits)
        return Book("ods", data, ())
    return Book("xlsx", data, _xlsx_faults(archive, limits))


def _xlsx_faults(archive: Archive, limits: Limits) -> list[Faults]:
    """By sheet. Every member is looked at: the parser reads whatever the workbook points to."""
    found = {name: xlsx_faults(member, limits) for name, member in archive.members.items()}
    return [found.get(name, {}) for name in archive.sheets()]


def open_ole(data: bytes, limits: Limits) -> Book:
    """xls. Raises Refused."""
    faults = xls_faults(data, limits)
    survive(data)
    return Book("xls", data, faults)
