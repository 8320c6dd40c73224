"""PostgreSQL: pg_dump of one snapshot; a copy is loaded beside what is there and swapped in by a rename."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from .databases import LEFT_OUT, OURS, STAGE, connected, holds_rows, told
from .files import Unusable

SCHEMA = "public"
SSL = ("sslmode", "sslrootcert", "sslcert", "sslkey")
FORMAT = ("--no-owner", "--no-privileges", f"--schema={SCHEMA}")


class Postgres:
    """The database is a schema of a server, and its own programs copy it."""

    content = "desk.pgdump"

    @contextmanager
    def copy(self, folder: Path) -> Iterator[tuple[Path, BaseDatabaseWrapper]]:
        """What the connection counts is what pg_dump writes: both look at one snapshot."""
        target = folder / self.content
        with connected("copy", CONN_MAX_AGE=0) as database, database.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            left_out = [f"--exclude-table-data={name}" for name in LEFT_OUT]
            dump = [_tool("pg_dump"), "--format=custom", f"--file={target}", f"--snapshot={snapshot}"]
            _run([*dump, *FORMAT, *left_out])
            yield target, database

    def holds_a_desk(self) -> bool:
        with connected("there", CONN_MAX_AGE=0) as database:
            return holds_rows(database, OURS)

    @contextmanager
    def stage(self, copy: Path, stamp: str) -> Iterator[str]:
        """Loaded under the name it was dumped with, within one transaction at whose end it has another."""
        self._see_nobody_else()
        staged, aside = f"{STAGE}_{stamp}", f"aside_{stamp}"
        before = f"ALTER SCHEMA {SCHEMA} RENAME TO {aside}; CREATE SCHEMA {SCHEMA}"
        after = f"ALTER SCHEMA {SCHEMA} RENAME TO {staged}; ALTER SCHEMA {aside} RENAME TO {SCHEMA}"
        try:
            _load(copy, before, after)
            with connected(STAGE, CONN_MAX_AGE=0, OPTIONS=_looking_at(staged)):
                yield STAGE
        finally:
            self._execute(f"DROP SCHEMA IF EXISTS {staged} CASCADE")

    def swap(self, stamp: str) -> str:
        connections[STAGE].close()
        self._see_nobody_else()
        aside = f"before_{stamp}" if self._has_tables() else ""
        away = f"ALTER SCHEMA {SCHEMA} RENAME TO {aside}" if aside else f"DROP SCHEMA {SCHEMA}"
        self._execute(f"{away}; ALTER SCHEMA {STAGE}_{stamp} RENAME TO {SCHEMA}")
        return aside and f"schema {aside}"

    def _has_tables(self) -> bool:
        with connected("there", CONN_MAX_AGE=0) as database:
            return bool(database.introspection.table_names())

    def _see_nobody_else(self) -> None:
        """A worker that goes on with the old rows would ship from them."""
        with connected("there", CONN_MAX_AGE=0) as database, database.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if others := cursor.fetchone()[0]:
                raise Unusable(
                    _("还有 %(count)d 个连接在用这个数据库；请先停掉网站、后台程序和连接池。")
                    % {"count": others}
                )

    def _execute(self, statements: str) -> None:
        with connected("there", CONN_MAX_AGE=0) as database, database.cursor() as cursor:
            cursor.execute(f"BEGIN; {statements}; COMMIT")


def _looking_at(schema: str) -> dict[str, str]:
    return {**told().get("OPTIONS", {}), "options": f"-c search_path={schema}"}


def _load(copy: Path, before: str, after: str) -> None:
    """pg_restore writes the statements, psql runs them in one transaction."""
    restore = [_tool("pg_restore"), "--file=-", *FORMAT, str(copy)]
    load = [_tool("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    load += ["--output=/dev/null", "--command", before, "--file=-", "--command", after]
    with subprocess.Popen(restore, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source:  # noqa: S603
        loaded = subprocess.run(  # noqa: S603
            load, stdin=source.stdout, capture_output=True, text=True, env=_env()
        )
        words = source.stderr.read().decode() if source.stderr else ""
    _see(restore[0], source.returncode, words)
    _see(load[0], loaded.returncode, loaded.stderr)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=_env())  # noqa: S603
    _see(command[0], done.returncode, done.stderr)


def _see(tool: str, code: int, words: str) -> None:
    if code:
        raise Unusable(_("%(tool)s 没有成功：%(why)s") % {"tool": tool, "why": words.strip()[-500:]})


def _tool(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise Unusable(
        _(
            "找不到 %(tool)s：请装 PostgreSQL 的客户端程序（Debian：postgresql-client），版本不低于服务器，"
            "并让它在 PATH 里。"
        )
        % {"tool": name}
    )


def _env() -> dict[str, str]:
    """The database for PostgreSQL's programs; a password is no argument, which every user could read."""
    where, options = told(), told().get("OPTIONS", {})
    known = {
        "PGHOST": where.get("HOST"), "PGPORT": where.get("PORT"), "PGUSER": where.get("USER"),
        "PGPASSWORD": where.get("PASSWORD"), "PGDATABASE": where.get("NAME"),
        **{f"PG{name.upper()}": options.get(name) for name in SSL},
    }  # fmt: skip
    return {**os.environ, **{name: str(value) for name, value in known.items() if value}}
