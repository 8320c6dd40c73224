"""Django's SQLite, with a shorter way of waiting for another's write.

SQLite's own waiting sleeps longer and longer between two looks, up to 100 ms, while a transaction of
ours holds the file for a few: the file lies idle between two writers, and who has waited longest looks
least often. Here everyone looks each few milliseconds, for as long as `timeout` allows.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db.backends.sqlite3 import base

BETWEEN_LOOKS = 0.005
DEFAULT_PATIENCE = 5.0  # as sqlite3 itself waits where no timeout is set


class Cursor(base.SQLiteCursorWrapper):
    """A cursor whose statements wait for `patience` seconds until nobody else writes."""

    patience = DEFAULT_PATIENCE

    def execute(self, query: str, params: Any = None) -> Any:
        return self._once_free(lambda: super(Cursor, self).execute(query, params))

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        # Outside a transaction some of its rows may be written when it stops: SQLite waits for each.
        _wait_within(self.connection, self.patience * 1000)
        try:
            return super().executemany(query, param_list)
        finally:
            _wait_within(self.connection, 0)

    def _once_free(self, run: Callable[[], Any]) -> Any:
        """A statement that met another's write has done nothing, so it is simply asked again."""
        until = time.monotonic() + self.patience
        while True:
            try:
                return run()
            except sqlite3.OperationalError as error:
                if not _is_taken(error) or time.monotonic() >= until:
                    raise
            time.sleep(BETWEEN_LOOKS)


def _is_taken(error: sqlite3.OperationalError) -> bool:
    """Another writes just now. A snapshot too old to write on stays so, however long one waits."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT


def _wait_within(connection: sqlite3.Connection, milliseconds: float) -> None:
    """How long SQLite waits by itself: not at all, where a cursor does."""
    connection.execute(f"PRAGMA busy_timeout = {int(milliseconds)}")


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes the options of Django's own; `timeout` is kept, the way to it is shorter."""

    patience = DEFAULT_PATIENCE

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        self.patience = float(params.get("timeout", DEFAULT_PATIENCE))
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        # What is asked while it opens (WAL after a crash) waits as long as SQLite is told to.
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        _wait_within(connection, 0)
        return connection

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.patience = self.patience
        return cursor
