"""The backup file: a zip of the manifest and the database, written whole or not at all."""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK = 1 << 20


class Unusable(Exception):
    """Why a backup cannot be made or restored, in a sentence for the operator."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds; everything in it may be read by anybody."""

    made_at: str
    version: str
    engine: str
    server: str
    content: str
    size: int
    sha256: str
    migrations: Sequence[Sequence[str]]
    rows: Mapping[str, int]
    left_out: Sequence[str]
    newest_attempt: Mapping[str, Any] | None
    # Fingerprint of a key -> how many secrets it opens.
    keys: Mapping[str, int]
    unreadable: int
    format: int = FORMAT

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, manifest: Manifest, content: Path) -> None:
    """Write beside `path`, read it back, and only then give it its name; nobody else may read it."""
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(half, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            _pack(file, manifest, content)
            file.flush()
            os.fsync(file.fileno())
        check(half, manifest)
        half.replace(path)
        sync_folder(path.parent)
    finally:
        half.unlink(missing_ok=True)


def _pack(file: IO[bytes], manifest: Manifest, content: Path) -> None:
    # What pg_dump wrote is compressed already.
    kind = zipfile.ZIP_STORED if manifest.engine == "postgresql" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(file, "w", kind) as packed:
        packed.write(content, manifest.content)
        packed.writestr(MANIFEST, json.dumps(asdict(manifest), indent=2, ensure_ascii=False))


def sync_folder(folder: Path) -> None:
    """A name is lasting only when its folder was written, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_manifest(path: Path) -> Manifest:
    """Raises Unusable for what is no backup, or one of a later format."""
    with _opened(path) as packed:
        told = json.loads(packed.read(MANIFEST))
    if told.get("format") != FORMAT:
        raise Unusable(_("%(file)s 的格式太新，这个程序不认得；请先更新程序。") % {"file": path})
    return Manifest(**told)


def check(path: Path, manifest: Manifest) -> None:
    """Read the database in the backup to its end; raises Unusable when it is not what the manifest says."""
    with _opened(path) as packed, packed.open(manifest.content) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # readable bytes
    if found != manifest.sha256:
        raise Unusable(_("%(file)s 坏了：内容和清单里的 sha256 不一致。") % {"file": path})


def unpack(path: Path, manifest: Manifest, target: Path) -> None:
    """Write the database of a backup to `target`, its sum compared on the way."""
    sum_ = hashlib.sha256()
    with _opened(path) as packed, packed.open(manifest.content) as file, _private(target) as out:
        while chunk := file.read(CHUNK):
            sum_.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if sum_.hexdigest() != manifest.sha256:
        raise Unusable(_("%(file)s 坏了：内容和清单里的 sha256 不一致。") % {"file": path})


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as packed:
            yield packed
    except OSError as error:
        raise Unusable(
            _("读不了 %(file)s：%(why)s") % {"file": path, "why": error.strerror or error}
        ) from None
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise Unusable(_("%(file)s 不是备份文件，或者坏了：%(why)s") % {"file": path, "why": error}) from None
