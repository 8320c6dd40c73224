"""Files that are a danger, a mistake or nothing: each refused at once, with a sentence."""

import contextlib
import io
import random
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from shipping.filewords import WORDS, why
from shipping.tables import trial
from shipping.tables.hostile import COMMAND, WEB
from shipping.tables.reading import open_table, pasted_table
from shipping.tables.refusing import Refused

from . import made

HEADER = ["订单号", "快递公司", "快递单号"]
GOOD = made.xlsx([HEADER, ["3712721703692901632", "顺丰", "SF3100000000001"]])
# Far above what any of these takes (some hundredths of a second), so that a busy machine does not fail it.
AT_ONCE = 5


def refusal(data: bytes, name: str) -> Refused:
    """How the whole file is refused, rows and all."""
    start = time.monotonic()
    with pytest.raises(Refused) as end:
        list(open_table(data, name).rows)
    assert time.monotonic() - start < AT_ONCE
    assert len(why(end.value)) > 10
    return end.value


def in_sheet(change: Callable[[bytes], bytes]) -> bytes:
    return made.repacked(GOOD, lambda name, data: change(data) if name.endswith("sheet1.xml") else data)


def lying(size: int) -> bytes:
    """An archive that says of its sheet: one byte; it holds `size`, and the sum of that one byte."""
    book = bytearray(in_sheet(lambda sheet: sheet + b" " * size))
    (entry,) = (e for e in zipfile.ZipFile(io.BytesIO(book)).infolist() if e.filename.endswith("sheet1.xml"))
    says = struct.pack("<I", zlib.crc32(b"<")), struct.pack("<I", 1)
    central = book.rindex(b"PK\x01\x02", 0, book.rindex(entry.filename.encode()))
    for place, offset in ((entry.header_offset, 14), (central, 16)):
        book[place + offset : place + offset + 4] = says[0]
        book[place + offset + 8 : place + offset + 12] = says[1]
    return bytes(book)


def wide(columns: int) -> bytes:
    return (
        ",".join(["订单号", *(f"c{n}" for n in range(1, columns))]) + "\n37" + "," * (columns - 1) + "\n"
    ).encode()


def many(rows: int) -> list[list[str]]:
    return [HEADER, *(["37", "顺丰", f"SF{n}"] for n in range(rows))]


def csv(rows: list[list[str]]) -> bytes:
    return "\n".join(map(",".join, rows)).encode()


