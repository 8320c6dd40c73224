"""What a file must be before a parser sees it: small, of the kind it says, and no trap."""

from dataclasses import dataclass

from .refusing import Refused
from .source import Source

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TEXT_NAMES = ("csv", "txt", "tsv")
# What other files begin with, by the name under which people know them.
_KNOWN = {
    b"%PDF": "PDF", b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z", b"\x1f\x8b": "gzip", b"MZ": "EXE", b"<?xml": "XML", b"PK\x05\x06": "ZIP",
}  # fmt: skip
_HTML = (b"<html", b"<!doctype", b"<table", b"<meta", b"<head")
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Limits:
    """Of one file: bytes as stored, rows under the header, columns; cells that are held in memory at once.

    lenient: text may be called anything and may hold no row, as the command always took it.
    """

    size: int = 5_000_000
    rows: int = 10_000
    columns: int = 300
    cells: int = 3_100_000
    lenient: bool = False


WEB = Limits()
# Whoever may run a command may use the machine; what stands here keeps a mistake from filling its memory.
COMMAND = Limits(size=200_000_000, rows=1_000_000, columns=300, cells=6_000_000, lenient=True)


def check_size(source: Source, limits: Limits) -> None:
    size = source.size
    if not size:
        raise Refused("file_empty")
    if size > limits.size:
        raise Refused("file_too_big", size=f"{size / 1e6:.1f}", most=limits.size // 1_000_000)


def outer_kind(source: Source) -> str:
    """zip, ole or csv, by the first bytes. Raises Refused for what is no table."""
    head = source.head(512)
    if head.startswith(ZIP):
        return "zip"
    if head.startswith(OLE):
        return "ole"
    found = next((name for start, name in _KNOWN.items() if head.startswith(start)), None)
    if found or head.removeprefix(_MARK).lstrip().lower().startswith(_HTML):
        raise Refused("file_unknown", found=found or "HTML")
    return "csv"


def check_name(source: Source, kind: str, limits: Limits) -> None:
    """A name that says another kind than the content is a mistake somewhere: the person is told."""
    named = source.extension
    is_fine = named in ((*TEXT_NAMES, "") if kind == "csv" else (kind, ""))
    is_any = limits.lenient and named not in (*TEXT_NAMES, "xlsx", "xls", "ods", "xlsm", "xlsb")
    if not (is_fine or is_any):
        raise Refused("file_misnamed", named=named, found=kind)


def check_extent(rows: int, columns: int, limits: Limits) -> None:
    """One cell far out, a few bytes of the file, makes a parser hold everything between."""
    if columns > limits.columns:
        raise Refused("too_many_columns", most=limits.columns)
    if rows > limits.rows + HEADER_ROOM or rows * columns > limits.cells:
        raise Refused("too_many_rows", most=min(limits.rows, limits.cells // max(1, columns)))


# Rows above the first order: a title, headers, blank lines.
HEADER_ROOM = 50
