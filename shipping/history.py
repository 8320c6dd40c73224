"""History that cannot be rewritten: what the database itself refuses, and the one door past that.

Kept for ever: a status change; an attempt once closed, and of an open one whose it is and, once it was sent,
what was sent and when. Triggers hold this against every program, a person at the database's own prompt
included. Only erasing and retention may pass, by `opened`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from .models import Attempt, Opening, StatusChange

CHANGES, ATTEMPTS, DOOR = StatusChange._meta.db_table, Attempt._meta.db_table, Opening._meta.db_table
# Never changes from the moment an attempt is made; changes no more once it was sent.
WHOSE = ("merchant_id", "order_id", "shipment_id", "run", "started_at")
SENT = ("sent_at", "request")


@contextmanager
def opened(why: str) -> Iterator[None]:
    """Let this transaction change history, and no other: the row is gone before anybody else could see it."""
    with transaction.atomic():
        opening = Opening.objects.create(why=why)
        yield
        opening.delete()


def install_triggers(using: str, **more: Any) -> None:
    """After each migrate: SQLite loses a table's triggers whenever Django makes the table anew."""
    database = connections[using]
    if {CHANGES, ATTEMPTS, DOOR} <= set(database.introspection.table_names()):
        with database.cursor() as cursor:
            for statement in STATEMENTS[database.vendor]():
                cursor.execute(statement)


def _rewrites(differs: str) -> str:
    """The condition under which an update of an attempt rewrites history."""
    whose = [f"NEW.{name} {differs} OLD.{name}" for name in WHOSE]
    sent = " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in SENT)
    return " OR ".join(["OLD.closed_at IS NOT NULL", *whose, f"(OLD.sent_at IS NOT NULL AND ({sent}))"])


REFUSE_SQLITE = """
CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN ({condition}) AND NOT EXISTS (SELECT 1 FROM {door})
BEGIN SELECT RAISE(ABORT, 'history is kept: {table}'); END
"""
REFUSE_POSTGRES = """
CREATE OR REPLACE FUNCTION shipping_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM {door}) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'history is kept: ' || TG_TABLE_NAME;
  ELSIF TG_OP = 'DELETE' THEN RETURN OLD;
  END IF;
  RETURN NEW;
END $$
"""
GUARD_POSTGRES = """
CREATE OR REPLACE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition})
EXECUTE FUNCTION shipping_keep_history()
"""
GUARD_ALL_POSTGRES = """
CREATE OR REPLACE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT
EXECUTE FUNCTION shipping_keep_history()
"""


def _for_sqlite() -> Iterator[str]:
    for guard in _guards("IS NOT"):
        yield "DROP TRIGGER IF EXISTS {name}".format(**guard)
        yield REFUSE_SQLITE.format(door=DOOR, **guard)


def _for_postgres() -> Iterator[str]:
    yield REFUSE_POSTGRES.format(door=DOOR)
    for guard in _guards("IS DISTINCT FROM"):
        yield GUARD_POSTGRES.format(**guard)
    for table in (CHANGES, ATTEMPTS):
        yield GUARD_ALL_POSTGRES.format(table=table)


def _guards(differs: str) -> Iterator[dict[str, str]]:
    for table, condition in ((CHANGES, "1 = 1"), (ATTEMPTS, _rewrites(differs))):
        yield {"name": f"{table}_kept", "event": "UPDATE", "table": table, "condition": condition}
        yield {"name": f"{table}_not_deleted", "event": "DELETE", "table": table, "condition": "1 = 1"}


STATEMENTS = {"sqlite": _for_sqlite, "postgresql": _for_postgres}