ODS = "<table:table-row{0}><table:table-cell{1} office:value-type='string'><text:p>订单号</text:p></table:table-cell>"
MACROS = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
CASES: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "five megabytes": ("file_too_big", "a.csv", lambda: csv(many(1)) + b"\n" * WEB.size),
    "no bytes": ("file_empty", "a.csv", lambda: b""),
    "blank lines": ("file_empty", "a.csv", lambda: b"\n,,\n \n"),
    "an empty xlsx": ("file_empty", "a.xlsx", lambda: made.xlsx([])),
    "an empty ods": ("file_empty", "a.ods", lambda: made.ods("")),
    "an empty xls": ("file_empty", "a.xls", lambda: made.xls([])),
    "a header alone": ("no_rows", "a.csv", lambda: csv(many(0))),
    "many rows": ("too_many_rows", "a.csv", lambda: csv(many(10_001))),
    "many rows of xlsx": ("too_many_rows", "a.xlsx", lambda: made.xlsx(many(10_001))),
    "many columns": ("too_many_columns", "a.csv", lambda: wide(301)),
    "many columns of xlsx": ("too_many_columns", "a.xlsx", lambda: made.xlsx([[*HEADER, *map(str, range(300))], HEADER])),
    "a wide row": ("too_many_columns", "a.csv", lambda: csv(many(1)) + b"\n" + b"x," * 400),
    "a bomb": ("file_bomb", "a.xlsx", lambda: in_sheet(lambda sheet: sheet + b" " * 60_000_000)),
    "a bomb that lies": ("file_bomb", "a.xlsx", lambda: lying(60_000_000)),
    "a small lie": ("file_bomb", "a.xlsx", lambda: lying(100)),
    "many members": ("file_bomb", "a.xlsx", lambda: made.repacked(GOOD, lambda _, data: data, **{f"m{n}": b"" for n in range(200)})),
    "entities": ("file_entities", "a.xlsx", lambda: in_sheet(lambda sheet: sheet.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet', 1))),
    "entities in ods": ("file_entities", "a.ods", lambda: made.repacked(made.ods(""), lambda name, data: data.replace(b"?><", b'?><!DOCTYPE x [<!ENTITY a "aa">]><'))),
    "another encoding": ("file_damaged", "a.xlsx", lambda: in_sheet(lambda sheet: sheet.decode().encode("utf-16"))),
    "macros": ("file_macros", "a.xlsm", lambda: made.repacked(GOOD, lambda _, data: data, **{"xl/vbaProject.bin": b"x"})),
    "macros by type": ("file_macros", "a.xlsx", lambda: made.repacked(GOOD, lambda name, data: data.replace(b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", MACROS))),
    "macros in xls": ("file_macros", "a.xls", lambda: made.xls([HEADER], streams=["_VBA_PROJECT_CUR"])),
    "a locked xlsx": ("file_locked", "a.xlsx", lambda: made.compound({"EncryptionInfo": b"", "EncryptedPackage": b""})),
    "a locked xls": ("file_locked", "a.xls", lambda: made.xls([HEADER], start=made.record(0x2F, bytes(54)))),
    "cut off": ("file_damaged", "a.xlsx", lambda: GOOD[: len(GOOD) // 2]),
    "a cut-off xls": ("file_damaged", "a.xls", lambda: made.xls([HEADER])[:700]),
    "a broken sheet": ("file_damaged", "a.xlsx", lambda: in_sheet(lambda sheet: sheet[:-200] + b"<a></b></c>")),
    "a missing sheet": ("file_damaged", "a.xlsx", lambda: made.repacked(GOOD, lambda name, data: data.replace(b"sheet1.xml", b"sheet9.xml"))),
    "a cell far out": ("too_many_columns", "a.xlsx", lambda: in_sheet(lambda sheet: sheet.replace(b'r="C2"', b'r="XFD1048576"'))),
    "a cell far down": ("too_many_rows", "a.xlsx", lambda: in_sheet(lambda sheet: sheet.replace(b'r="C2"', b"r='C1048576'"))),
    "a row far down": ("too_many_rows", "a.xlsx", lambda: in_sheet(lambda sheet: sheet.replace(b'<row r="2"', b'<row r="1048576"').replace(b' r="C2"', b""))),
    "cells without a place": ("too_many_columns", "a.xlsx", lambda: in_sheet(lambda sheet: sheet.replace(b"</row>", b"<c><v>1</v></c>" * 400 + b"</row>"))),
    "repeated columns": ("too_many_columns", "a.ods", lambda: made.ods(ODS.format("", " table:number-columns-repeated='16384'") + "</table:table-row>")),
    "repeated rows": ("too_many_rows", "a.ods", lambda: made.ods(ODS.format(" table:number-rows-repeated='1048576'", "") + "</table:table-row>")),
    "a reserved xls": ("file_bomb", "a.xls", lambda: made.xls([HEADER], made.record(0x200, struct.pack("<IIHHH", 0, 0xFFFFFFF0, 0, 256, 0)))),
    "a cell of xls far down": ("too_many_rows", "a.xls", lambda: made.xls([HEADER], made.number_cell(65_535, 0, 1.0))),
    "csv called xlsx": ("file_misnamed", "a.xlsx", lambda: csv(many(1))),
    "xlsx called csv": ("file_misnamed", "a.csv", lambda: GOOD),
    "xlsx called xls": ("file_misnamed", "a.xls", lambda: GOOD),
    "csv called exe": ("file_misnamed", "a.exe", lambda: csv(many(1))),
    "a web page": ("file_unknown", "a.xls", lambda: b"\r\n<HTML><table><tr><td>1</td></tr></table>"),
    "a picture": ("file_unknown", "a.xlsx", lambda: b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "a Word file": ("file_unknown", "a.xlsx", lambda: _zip("word/document.xml")),
    "an old Word file": ("file_unknown", "a.xls", lambda: made.compound({"WordDocument": b""})),
    "an archive": ("file_unknown", "a.xlsx", lambda: _zip("readme.txt")),
    "bytes of no encoding": ("encoding_unknown", "a.csv", lambda: b"a,b\n\xff\xff\x81\x20\xff"),
    "zeros": ("encoding_unknown", "a.csv", lambda: b"order_id,a\n37,\0\n"),
}  # fmt: skip


def _zip(name: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, "x")
    return target.getvalue()


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_refused_at_once_with_a_sentence(case: str) -> None:
    code, name, make = CASES[case]
    assert refusal(make(), name).code == code


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls", "csv"])
def test_a_damaged_file_is_read_or_refused_and_nothing_else(kind: str) -> None:
    rows = [HEADER, ["3712721703692901632", "顺丰", "SF1"]]
    whole = {"xlsx": GOOD, "ods": made.ods(made.ods_rows(rows)), "xls": made.xls(rows), "csv": csv(rows)}[
        kind
    ]
    luck = random.Random(kind)
    # An old workbook is tried in a process of its own each time.
    for _ in range(30 if kind == "xls" else 100):
        data = bytearray(whole)
        for _ in range(luck.randint(1, 6)):
            data[luck.randrange(len(data))] = luck.randrange(256)
        with contextlib.suppress(Refused):
            list(open_table(bytes(data[: luck.choice((None, len(data) // 2))]), f"a.{kind}").rows)


def test_a_locked_member_of_an_archive_is_a_lock() -> None:
    book = bytearray(GOOD)
    place = book.rindex(b"PK\x01\x02")
    book[place + 8] |= 1
    assert refusal(bytes(book), "a.xlsx").code == "file_locked"


def test_what_is_pasted_has_the_same_limits() -> None:
    with pytest.raises(Refused) as end:
        pasted_table("订单号\n" + "37\n" * WEB.size)
    assert end.value.code == "file_too_big"


def test_the_command_takes_text_by_any_name_and_without_a_row() -> None:
    assert open_table(b"order_id\n", "parcels.dat", COMMAND).columns == ["order_id"]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_reason_has_a_sentence_with_a_way_out(language: str) -> None:
    from django.utils.translation import override

    params: dict[str, Any] = {"size": "9.1", "most": 5, "found": "PDF", "named": "xls", "error": "?"}
    with override(language):
        assert all("%" not in str(words) % params for words in WORDS.values())


def test_an_old_workbook_is_tried_where_it_can_do_no_harm() -> None:
    """Whatever ends the process that tries it (memory, a panic, a crash) is a damaged file to us."""
    trial.survive(made.xls([["订单号"], ["3712721703692901632"]]))
    with pytest.raises(Refused) as refused:
        trial.survive(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert refused.value.code == "file_damaged"
