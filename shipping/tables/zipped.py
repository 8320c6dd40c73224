"""xlsx and ods as the archives they are: unpacked and looked over here, before the parser sees them."""

import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO
from xml.etree import ElementTree

from .refusing import Refused

MOST_ENTRIES, MOST_UNPACKED, MOST_RATIO = 200, 50_000_000, 200
_STORED, _DEFLATED, _ENCRYPTED = 0, 8, 1
_LOCAL_HEADER = struct.Struct("<26xHH")
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_PICTURES = ("xl/media/", "Pictures/")
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_FOUND = {"xl/workbook.bin": "xlsb", "word/document.xml": "docx", "ppt/presentation.xml": "pptx"}
_RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Archive:
    """The members of a file that was found harmless, unpacked: at most MOST_UNPACKED bytes together."""

    members: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """xlsx or ods. Raises Refused for any other archive, and for macros."""
        types = self.members.get("[Content_Types].xml", b"")
        if b"macroEnabled" in types or any(name.endswith("vbaProject.bin") for name in self.members):
            raise Refused("file_macros")
        if "xl/workbook.xml" in self.members:
            return "xlsx"
        if self.members.get("mimetype", b"").strip() == _ODS:
            return "ods"
        raise Refused("file_unknown", found=next((_FOUND[n] for n in self.members if n in _FOUND), "ZIP"))

    def sheets(self) -> list[str]:
        """The members that hold the sheets of an xlsx, in the order of the workbook. Raises Refused."""
        try:
            book = ElementTree.fromstring(self.members["xl/workbook.xml"])  # noqa: S314  no declaration is left  # nosec B314
            links = ElementTree.fromstring(self.members["xl/_rels/workbook.xml.rels"])  # noqa: S314  # nosec B314
        except (KeyError, ElementTree.ParseError):
            raise Refused("file_damaged") from None
        targets = {link.get("Id"): _member(link.get("Target", "")) for link in links}
        return [targets.get(sheet.get(_RELATIONS), "") for sheet in book.iterfind(".//{*}sheets/{*}sheet")]


def _member(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def unpack(data: bytes) -> Archive:
    """Every member, by what is really packed and not by what the archive says of itself. Raises Refused."""
    with BytesIO(data) as raw:
        try:
            entries = zipfile.ZipFile(raw).infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
            raise Refused("file_damaged") from None
        _check_sizes(entries, len(data))
        members, left = {}, MOST_UNPACKED
        for entry in entries:
            members[entry.filename] = _inflated(raw, entry, left)
            left -= len(members[entry.filename])
            _check_xml(entry.filename, members[entry.filename])
    return Archive(members)


def _check_sizes(entries: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked > min(MOST_UNPACKED, MOST_RATIO * size):
        raise Refused("file_bomb")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Refused("file_locked")
    names = {entry.filename for entry in entries}
    if len(names) < len(entries) or any(e.compress_type not in (_STORED, _DEFLATED) for e in entries):
        raise Refused("file_damaged")


def _inflated(raw: IO[bytes], entry: zipfile.ZipInfo, left: int) -> bytes:
    """An archive may say 1 byte and hold gigabytes: what comes out is counted."""
    raw.seek(max(0, entry.header_offset))
    header = raw.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or entry.header_offset < 0:
        raise Refused("file_damaged")
    raw.seek(sum(_LOCAL_HEADER.unpack(header)), 1)
    packed = raw.read(entry.compress_size)
    if entry.compress_type == _STORED:
        data = packed
    else:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, left + 1)
        except zlib.error:
            raise Refused("file_damaged") from None
    if len(data) > left or len(data) > entry.file_size:
        raise Refused("file_bomb")
    return data


def _check_xml(name: str, data: bytes) -> None:
    """Sheets declare nothing and are UTF-8; in another encoding what is looked for here could hide."""
    if name.startswith(_PICTURES) or not name.endswith((".xml", ".rels")):
        return
    if _DECLARES.search(data):
        raise Refused("file_entities")
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        raise Refused("file_damaged")
