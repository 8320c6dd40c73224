"""Databases with very many packages: some made by the tests' row maker, and multiplied inside the database.

Each is built once and kept in var/bench/rows; delete it to build it again. Indexes and triggers stand.
"""

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from bench import place

BLOCK = 2_000
# Of a hundred orders of the row maker so many have a package.
PACKED = 0.94
# As the row maker spaces its orders: a thousand in twelve hours.
BLOCK_LASTS = f"+{BLOCK * 12 // 1000} hours"
MANAGER = "manager"
TABLES = ("order", "orderline", "hold", "shipment", "package", "attempt", "packageitem", "parcel", "serial")


def database(packages: int) -> Path:
    """A SQLite file with so many packages and a manager of three stores; this process is its product."""
    home = place.folder("rows", is_kept=True)
    path, blocks = home / f"{packages}.sqlite3", max(1, round(packages / PACKED / BLOCK))
    is_new = not path.exists()
    making = path.with_suffix(".making") if is_new else path
    if is_new:
        for old in home.glob(f"{making.name}*"):
            old.unlink()
    place.set_up(home, database=f"sqlite:///{making}")
    # This process may have been the product of another file before.
    _move_to(making)
    if is_new:
        _plant(blocks)
        _multiply(making, blocks)
        making.rename(path)
        _move_to(path)
        _count()
    return path


def _count() -> None:
    """As on a desk that made these packages over the years: every call has been counted."""
    from shipping import tallying

    while tallying.count_up():
        pass


def copy(packages: int, home: Path) -> Path:
    """The same in a file of its own, to write to; this process and those it starts are its product."""
    path = home / "bench.sqlite3"
    kept = database(packages)
    with sqlite3.connect(kept) as source, sqlite3.connect(path) as target:
        source.backup(target)
    os.environ["VAR_DIR"] = str(home)
    _move_to(path)
    return path


def _move_to(path: Path) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = str(path)
    os.environ["DATABASE_URL"] = f"sqlite:///{path}"


def _plant(blocks: int) -> None:
    from merchants.models import Merchant, User
    from merchants.services import set_membership
    from tests.scale.rows import fill

    stores = [Merchant.objects.create(appid=f"wx{number}", name=f"店{number}") for number in range(3)]
    people = [User.objects.create_user(name, password=None) for name in (MANAGER, "packer")]
    User.objects.create_superuser("root", password=None)
    for store in stores:
        set_membership(user=people[0], merchant=store, role="manager")
    fill(stores, people, BLOCK, of=blocks * BLOCK)


def _multiply(path: Path, blocks: int) -> None:
    """Copies of the first block, each later and with numbers of its own."""
    from django.db import connection

    connection.close()
    database = sqlite3.connect(path, isolation_level=None)
    # Only while it is made.
    database.executescript("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-1500000;")
    strides = {
        f"shipping_{name}": database.execute(f'SELECT MAX(id) FROM "shipping_{name}"').fetchone()[0] or 0  # noqa: S608
        for name in TABLES
    }
    copies = [_copy(database, table, strides) for table in strides]
    database.execute("BEGIN")
    for block in range(1, blocks):
        for copy in copies:
            database.execute(copy, {"block": block})
    database.execute("COMMIT")
    database.executescript("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")
    database.close()


def _copy(database: sqlite3.Connection, table: str, strides: dict[str, int]) -> str:
    """The statement that copies the first block's rows of a table as those of `:block`."""
    # A generated column is "hidden" to SQLite, and makes itself.
    rows = database.execute(f'PRAGMA table_xinfo("{table}")')
    columns = [name for _, name, _, _, _, _, hidden in rows if not hidden]
    parents = {row[3]: row[2] for row in database.execute(f'PRAGMA foreign_key_list("{table}")')}
    told = ", ".join(f'"{name}"' for name in columns)
    made = ", ".join(_value(name, table, parents.get(name, ""), strides) for name in columns)
    return f'INSERT INTO "{table}" ({told}) SELECT {made} FROM "{table}" WHERE id <= {strides[table]}'  # noqa: S608


def _value(column: str, table: str, parent: str, strides: dict[str, int]) -> str:
    own = table if column == "id" else parent
    if own in strides:
        return f'"{column}" + :block * {strides[own]}'
    if column.endswith("_at"):
        span = BLOCK_LASTS.removeprefix("+").split()[0]
        return f"strftime('%Y-%m-%d %H:%M:%f', \"{column}\", '+' || (:block * {span}) || ' hours')"
    if column == "order_id":
        return f"'37' || printf('%017d', substr(\"{column}\", 3) + :block * {BLOCK})"
    if column == "waybill_id":
        return f"'SF' || printf('%012d', substr(\"{column}\", 3) + :block * {BLOCK})"
    return f'"{column}" || :block' if column == "sn_code" else f'"{column}"'


def table_sizes(path: Path, names: Iterable[str] = TABLES) -> dict[str, int]:
    """Rows of each table."""
    database = sqlite3.connect(path)
    return {
        name: int(database.execute(f'SELECT COUNT(*) FROM "shipping_{name}"').fetchone()[0])  # noqa: S608
        for name in names
    }
