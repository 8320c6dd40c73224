"""The test database, quickly: migrated once for each state of the migrations, and emptied by what has rows.

A transactional test leaves rows in a few of fifty tables. Django's flush empties them all and makes every permission
again, which was a third of the suite's time.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.db import connection, connections, transaction
from django.test import TransactionTestCase

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


@pytest.fixture(scope="session")
def template(request: pytest.FixtureRequest) -> Path | None:
    """Where a migrated SQLite database is kept between runs; none on another database or without a cache."""
    cache = getattr(request.config, "cache", None)
    if connection.vendor != "sqlite" or request.config.getoption("nomigrations") or cache is None:
        return None
    return Path(cache.mkdir("database")) / f"{_state_of_migrations()}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(template: Path | None, django_db_modify_db_settings: None) -> bool:
    """Start from the template where there is one: `migrate` then finds nothing to do."""
    if template and template.exists():
        shutil.copyfile(template, connection.creation._get_test_db_name())
        return True
    return False


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_keepdb: bool, template: Path | None, django_db_blocker: Any
) -> None:
    if not template or django_db_keepdb:
        return
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        half = template.with_suffix(f".{os.getpid()}")
        cursor.execute("VACUUM INTO %s", [str(half)])
    for old in template.parent.glob("*.sqlite3"):
        old.unlink(missing_ok=True)
    half.replace(template)


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
