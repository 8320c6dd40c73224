"""The bytes of a file, wherever they are: opened as often as needed."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Source:
    """`data` is the bytes themselves or where they lie; `name` as the person calls the file."""

    data: bytes | Path
    name: str

    @property
    def size(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else self.data.stat().st_size

    @property
    def extension(self) -> str:
        return Path(self.name).suffix.lower().removeprefix(".")

    def open(self) -> IO[bytes]:
        return BytesIO(self.data) if isinstance(self.data, bytes) else self.data.open("rb")

    def whole(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()

    def head(self, size: int) -> bytes:
        with self.open() as raw:
            return raw.read(size)
