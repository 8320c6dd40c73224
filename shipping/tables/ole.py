"""xls as the container it is: enough of it to find the workbook, its locks and macros, and cells far out."""

import struct
from collections.abc import Iterator

from .cells import IS_ERROR
from .hostile import Limits, check_extent
from .places import Faults
from .refusing import Refused

_FREE = 0xFFFFFFFA  # this and what is above are no sectors
_ENTRY = 128
_BOF, _SHEET, _LOCK, _EXTENT, _MANY = 0x0809, 0x0085, 0x002F, 0x0200, 0x00BD
_BOOL_OR_ERROR, _FORMULA = 0x0205, 0x0006
_CELLS = {0x0203, 0x027E, 0x00FD, 0x0204, 0x00D6, _MANY, _BOOL_OR_ERROR, _FORMULA}
_MOST_PLACES = 65_536 * 256


class Container:
    """The streams of a compound file by name. Raises Refused for a broken one."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        try:
            self.size = 1 << min(struct.unpack_from("<H", data, 30)[0], 12)
            self.table = self._table()
            root, *self.entries = self._entries(struct.unpack_from("<I", data, 48)[0])
            self.small = self._read(root[1])
            self.small_table = self._numbers(self._read(struct.unpack_from("<I", data, 60)[0]))
        except (struct.error, ValueError, IndexError):
            raise Refused("file_damaged") from None

    def _table(self) -> list[int]:
        """Which sector follows which; its own sectors stand in the header, the ones past 109 in a chain."""
        sectors = list(struct.unpack_from("<109I", self.data, 76))
        following = struct.unpack_from("<I", self.data, 68)[0]
        for _ in range(len(self.data) // self.size):
            if following >= _FREE:
                break
            *more, following = self._numbers(self._sector(following))
            sectors += more
        known = (sector for sector in sectors if sector < _FREE)
        return [number for sector in known for number in self._numbers(self._sector(sector))]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self.size
        return self.data[start : start + self.size]

    @staticmethod
    def _numbers(data: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

    def _chain(self, start: int, table: list[int] | tuple[int, ...]) -> Iterator[int]:
        seen: set[int] = set()
        while start < len(table) and start not in seen:
            yield start
            seen.add(start)
            start = table[start]

    def _read(self, start: int) -> bytes:
        return b"".join(self._sector(number) for number in self._chain(start, self.table))

    def _entries(self, start: int) -> list[tuple[str, int, int]]:
        """(name, first sector, bytes) of each entry."""
        listed, entries = self._read(start), []
        for at in range(0, len(listed) - _ENTRY + 1, _ENTRY):
            length = min(struct.unpack_from("<H", listed, at + 64)[0], 64)
            name = listed[at : at + max(0, length - 2)].decode("utf-16-le", "replace")
            entries.append((name, *struct.unpack_from("<II", listed, at + 116)))
        return entries

    def names(self) -> set[str]:
        return {name for name, _, _ in self.entries}

    def stream(self, name: str) -> bytes:
        start, size = next((start, size) for known, start, size in self.entries if known == name)
        if size >= struct.unpack_from("<I", self.data, 56)[0]:
            return self._read(start)[:size]
        small = (self.small[n * 64 : n * 64 + 64] for n in self._chain(start, self.small_table))
        return b"".join(small)[:size]


def xls_faults(data: bytes, limits: Limits) -> list[Faults]:
    """The cells with an error, by sheet. Raises Refused for a lock, macros, another file, cells far out."""
    container = Container(data)
    names = container.names()
    if "EncryptedPackage" in names:
        raise Refused("file_locked")
    if "_VBA_PROJECT_CUR" in names or "VBA" in names:
        raise Refused("file_macros")
    book = next((name for name in ("Workbook", "Book") if name in names), None)
    if book is None:
        raise Refused("file_unknown", found="OLE")
    try:
        return _sheets(container.stream(book), limits)
    except struct.error:
        raise Refused("file_damaged") from None


def _sheets(stream: bytes, limits: Limits) -> list[Faults]:
    starts: list[int] = []
    faults: dict[int, dict[int, dict[int, str]]] = {}
    part = 0
    for at, kind, body in _records(stream):
        if kind == _BOF:
            part = at
        elif kind == _SHEET:
            starts.append(struct.unpack_from("<I", body)[0])
        elif kind == _LOCK:
            raise Refused("file_locked")
        elif kind == _EXTENT:
            _check_reserved(body)
        elif kind in _CELLS and len(body) >= 6:
            row, column = struct.unpack_from("<HH", body)
            last = struct.unpack("<H", body[-2:])[0] if kind == _MANY else column
            check_extent(row + 1, last + 1, limits)
            if _is_error(kind, body):
                faults.setdefault(part, {}).setdefault(row, {})[column] = IS_ERROR
    return [faults.get(start, {}) for start in starts]


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _check_reserved(body: bytes) -> None:
    """A sheet says how far it reaches, and the parser makes room for it."""
    if len(body) >= 12:
        top, bottom, left, right = struct.unpack_from("<IIHH", body)
        if max(0, bottom - top) * max(0, right - left) > _MOST_PLACES:
            raise Refused("file_bomb")


def _is_error(kind: int, body: bytes) -> bool:
    if kind == _BOOL_OR_ERROR:
        return len(body) >= 8 and body[7] == 1
    return kind == _FORMULA and len(body) >= 14 and body[6] == 2 and body[12:14] == b"\xff\xff"
