"""Files of tracking numbers to race with."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import xlsxwriter

from bench import place

HEADER = ["order_id", "delivery_id", "waybill_id", "收件人", "备注"]


def rows(count: int) -> list[list[str]]:
    """Lines of a file: an order, its carrier and number, and what else such files hold."""
    return [
        [f"37{number:017d}", "SF", f"SF31{number:011d}", "林**", f"第 {number} 单"] for number in range(count)
    ]


def csv(count: int) -> bytes:
    return "\n".join(",".join(row) for row in [HEADER, *rows(count)]).encode()


def xlsx(count: int) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADER, *rows(count)]):
            sheet.write_row(number, 0, row)
    return target.getvalue()


def bomb(unpacked: int = 300_000_000, packed: int = 1_200_000) -> bytes:
    """A workbook of 1.2 MB whose sheet unpacks to 300 MB of blanks."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(2))) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data + b" " * unpacked if name == "xl/worksheets/sheet1.xml" else data)
        new.writestr("xl/media/noise.bin", os.urandom(max(0, packed - target.tell())), zipfile.ZIP_STORED)
    return target.getvalue()


def entities() -> bytes:
    """A workbook whose sheet brings a DTD of its own."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(2))) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            dtd = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>'
            new.writestr(name, dtd + data.partition(b"?>")[2] if name == "xl/worksheets/sheet1.xml" else data)
    return target.getvalue()


def alone(path: Path, limits: str) -> dict[str, Any]:
    """What bench.peers.tables tells of a file."""
    with place.process("-m", "bench.peers.tables", str(path), limits) as child:
        told: dict[str, Any] = json.loads(place.read_line(child))
    return told
