"""A worker run, alive as long as somebody who cannot lie says so: the kernel, or PostgreSQL.

A lease that runs out by clock is not enough: a stopped process that wakes up would send again. On one
machine the kernel drops a file lock exactly when the process is gone. On many machines PostgreSQL drops a
session's advisory lock when the session is gone; a process can outlive its session, so a call is given the
time it may take at most before it counts as lost, and what was not sent is taken back by a conditional
update that only one of the two can win.
"""

import contextlib
import fcntl
import hashlib
import os
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

ASK_EVERY = 1.0


class Lock(Protocol):
    """What a run holds while it lives."""

    def take(self) -> None: ...

    def is_held(self) -> bool:
        """Whether we surely hold it still."""

    def release(self) -> None: ...


class FileLock:
    """A lock on a file of this machine; the kernel never takes it from a living process."""

    def __init__(self, run_id: str) -> None:
        self._path = _folder() / f"{run_id}.lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_held(self) -> bool:
        return True

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()

    @staticmethod
    def is_taken(run_id: str) -> bool:
        path = _folder() / f"{run_id}.lock"
        try:
            with path.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        path.unlink(missing_ok=True)
        return False

    @staticmethod
    def doubt() -> timedelta:
        """A process without its lock is gone, and its calls with it."""
        return timedelta(0)


class AdvisoryLock:
    """A lock of a PostgreSQL session of its own: a pool between us and the database would share sessions."""

    def __init__(self, run_id: str) -> None:
        self._key = _key(run_id)
        self._session: BaseDatabaseWrapper = _direct()
        self._asked = 0.0

    def take(self) -> None:
        with self._session.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [self._key])
        self._asked = time.monotonic()

    def is_held(self) -> bool:
        """A session that broke is never opened again: the lock went with it."""
        if time.monotonic() - self._asked < ASK_EVERY:
            return True
        self._asked = time.monotonic()
        try:
            with self._session.connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Exception:  # the driver's own kinds: whatever it is, the session is in doubt
            self._asked = 0.0
            return False
        return True

    def release(self) -> None:
        """Given back in so many words: the session itself ends a moment after its connection."""
        with contextlib.suppress(Exception), self._session.connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [self._key])
        self._session.close()

    @staticmethod
    def is_taken(run_id: str) -> bool:
        """Taken and given back within one transaction, which every pool lets through."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_key(run_id)])
            return not cursor.fetchone()[0]

    @staticmethod
    def doubt() -> timedelta:
        """A call begins within its whole time-out after `sent_at`, and ends within another."""
        return timedelta(seconds=2 * settings.WECHAT_TIMEOUT[2] + 1)


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _key(run_id: str) -> int:
    """Sixty-four bits, signed, as PostgreSQL wants them."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:8], signed=True)


def _direct() -> BaseDatabaseWrapper:
    """A connection of its own to the database itself, past any pool."""
    told = settings.DIRECT_DATABASE or connection.settings_dict
    options = {name: value for name, value in told.get("OPTIONS", {}).items() if name != "pool"}
    handler = ConnectionHandler({"default": {**told, "OPTIONS": options, "CONN_MAX_AGE": None}})
    return handler["default"]


def _kind() -> type[FileLock] | type[AdvisoryLock]:
    return AdvisoryLock if connection.vendor == "postgresql" else FileLock


class Run:
    """One pump's life; used as a context manager."""

    def __init__(self) -> None:
        self.id = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._lock: Lock = _kind()(self.id)

    def __enter__(self) -> "Run":
        self._lock.take()
        return self

    def __exit__(self, *exc: object) -> None:
        self._lock.release()

    def is_held(self) -> bool:
        """False: others may take us for dead, so nothing more may be claimed."""
        return self._lock.is_held()


def is_alive(run_id: str) -> bool:
    """Whether the process of this run still lives."""
    return _kind().is_taken(run_id)


def doubt() -> timedelta:
    """How long after `sent_at` a call of a dead run may still be on its way."""
    return _kind().doubt()
