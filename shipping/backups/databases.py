"""Both databases behind one interface: a consistent copy of one, and a copy put in the place of another."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Whoever holds a session's key is logged in: it is worth as much as a password.
LEFT_OUT = ("django_session",)
STAGE = "restoring"


class Engine(Protocol):
    """What a kind of database can do here; every method raises files.Unusable."""

    content: str

    def copy(self, folder: Path) -> AbstractContextManager[tuple[Path, BaseDatabaseWrapper]]:
        """A copy in a file, and a connection that sees exactly what is in it."""

    def holds_a_desk(self) -> bool:
        """Whether the database of the settings has anything of ours in it."""

    def stage(self, copy: Path, stamp: str) -> AbstractContextManager[str]:
        """The copy beside the database of the settings, as an alias; gone again unless it was swapped in."""

    def swap(self, stamp: str) -> str:
        """Give the staged copy the database's place, at once for everybody; returns where the old one is."""


def told() -> dict[str, Any]:
    """The database itself, past any pool: what a pool shares can neither be copied nor replaced."""
    return dict(settings.DIRECT_DATABASE or settings.DATABASES["default"])


@contextmanager
def connected(alias: str, **more: Any) -> Iterator[BaseDatabaseWrapper]:
    """A connection by a name of its own for a while, to the database of the settings or to `more`."""
    connections.databases[alias] = {**connections.databases["default"], **told(), **more}
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias], connections.databases[alias]


def engine() -> Engine:
    from .postgres import Postgres
    from .sqlite import Sqlite

    return Postgres() if connections["default"].vendor == "postgresql" else Sqlite()


def holds_rows(database: BaseDatabaseWrapper, tables: tuple[str, ...]) -> bool:
    """Whether one of these tables is there and has a row."""
    quote = database.ops.quote_name
    with database.cursor() as cursor:
        for name in set(tables) & set(database.introspection.table_names(cursor)):
            cursor.execute(f"SELECT 1 FROM {quote(name)} LIMIT 1")  # noqa: S608 - names of our models  # nosec B608
            if cursor.fetchone():
                return True
    return False


OURS = ("merchants_user", "merchants_merchant", "shipping_order", "shipping_attempt")
