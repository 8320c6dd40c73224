"""Where the cells of a sheet lie, and which hold no value, told from its bytes before it is parsed."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from .cells import IS_ERROR, NO_VALUE
from .hostile import Limits, check_extent

# Row -> column, both counted from 0 -> a slug of cells.py.
Faults = Mapping[int, Mapping[int, str]]

# A tag up to its end; possessive, so that a crafted one costs no more than its length.
_INSIDE = rb"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+"""
_PREFIX = rb"(?:[^\s:<>/]++:)?"
_CELL = re.compile(rb"<" + _PREFIX + rb"(c|row)(?=[\s/>])(" + _INSIDE + rb")>")
_PLACE = re.compile(rb"\sr=[\"']([A-Za-z]*)(\d{1,10})[\"']")
_ERROR = re.compile(rb"\st=[\"']e[\"']")
_EMPTY_FORMULA = re.compile(
    rb"<" + _PREFIX + rb"c(?=\s)(" + _INSIDE + rb")>\s*+<" + _PREFIX + rb"f(?=[\s/>])" + _INSIDE
    + rb"(?:(?<=/)>|>[^<]*+</" + _PREFIX + rb"f>)\s*+"
    + rb"(?:<" + _PREFIX + rb"v\s*+/>|<" + _PREFIX + rb"v>\s*+</" + _PREFIX + rb"v>)?+\s*+"
    + rb"</" + _PREFIX + rb"c>"
)  # fmt: skip
_ODS_ROW = re.compile(
    rb"<table:(table|table-row)(?=[\s/>])(" + _INSIDE + rb")>((?:(?!</?table:table-row[\s/>]).)*)", re.DOTALL
)
_ODS_CELL = re.compile(rb"<table:(?:covered-)?table-cell(?=[\s/>])(" + _INSIDE + rb")>")
_REPEATED = re.compile(rb"\btable:number-(?:columns|rows)-repeated=[\"'](\d{1,10})[\"']")


def xlsx_faults(sheet: bytes, limits: Limits) -> Faults:
    """The cells of formulas without a value or with an error. Raises Refused for a cell too far out."""
    faults: dict[int, dict[int, str]] = {}
    rows = columns = 0
    for row, column, attributes in _cells(sheet):
        rows, columns = max(rows, row + 1), max(columns, column + 1)
        if b"t=" in attributes and _ERROR.search(attributes):
            faults.setdefault(row, {})[column] = IS_ERROR
    check_extent(rows, columns, limits)
    for cell in _EMPTY_FORMULA.finditer(sheet) if b"f>" in sheet or b"f/>" in sheet else ():
        row, column = _place(cell[1], -1, -1)
        faults.setdefault(row, {})[column] = NO_VALUE
    return faults


def _cells(sheet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(row, column, attributes) of each cell; without a place it stands behind the one before."""
    line = column = -1
    for name, attributes in _CELL.findall(sheet):
        if name == b"row":
            line, column = _place(attributes, line + 1, 0)[0], -1
        else:
            row, column = _place(attributes, line, column + 1)
            yield row, column, attributes


def _place(attributes: bytes, row: int, column: int) -> tuple[int, int]:
    """r="B12" -> (11, 1); a row's r="12" -> (11, column); without one as given."""
    found = _PLACE.search(attributes)
    if found is None:
        return row, column
    letters = found[1].upper()
    return int(found[2]) - 1, _column(letters) if letters else column


@lru_cache(1000)
def _column(letters: bytes) -> int:
    column = 0
    for letter in letters[:6]:
        column = column * 26 + letter - 64
    return column - 1


def check_ods(content: bytes, limits: Limits) -> None:
    """Cells and rows say how often they are repeated. Raises Refused for one that lies too far out."""
    for rows, columns in _ods_extents(content):
        check_extent(rows, columns, limits)


def _ods_extents(content: bytes) -> Iterator[tuple[int, int]]:
    """How far each row that holds something reaches, from the top of its sheet."""
    top = 0
    for name, attributes, cells in _ODS_ROW.findall(content):
        if name == b"table":
            top = 0
            continue
        top += _times(attributes)
        column = filled = 0
        for about in _ODS_CELL.findall(cells):
            column += _times(about)
            filled = filled if about.endswith(b"/") and b"value" not in about else column
        if filled:
            yield top, filled


def _times(attributes: bytes) -> int:
    found = _REPEATED.search(attributes)
    return min(int(found[1]), 10_000_000) if found else 1
