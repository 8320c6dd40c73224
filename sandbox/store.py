"""The sandbox's whole memory: one SQLite file.

One connection behind one lock: every received call is a single transaction, so what the ledger says and
what the orders show never disagree, also after ``kill -9``.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS merchants(
    appid TEXT PRIMARY KEY, secret TEXT NOT NULL, name TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders(
    order_id TEXT PRIMARY KEY, appid TEXT NOT NULL, status INTEGER NOT NULL, create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL, openid TEXT NOT NULL, called_at REAL NOT NULL DEFAULT 0, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS orders_created ON orders(appid, create_time, order_id);
CREATE INDEX IF NOT EXISTS orders_updated ON orders(appid, update_time, order_id);
CREATE TABLE IF NOT EXISTS tokens(
    token TEXT PRIMARY KEY, appid TEXT NOT NULL, kind TEXT NOT NULL, made_at REAL NOT NULL,
    expires_at REAL NOT NULL, replaced_at REAL, dead INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS tokens_of ON tokens(appid, kind, made_at);
CREATE TABLE IF NOT EXISTS clouds(appid TEXT PRIMARY KEY, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS platforms(
    appid TEXT PRIMARY KEY, secret TEXT NOT NULL, push_token TEXT NOT NULL, aes_key TEXT NOT NULL,
    is_pushing INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS push_addresses(
    appid TEXT PRIMARY KEY, url TEXT NOT NULL, token TEXT NOT NULL, aes_key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pushes(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, appid TEXT NOT NULL, order_id TEXT NOT NULL,
    event TEXT NOT NULL, body TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due REAL, answer TEXT);
CREATE INDEX IF NOT EXISTS pushes_due ON pushes(due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS tickets(ticket TEXT PRIMARY KEY, component TEXT NOT NULL, made_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS authorizations(
    component TEXT NOT NULL, appid TEXT NOT NULL, code TEXT NOT NULL, code_at REAL NOT NULL,
    refresh_token TEXT NOT NULL, old_refresh TEXT, replaced_at REAL, funcs TEXT NOT NULL,
    auth_time REAL NOT NULL,
    PRIMARY KEY (component, appid));
CREATE TABLE IF NOT EXISTS forced(appid TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS serials(sn_code TEXT PRIMARY KEY, order_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS switches(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults(
    id INTEGER PRIMARY KEY AUTOINCREMENT, call TEXT NOT NULL, appid TEXT, order_id TEXT,
    fault TEXT NOT NULL, times_left INTEGER NOT NULL, params TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS late(
    seq INTEGER PRIMARY KEY, due REAL NOT NULL, appid TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, path TEXT NOT NULL, appid TEXT NOT NULL,
    order_id TEXT NOT NULL, token_print TEXT NOT NULL, token_valid INTEGER NOT NULL, body TEXT NOT NULL,
    answer TEXT NOT NULL, errcode INTEGER, fault TEXT, accepted TEXT NOT NULL, accepted_at REAL);
CREATE INDEX IF NOT EXISTS ledger_order ON ledger(order_id);
CREATE INDEX IF NOT EXISTS ledger_calls ON ledger(appid, path, at);
"""


class Store:
    """One SQLite file (or ``:memory:``), safe to use from any thread."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=20)
        self._db.row_factory = sqlite3.Row
        # NORMAL survives kill -9; only a power cut could cost the last calls, and a stand-in may lose those.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection inside one write transaction; rolled back if the block raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file; later calls fail."""
        with self._lock:
            self._db.close()
