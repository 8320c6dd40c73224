"""Ask a Django project for pages, in this process, by the test client: `python -m bench.peers.pages USER`.

The project is DJANGO_SETTINGS_MODULE. Each line of input is a path; each line of output is
`{seconds, bytes, status, queries, sql}`, `sql` being the milliseconds its queries take when asked again.
"""

import json
import sys
import time
from typing import Any

import django


def client(username: str) -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    made = Client(HTTP_HOST="127.0.0.1")
    user = get_user_model().objects.get(**{get_user_model().USERNAME_FIELD: username})
    made.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return made


def look(browser: Any, path: str) -> dict[str, Any]:
    from django.db import connection

    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    began = time.perf_counter()
    reply = browser.get(path)
    seconds = time.perf_counter() - began
    with connection.execute_wrapper(note):
        browser.get(path)
    reads = [(sql, params) for sql, params in asked if sql.startswith("SELECT")]
    sql = sum(_again(connection, *query) for query in reads)
    told = {"seconds": seconds, "bytes": len(reply.content), "status": reply.status_code}
    return {**told, "queries": len(reads), "sql": sql * 1000}


def _again(connection: Any, sql: str, params: Any) -> float:
    """A query with all its rows, without the ORM."""
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(sql, params)
        cursor.fetchall()
        return time.perf_counter() - began


def main(username: str) -> None:
    django.setup()
    browser = client(username)
    for line in sys.stdin:
        print(json.dumps(look(browser, line.strip())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
