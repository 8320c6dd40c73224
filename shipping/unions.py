"""Several query sets in one statement: to put a query on its way costs more than what a page finds by it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

# SQLite takes 500 in one statement.
AT_ONCE = 100

Compiled = tuple[SQLCompiler, str, tuple[Any, ...]]


class Prepared(NamedTuple):
    """Statements put together once, for a question that is asked again and again about something else."""

    statements: list[tuple[str, list[Any]]]

    def rows(self, meant: Mapping[Any, Any] = MappingProxyType({})) -> list[tuple[Any, ...]]:
        """`meant`: what stood in the query sets -> what is asked about instead.

        Numbers and text only: what a driver hands over is not turned into anything else.
        """
        asked = ((sql, [meant.get(param, param) for param in params]) for sql, params in self.statements)
        return [row for sql, params in asked for row in _fetched(sql, params)]


def prepared(parts: Iterable[QuerySet[Any, Any]]) -> Prepared:
    """All of them; each is a `values_list` of the same columns, cut off and sorted by itself."""
    return _united([part for part in map(_compiled, parts) if part])


def rows_of_each(parts: Iterable[QuerySet[Any, Any]]) -> list[tuple[Any, ...]]:
    """The rows of all of them, each as for `prepared`; the columns in Python's types."""
    return finding(parts)()


def finding(parts: Iterable[QuerySet[Any, Any]]) -> Callable[[], list[tuple[Any, ...]]]:
    """Put together once, to be asked again: the rows of all of them, as `rows_of_each` gives them."""
    compiled = [part for part in map(_compiled, parts) if part]
    if not compiled:
        return list
    united, compiler = _united(compiled), compiled[0][0]
    # Of whoever asks: kept in a cache it would hold the connection of the thread that asked first.
    compiler.connection = connection

    def rows() -> list[tuple[Any, ...]]:
        read: list[Any] = united.rows()
        found: Iterable[Any] = compiler.results_iter([read], tuple_expected=True)
        return list(found)

    return rows


def counting(parts: Sequence[QuerySet[Any, Any]]) -> Callable[[], list[int]]:
    """Put together once, to be asked again: how many rows each has."""
    compiled = [_compiled(part) for part in parts]
    asked = [part for part in compiled if part]
    sums = ", ".join(f"(SELECT COUNT(*) FROM ({sql}) AS part)" for _, sql, _params in asked)  # noqa: S608 - SQL of the ORM  # nosec B608
    params, is_asked = _params(asked), [part is not None for part in compiled]

    def counts() -> list[int]:
        found = iter(_fetched(f"SELECT {sums}", params)[0] if sums else ())
        return [next(found) if asked else 0 for asked in is_asked]

    return counts


def _compiled(part: QuerySet[Any, Any]) -> Compiled | None:
    """None for one that surely finds nothing."""
    compiler = part.query.get_compiler(DEFAULT_DB_ALIAS)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None
    return compiler, sql, params


def _united(parts: Sequence[Compiled]) -> Prepared:
    slices = (parts[n : n + AT_ONCE] for n in range(0, len(parts), AT_ONCE))
    return Prepared([(_union([sql for _, sql, _params in some]), _params(some)) for some in slices])


def _union(parts: Sequence[str]) -> str:
    return " UNION ALL ".join(f"SELECT * FROM ({sql}) AS part" for sql in parts) if parts[1:] else parts[0]  # noqa: S608 - SQL of the ORM  # nosec B608


def _params(parts: Iterable[Compiled]) -> list[Any]:
    return [param for _, _sql, params in parts for param in params]


def _fetched(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
