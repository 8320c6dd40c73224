"""Old attempts and status changes leave the database for files: written, read back, and only then removed.

What is removed at each step is compared, row by row, with what the file says of it. A run that was killed
goes on where it stopped: a file that was not proved yet is written anew, one that was is worked off. Packages
stay, with their last outcome, and name the file.
"""

import fcntl
import gzip
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from . import states
from .history import opened
from .models import Archive, Attempt, Package, Shipment, StatusChange

log = logging.getLogger(__name__)
# Shipments in a file, and attempts removed within one transaction.
SHIPMENTS, REMOVED = 20_000, 1000
READ = 500
MONTH = 30.44 * 86400
Line = dict[str, Any]


class Missing(Exception):
    """A file that is needed is not where it was put, or is not what it was."""


def cutoff(months: float) -> datetime:
    return timezone.now() - timedelta(seconds=months * MONTH)


def work(before: datetime, seconds: float) -> bool:
    """Archive for a while what ended before then; True when something is left. Raises Missing, OSError."""
    end = time.monotonic() + seconds
    with _alone() as is_alone:
        while is_alone and time.monotonic() < end:
            archive = Archive.objects.filter(removed_at=None).order_by("pk").first() or _begin(before)
            if archive is None:
                return False
            if not archive.sha256:
                _write(archive)
            _remove(archive, end)
    return is_alone


