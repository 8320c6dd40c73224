"""Every stored secret under the newest key, while the desk is working and as often as one likes.

A row is rewritten only if the column still holds what was read, so a token renewed meanwhile is never undone;
what is under the newest key already is skipped, so a run that was cut short goes on where it stopped.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper

from .fields import EncryptedText, SecretUnreadable, decrypt, encrypt, is_newest, opening_key

BATCH = 200


@dataclass
class Rotated:
    """What a run did; `unreadable` names the columns no key opens, never their content."""

    changed: int = 0
    kept: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate() -> Rotated:
    """Re-encrypt every secret of every table that is not under the newest key yet."""
    done = Rotated()
    for model, column in _columns():
        for pk, stored in _secrets(model, column, connection):
            _rotate(model, column, pk, stored, done)
    return done


def keys_in_use(database: BaseDatabaseWrapper) -> Counter[str]:
    """Fingerprint of a key -> how many secrets of a database are under it; "" for what no key opens."""
    return Counter(
        opening_key(stored) for model, column in _columns() for _, stored in _secrets(model, column, database)
    )


def _columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for each in model._meta.local_fields:
            if isinstance(each, EncryptedText):
                yield model, str(each.column)


def _secrets(
    model: type[models.Model], column: str, database: BaseDatabaseWrapper
) -> Iterator[tuple[int, str]]:
    """Primary key and stored text, in batches: reading through the model would open them."""
    last = 0
    while rows := _batch(model, column, last, database):
        yield from rows
        last = rows[-1][0]


def _batch(
    model: type[models.Model], column: str, last: int, database: BaseDatabaseWrapper
) -> list[tuple[int, str]]:
    table, name, pk = _names(model, column)
    query = f"SELECT {pk}, {name} FROM {table} WHERE {pk} > %s AND {name} <> '' ORDER BY {pk} LIMIT {BATCH}"  # noqa: S608 - names from our own models  # nosec B608
    with database.cursor() as cursor:
        cursor.execute(query, [last])
        return [(int(pk), str(stored)) for pk, stored in cursor.fetchall()]


def _rotate(model: type[models.Model], column: str, pk: int, stored: str, done: Rotated) -> None:
    if is_newest(stored):
        done.kept += 1
        return
    try:
        fresh = encrypt(decrypt(stored))
    except SecretUnreadable:
        done.unreadable.append(f"{model._meta.label} {pk} {column}")
        return
    done.changed += _replace(model, column, pk, stored, fresh)


def _replace(model: type[models.Model], column: str, pk: int, stored: str, fresh: str) -> int:
    table, name, key = _names(model, column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {name} = %s WHERE {key} = %s AND {name} = %s",  # noqa: S608  # nosec B608
            [fresh, pk, stored],
        )
        return int(cursor.rowcount)


def _names(model: type[models.Model], column: str) -> tuple[str, str, str]:
    quote, meta = connection.ops.quote_name, model._meta
    return quote(meta.db_table), quote(column), quote(str(meta.pk.column))
