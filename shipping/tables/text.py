"""Text as rows: the encoding by its bytes, the separator by the first lines."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO, TextIOWrapper
from typing import TextIO

from .cells import full_width
from .refusing import Refused
from .source import Source

SEPARATORS = (",", "\t", ";", full_width(","), full_width(";"), "|")
SNIFFED_LINES = 8
CHUNK = 1 << 16
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def text_rows(source: Source) -> Iterator[list[str]]:
    """The records of a text file, one at a time. Raises Refused."""
    encoding = encoding_of(source)
    with source.open() as raw, TextIOWrapper(raw, encoding=encoding, newline="") as lines:
        yield from records(lines)


def pasted_rows(text: str) -> Iterator[list[str]]:
    return records(StringIO(text, newline=""))


def records(lines: TextIO) -> Iterator[list[str]]:
    first = "".join(line for line, _ in zip(lines, range(SNIFFED_LINES), strict=False))
    lines.seek(0)
    try:
        yield from csv.reader(lines, delimiter=_separator(first))
    except csv.Error as error:
        raise Refused("not_csv", error=str(error)) from None


def _separator(text: str) -> str:
    """The one that most of the first lines share; a comma for a single column."""
    lines = [line for line in text.splitlines() if line.strip()]
    counts = Counter({mark: sum(mark in line for line in lines) for mark in SEPARATORS})
    totals = {mark: (counts[mark], text.count(mark)) for mark in SEPARATORS}
    best = max(SEPARATORS, key=lambda mark: totals[mark])
    return best if counts[best] else ","


def encoding_of(source: Source) -> str:
    """utf-8, utf-16 or gb18030, told by a mark or by what can be read whole. Raises Refused."""
    with source.open() as raw:
        head = raw.read(CHUNK)
    marked = next((name for bom, name in _BOMS.items() if head.startswith(bom)), None) or _unmarked_utf16(
        head
    )
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        if _reads_as(source, encoding):
            return encoding
    raise Refused("encoding_unknown")


def _unmarked_utf16(head: bytes) -> str | None:
    """Latin digits and commas leave every second byte zero."""
    zeros = {"utf-16-be": head[0::2].count(0), "utf-16-le": head[1::2].count(0)}
    best = max(zeros, key=lambda name: zeros[name])
    return best if zeros[best] > len(head) // 8 else None


def _reads_as(source: Source, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with source.open() as raw:
            is_text = all("\0" not in decoder.decode(chunk) for chunk in iter(lambda: raw.read(CHUNK), b""))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return is_text
