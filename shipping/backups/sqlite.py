"""SQLite: its own online backup while others write; a copy takes the file's place by a rename."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from .databases import LEFT_OUT, OURS, STAGE, connected, holds_rows
from .files import Unusable, sync_folder

WAIT = 20.0


class Sqlite:
    """The database is a file."""

    content = "desk.sqlite3"

    def __init__(self) -> None:
        self._path = Path(str(connections.databases["default"]["NAME"]))

    @contextmanager
    def copy(self, folder: Path) -> Iterator[tuple[Path, BaseDatabaseWrapper]]:
        """All pages in one step: one reading transaction, which with WAL keeps no writer waiting."""
        target = folder / self.content
        with (
            closing(sqlite3.connect(self._path, timeout=WAIT)) as source,
            closing(sqlite3.connect(target)) as made,
        ):
            source.backup(made, pages=-1)
            _make_whole(made)
        with connected("copy", NAME=str(target), OPTIONS={}) as database:
            yield target, database

    def holds_a_desk(self) -> bool:
        if not self._path.exists():
            return False
        with connected("there") as database:
            return holds_rows(database, OURS)

    @contextmanager
    def stage(self, copy: Path, stamp: str) -> Iterator[str]:
        staged = self._staged(stamp)
        try:
            copy.replace(staged)
            with connected(STAGE, NAME=str(staged)):
                yield STAGE
        finally:
            _remove(staged)

    def swap(self, stamp: str) -> str:
        connections[STAGE].close()
        staged, aside = self._staged(stamp), self._path.with_name(f"{self._path.name}.before-{stamp}")
        _fold(staged)
        is_there = self._path.exists()
        if is_there:
            if not _fold(self._path):
                raise Unusable(
                    _("%(file)s 还有别的程序在用；请先停掉网站和后台程序，再恢复。") % {"file": self._path}
                )
            self._path.rename(aside)
        staged.replace(self._path)
        sync_folder(self._path.parent)
        return str(aside) if is_there else ""

    def _staged(self, stamp: str) -> Path:
        return self._path.with_name(f".{self._path.name}.{STAGE}-{stamp}")


def _make_whole(made: sqlite3.Connection) -> None:
    """One file, proved to be sound, without what is left out and without a trace of it."""
    made.execute("PRAGMA journal_mode=DELETE")
    made.execute("PRAGMA secure_delete=ON")
    tables = {name for (name,) in made.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name in tables.intersection(LEFT_OUT):
        made.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names  # nosec B608
    made.commit()
    found = [row[0] for row in made.execute("PRAGMA integrity_check(5)")]
    if found != ["ok"] or made.execute("PRAGMA foreign_key_check").fetchone():
        raise Unusable(_("数据库本身有错，没有备份：%(why)s") % {"why": "; ".join(found)})


def _fold(path: Path) -> bool:
    """Put the journal back into the file; False while anybody else has it open."""
    with closing(sqlite3.connect(path, timeout=0)) as database, suppress(sqlite3.OperationalError):
        return bool(database.execute("PRAGMA journal_mode=DELETE").fetchone()[0] == "delete")
    return False


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)
