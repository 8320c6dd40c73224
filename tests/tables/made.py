"""Workbooks made for a test: xlsx by XlsxWriter, ods and xls by hand, since nothing here writes them."""

import struct
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import xlsxwriter

Cell = str | float | None


def xlsx(*sheets: Sequence[Sequence[Cell]] | Callable[[Any], None]) -> bytes:
    """Each sheet by its rows, or by a function that writes it; text stays text, numbers are numbers."""
    target = BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        for sheet in sheets:
            page = book.add_worksheet()
            if callable(sheet):
                sheet(page)
                continue
            for number, row in enumerate(sheet):
                page.write_row(number, 0, row)
    return target.getvalue()


def repacked(book: bytes, change: Callable[[str, bytes], bytes], **added: bytes) -> bytes:
    """The same archive with each member as `change` makes it, and more members."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(book)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, data in added.items():
            new.writestr(name, data)
    return target.getvalue()


def ods(rows: str) -> bytes:
    """`rows` is what stands inside its one table."""
    target = BytesIO()
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3">'
        f'<office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        book.writestr("content.xml", content)
        book.writestr("META-INF/manifest.xml", "<manifest/>")
    return target.getvalue()


def ods_rows(rows: Sequence[Sequence[Cell]]) -> str:
    return "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)


def _ods_cell(value: Cell) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value!r}"><text:p>{value}</text:p></table:table-cell>'


def xls(
    rows: Sequence[Sequence[Cell]], *more: bytes, streams: Sequence[str] = (), start: bytes = b""
) -> bytes:
    """BIFF8 in a compound file; `more` are further records of the sheet, `streams` names of empty streams."""
    cells = b"".join(
        _xls_cell(row, column, value)
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
        if value is not None
    )
    end = record(0x0A)
    bof = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 6))
    name = struct.pack("<BB", 1, 0) + b"S"
    opening = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 6)) + start
    place = len(opening) + 4 + 6 + len(name) + len(end)
    stream = opening + record(0x85, struct.pack("<IH", place, 0) + name) + end
    return compound({"Workbook": stream + bof + cells + b"".join(more) + end, **dict.fromkeys(streams, b"")})


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def error_cell(row: int, column: int) -> bytes:
    """#N/A"""
    return record(0x0205, struct.pack("<HHHBB", row, column, 0, 0x2A, 1))


def number_cell(row: int, column: int, value: float) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def _xls_cell(row: int, column: int, value: str | float) -> bytes:
    if not isinstance(value, str):
        return number_cell(row, column, value)
    text = value.encode("utf-16-le")
    return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + text)


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file of sectors of 512 bytes: header, then the table, the directory, the streams."""
    sectors, table, places = b"", [0xFFFFFFFD], {}
    tables = 1 + sum(len(data) + 4096 for data in streams.values()) // 512 // 128
    table = [0xFFFFFFFD] * tables
    directory_sectors = (len(streams) + 1 + 3) // 4
    table += [*range(tables + 1, tables + directory_sectors), 0xFFFFFFFE]
    for name, data in streams.items():
        padded = data.ljust(max(4096, (len(data) + 511) // 512 * 512), b"\0")
        first, count = len(table), len(padded) // 512
        table += [*range(first + 1, first + count), 0xFFFFFFFE]
        places[name] = (first, len(padded))
        sectors += padded
    directory = _entry("Root Entry", 5, 0xFFFFFFFE, 0, 1)
    for number, (name, (first, size)) in enumerate(places.items(), 1):
        directory += _entry(name, 2, first, size, right=number + 1 if number < len(places) else 0xFFFFFFFF)
    directory = directory.ljust(directory_sectors * 512, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )
    header += struct.pack("<109I", *range(tables), *[0xFFFFFFFF] * (109 - tables))
    table += [0xFFFFFFFF] * (tables * 128 - len(table))
    return header + struct.pack(f"<{len(table)}I", *table) + directory + sectors


def _entry(
    name: str, kind: int, first: int, size: int, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return text.ljust(64, b"\0") + struct.pack(
        "<HBBIII36xIII", len(text), kind, 1, 0xFFFFFFFF, right, child, first, size, 0
    )
