"""The test database, quickly: migrated once for each state of the migrations, and emptied by what has rows.

A transactional test leaves rows in a few of fifty tables. Django's flush empties them all and makes every permission
again, which was a third of the suite's time.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import django
import pytest
from django.apps import apps
from django.db import connection, connections, transaction
from django.test import TransactionTestCase

from tests import services

# The same for all parts of the suite, each of which has a cache of its own beneath.
KEPT_IN = Path(__file__).parents[1] / ".pytest_cache" / "database"
# Made by migrate and the same for every test.
KEPT = {"django_migrations", "django_content_type", "auth_permission", "shipping_opening"}


def _state_of_migrations() -> str:
    """A digest of every migration of every app, and of the models that the permissions are made from."""
    digest = hashlib.sha256(django.__version__.encode())
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for kind in ("migrations/*.py", "models.py", "models/*.py"):
            for path in sorted(Path(config.path).glob(kind)):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@dataclass
class Template:
    """A migrated database to copy: on SQLite a file kept between runs, on our PostgreSQL a database of this run."""

    path: Path

    @property
    def name(self) -> str:
        return "template_" + self.path.stem

    def exists(self) -> bool:
        if connection.vendor == "sqlite":
            return self.path.exists()
        with _maintenance() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
            return cursor.fetchone() is not None

    def fill(self, wanted: str) -> None:
        """Make the test database of that name from the template."""
        if connection.vendor == "sqlite":
            shutil.copyfile(self.path, wanted)
        else:
            self._copy(self.name, wanted)

    def keep(self, made: str) -> None:
        """Let the test database of that name, just migrated, be what others start from."""
        if connection.vendor == "sqlite":
            half = self.path.with_suffix(f".{os.getpid()}")
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(half)])
            for old in self.path.parent.glob("*.sqlite3"):
                old.unlink(missing_ok=True)
            half.replace(self.path)
        else:
            connection.close()
            self._copy(made, self.name)

    def _copy(self, source: str, target: str) -> None:
        with _maintenance() as cursor:
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')


def _maintenance() -> Any:
    """A cursor beside every test database: PostgreSQL copies only what nobody is connected to."""
    return connection._nodb_cursor()


@pytest.fixture(scope="session")
def template(request: pytest.FixtureRequest, django_db_modify_db_settings: None) -> Template | None:
    """What the test database is copied from; none for a server of somebody else's."""
    if request.config.getoption("nomigrations") or not services.is_ours():
        return None
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    return Template(KEPT_IN / f"{_state_of_migrations()}.sqlite3")


@pytest.fixture(scope="session")
def migrating(template: Template | None) -> Iterator[IO[str] | None]:
    """Held by the one that makes the template, while the other workers wait instead of migrating, too."""
    if template is None:
        yield None
        return
    with (template.path.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


@pytest.fixture(scope="session")
def django_db_keepdb(template: Template | None, migrating: IO[str] | None, django_db_blocker: Any) -> bool:
    """Start from the template where there is one: `migrate` then finds nothing to do."""
    if template is None or migrating is None:
        return False
    with django_db_blocker.unblock():
        if not template.exists():
            return False
        template.fill(connection.creation._get_test_db_name())
    fcntl.flock(migrating, fcntl.LOCK_UN)
    return True


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_keepdb: bool,
    template: Template | None,
    migrating: IO[str] | None,
    django_db_blocker: Any,
) -> None:
    if template and migrating and not django_db_keepdb:
        with django_db_blocker.unblock():
            template.keep(str(connection.settings_dict["NAME"]))
        fcntl.flock(migrating, fcntl.LOCK_UN)


def _tables(alias: str) -> list[str]:
    return [name for name in connections[alias].introspection.django_table_names() if name not in KEPT]


def empty(alias: str) -> None:
    """Delete the rows of the tables that have any."""
    from shipping.history import opened

    one = connections[alias]
    quoted = [one.ops.quote_name(name) for name in _tables(alias)]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in quoted)  # noqa: S608
    # In one transaction foreign keys are looked at when all is gone.
    with transaction.atomic(using=alias), opened("a test is over"), one.cursor() as cursor:
        cursor.execute(asked)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608


def _fixture_teardown(case: Any) -> None:
    for alias in case._databases_names(include_mirrors=False):
        empty(alias)


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _fixture_teardown)
        yield


def everything() -> str:
    """Every row of every table, to look for what must not be there."""
    told = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608
            told += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(told)
