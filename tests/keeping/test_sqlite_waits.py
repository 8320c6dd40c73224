"""Who meets another's write on SQLite looks often, waits as long as allowed, and then says so (config.sqlite3)."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.db import ConnectionHandler, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

WAL = "PRAGMA journal_mode=WAL"
HELD = 0.6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "waits.sqlite3")) as fresh:
        fresh.execute(WAL)
        fresh.execute("CREATE TABLE told (word TEXT)")
    return tmp_path / "waits.sqlite3"


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection, which holds the file for writing."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as held:
        held.execute("BEGIN IMMEDIATE")
        yield held


@pytest.fixture
def opened(
    path: Path, request: pytest.FixtureRequest, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    told = {"timeout": getattr(request, "param", 20), "transaction_mode": "IMMEDIATE", "init_command": WAL}
    handler = ConnectionHandler({"default": {"ENGINE": "config.sqlite3", "NAME": str(path), "OPTIONS": told}})
    opened = handler["default"]
    with django_db_blocker.unblock():
        opened.ensure_connection()
        yield opened
        opened.close()


def words(database: BaseDatabaseWrapper) -> list[Any]:
    with database.cursor() as cursor:
        return [word for (word,) in cursor.execute("SELECT word FROM told").fetchall()]


def freed(other: sqlite3.Connection) -> threading.Timer:
    timer = threading.Timer(HELD, other.execute, ["COMMIT"])
    timer.start()
    return timer


def within(database: BaseDatabaseWrapper, write: str, *rows: Any) -> None:
    """One write in a transaction of its own, as `atomic()` makes it for the default database."""
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with database.cursor() as cursor:
        cursor.execute(write, rows)
    database.commit()
    database.set_autocommit(True)


def test_it_looks_each_few_milliseconds(opened: BaseDatabaseWrapper, other: sqlite3.Connection) -> None:
    looks: list[str] = []
    opened.connection.set_trace_callback(looks.append)
    timer = freed(other)
    within(opened, "INSERT INTO told VALUES (%s)", "after")
    timer.join()
    # SQLite's own waiting begins the statement once, and looks each 100 ms in the end.
    assert looks.count("BEGIN IMMEDIATE") > 20
    assert words(opened) == ["after"]


def test_a_write_without_a_transaction_and_many_rows_wait_too(
    opened: BaseDatabaseWrapper, other: sqlite3.Connection
) -> None:
    timer = freed(other)
    with opened.cursor() as cursor:
        cursor.execute("INSERT INTO told VALUES (%s)", ["one"])
    timer.join()
    other.execute("BEGIN IMMEDIATE")
    timer = freed(other)
    with opened.cursor() as cursor:
        cursor.executemany("INSERT INTO told VALUES (%s)", (["two"], ["three"]))
    timer.join()
    assert words(opened) == ["one", "two", "three"]


@pytest.mark.parametrize("opened", [0.2], indirect=True)
def test_it_gives_up_when_its_time_is_over(opened: BaseDatabaseWrapper, other: sqlite3.Connection) -> None:
    for write in ("INSERT INTO told VALUES ('never')", "BEGIN IMMEDIATE"):
        with pytest.raises(OperationalError, match="database is locked"), opened.cursor() as cursor:
            cursor.execute(write)
    assert words(opened) == []


def test_a_snapshot_that_is_too_old_is_told_at_once(opened: BaseDatabaseWrapper, path: Path) -> None:
    """Waiting cannot mend it: with twenty seconds of patience this would take twenty seconds."""
    looks: list[str] = []
    with opened.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM told").fetchall()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("INSERT INTO told VALUES ('newer')")
        opened.connection.set_trace_callback(looks.append)
        with pytest.raises(OperationalError, match="database is locked"):
            cursor.execute("INSERT INTO told VALUES ('older')")
        assert len(looks) == 1
        cursor.execute("ROLLBACK")
