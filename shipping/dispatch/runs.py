"""A worker run, alive as long as the operating system holds its file lock.

A lease that runs out by clock is not enough: a stopped process that wakes up would send again. The kernel
drops the lock exactly when the process is gone.
"""

import fcntl
import os
import uuid
from pathlib import Path
from typing import IO

from django.conf import settings


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Run:
    """One pump's life; used as a context manager."""

    def __init__(self) -> None:
        self.id = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._path = _folder() / f"{self.id}.lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> "Run":
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *exc: object) -> None:
        self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()


def is_alive(run_id: str) -> bool:
    """Whether the process of this run still lives."""
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