@contextmanager
def _alone() -> Iterator[bool]:
    """One at a time in a folder: two would write the same file."""
    folder = Path(settings.ARCHIVE_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


# --- what may go --------------------------------------------------------------------------------------


def ended(before: datetime) -> QuerySet[Shipment]:
    """Shipments of which nothing is open or in doubt and nothing moved since; their rows are here."""
    packages = Package.objects.filter(shipment=OuterRef("pk"))
    calls = Attempt.objects.filter(shipment=OuterRef("pk"))
    rows = Shipment.objects.filter(archive=None, created_at__lt=before, due_at=None)
    rows = rows.exclude(Exists(packages.exclude(status__in=states.FINAL)))
    rows = rows.exclude(Exists(packages.filter(status_at__gte=before)))
    rows = rows.exclude(Exists(calls.filter(Q(closed_at=None) | Q(closed_at__gte=before))))
    return rows.filter(Exists(packages)).order_by("pk")


def _begin(before: datetime) -> Archive | None:
    last = Archive.objects.order_by("-pk").first()
    # Onwards from the last file of this run; each new day begins with what had not ended before.
    behind = last.last if last and last.before == before else 0
    keys = list(ended(before).filter(pk__gt=behind).values_list("pk", flat=True)[:SHIPMENTS])
    if not keys:
        return None
    name = f"attempts-{timezone.now():%Y%m%dT%H%M%SZ}-{keys[0]}-{keys[-1]}.jsonl.gz"
    return Archive.objects.create(
        name=name, folder=str(settings.ARCHIVE_DIR), before=before, first=keys[0], last=keys[-1]
    )


# --- the file -----------------------------------------------------------------------------------------


def path_of(archive: Archive) -> Path:
    """Where the file is: where it was written, or in the folder that the settings name now."""
    written = Path(archive.folder) / archive.name
    return written if written.exists() else Path(settings.ARCHIVE_DIR) / archive.name


def _write(archive: Archive) -> None:
    rows = ended(archive.before).filter(pk__gte=archive.first, pk__lte=archive.last)[:SHIPMENTS]
    keys = list(rows.values_list("pk", flat=True))
    counts = {"shipments": 0, "attempts": 0, "changes": 0}

    def lines() -> Iterator[Line]:
        for first in range(0, len(keys), READ):
            for line in _lines(keys[first : first + READ]):
                counts["shipments"] += 1
                counts["attempts"] += len(line["attempts"])
                counts["changes"] += len(line["changes"])
                yield line

    target = Path(archive.folder) / archive.name
    digest = _put(target, lines(), lambda digest: None)
    for name, value in {**counts, "sha256": digest, "size": target.stat().st_size}.items():
        setattr(archive, name, value)
    _write_manifest(archive)
    archive.save()


def _lines(keys: Sequence[int]) -> Iterator[Line]:
    """One line a shipment: whose it is, its packages as they ended, every call and every move."""
    named = ("pk", "kind", "created_at", "created_by_id", "merchant__appid", "order__order_id")
    shipments = Shipment.objects.filter(pk__in=keys).order_by("pk").values(*named)
    packages = _by(Package.objects.filter(shipment__in=keys), "shipment_id")
    attempts = _by(Attempt.objects.filter(shipment__in=keys), "shipment_id")
    whose = {row["id"]: key for key, rows in packages.items() for row in rows}
    changes: dict[int, list[Line]] = {}
    moves = _by(StatusChange.objects.filter(package__shipment__in=keys), "package_id")
    for package, rows in moves.items():
        changes.setdefault(whose[package], []).extend(rows)
    for row in shipments:
        key = row.pop("pk")
        yield {
            "shipment": key, **row, "packages": packages.get(key, []), "attempts": attempts.get(key, []),
            "changes": changes.get(key, []),
        }  # fmt: skip


def _by(rows: QuerySet[Any], column: str) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    for row in rows.order_by("pk").values():
        found.setdefault(row[column], []).append(row)
    return found


def as_text(line: Line) -> str:
    """The same rows are always the same text."""
    return json.dumps(line, ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _put(target: Path, lines: Iterable[Line], ready: Callable[[str], None]) -> str:
    """Write beside, make lasting, read back, tell `ready` the sum, rename; returns the sum."""
    half = target.with_name(f".{target.name}.part")
    with os.fdopen(os.open(half, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as raw:
        wanted = _pack(raw, lines)
        raw.flush()
        os.fsync(raw.fileno())
    found = hashlib.sha256()
    for text in _texts(half):
        found.update(text)
    if found.digest() != wanted:
        raise Missing(f"{half} reads otherwise than it was written")
    digest = digest_of(half)
    ready(digest)
    half.replace(target)
    _sync(target.parent)
    return digest


def _pack(raw: IO[bytes], lines: Iterable[Line]) -> bytes:
    """The digest of what went in."""
    written = hashlib.sha256()
    with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:
        for line in lines:
            text = as_text(line).encode() + b"\n"
            written.update(text)
            packed.write(text)
    return written.digest()


def _texts(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as file:
        yield from file


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_manifest(archive: Archive) -> None:
    """Beside the file, for whoever finds it without its database."""
    told = {
        name: getattr(archive, name)
        for name in ("name", "before", "made_at", "first", "last", "shipments", "attempts", "changes", "size",
                     "sha256")
    }  # fmt: skip
    target = path_of(archive).with_suffix("").with_suffix(".json")
    half = target.with_name(f".{target.name}.part")
    half.write_text(json.dumps(told, indent=2, default=_plain) + "\n", encoding="utf-8")
    half.replace(target)


def verified(archive: Archive) -> Path:
    """The file, if it is what it was when it was proved. Raises Missing."""
    path = path_of(archive)
    if not path.exists():
        raise Missing(f"{path} is not there; put it back, or into ARCHIVE_DIR")
    found = digest_of(path)
    if archive.next_sha256 and found == archive.next_sha256:
        archive.sha256, archive.next_sha256 = found, ""
        archive.save(update_fields=["sha256", "next_sha256"])
    if found != archive.sha256:
        raise Missing(f"{path} is damaged: its sha256 is not {archive.sha256}")
    return path


# --- removing -----------------------------------------------------------------------------------------


def _remove(archive: Archive, end: float) -> None:
    """Remove what the file holds, a batch at a time, until it is done or time is over."""
    for batch in _batches(verified(archive)):
        _remove_some(archive, batch)
        if time.monotonic() > end:
            return
    archive.removed_at = timezone.now()
    archive.save(update_fields=["removed_at"])


def _batches(path: Path) -> Iterator[dict[int, str]]:
    """Lines by shipment, together of about REMOVED attempts."""
    batch: dict[int, str] = {}
    count = 0
    for raw in _texts(path):
        text = raw.decode().rstrip("\n")
        line = json.loads(text)
        batch[line["shipment"]] = text
        count += max(1, len(line["attempts"]))
        if count >= REMOVED:
            yield batch
            batch, count = {}, 0
    if batch:
        yield batch


@transaction.atomic
def _remove_some(archive: Archive, batch: dict[int, str]) -> None:
    """Only what is in the file to the letter; whatever was changed meanwhile stays for the next one."""
    here = Shipment.objects.filter(pk__in=batch, archive=None).values_list("pk", flat=True)
    now = {line["shipment"]: as_text(line) for line in _lines(list(here))}
    same = [key for key, text in now.items() if text == batch[key]]
    if len(same) < len(now):
        log.warning("%s: %s shipments changed since it was written, kept", archive, len(now) - len(same))
    with opened("retention"):
        Package.objects.filter(shipment__in=same).update(attempt=None)
        StatusChange.objects.filter(package__shipment__in=same).delete()
        Attempt.objects.filter(shipment__in=same).delete()
    Shipment.objects.filter(pk__in=same).update(archive=archive)


# --- erasing ------------------------------------------------------------------------------------------


def forget(orders: Sequence[int]) -> None:
    """Take from the files what erasing takes from the rows. Raises Missing where a file is not at hand."""
    shipments = set(Shipment.objects.filter(order__in=orders).values_list("pk", flat=True))
    held = Archive.objects.filter(pk__in=Shipment.objects.filter(pk__in=shipments).values("archive"))
    waiting = Archive.objects.filter(removed_at=None).exclude(sha256="")
    for archive in (held | waiting).distinct():
        _rewrite(archive, shipments)


def _rewrite(archive: Archive, shipments: set[int]) -> None:
    path = verified(archive)
    lines = (json.loads(text) for text in _texts(path))

    def note(digest: str) -> None:
        archive.next_sha256 = digest
        archive.save(update_fields=["next_sha256"])

    _put(path, (_erased(line) if line["shipment"] in shipments else line for line in lines), note)
    verified(archive)
    archive.size = path.stat().st_size
    archive.save(update_fields=["size"])
    _write_manifest(archive)


def _erased(line: Line) -> Line:
    for attempt in line["attempts"]:
        attempt.update(request=None, errmsg="")
    for change in line["changes"]:
        if change["by_id"] is not None:
            change["reason"] = ""
    return line
