"""What a file must be before a parser sees it: small, of the kind it says, and no trap."""

from dataclasses import dataclass

from .refusing import Refused
from .source import Source

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BOOKS = ("xlsx", "xls", "ods")


@dataclass(frozen=True)
class Limits:
    """Of one file: bytes as stored, rows under the header, columns."""

    size: int = 5_000_000
    rows: int = 10_000
    columns: int = 300


WEB = Limits()


def kind_of(source: Source, limits: Limits) -> str:
    """xlsx, xls, ods or csv, told by the content. Raises Refused for what is none, or is a danger."""
    size = source.size
    if size > limits.size:
        raise Refused("file_too_big", size=f"{size / 1e6:.1f}", most=limits.size // 1_000_000)
    head = source.head(8)
    if not head:
        raise Refused("file_empty")
    if head.startswith(ZIP):
        return "xlsx"
    return "xls" if head == OLE else "csv"
