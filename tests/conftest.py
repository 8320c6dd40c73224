"""One sandbox per test session in a thread, one clean state per test; HTTP is never mocked."""

import gc
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from sandbox import build, tokens
from sandbox.remote import Remote
from sandbox.server import Sandbox
from wechat.secrets import RedactionFilter

pytest_plugins = ["tests.database", "tests.figures"]
APPID, SECRET = "wx00000000000000aa", "s3cret-" + "a" * 25


# What every test's store and platform speaks with, and how the sandbox's own secrets begin: none of it may stand in a
# log line of the suite, nor in the database file at the end of any test, freed pages and journal included.
CANARIES = (
    SECRET, "component-secret-0123456789abcdef", "push-token-0123456789",
    "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ticket@@@", "refreshtoken@@@", "queryauthcode@@@",
    "preauthcode@@@", "CANARY-",
)  # fmt: skip


def pytest_collection_finish() -> None:
    """The tests themselves stay till the end, too: nobody need look for garbage among them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_canary_is_left(
    quick_flush: None, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    written = tmp_path_factory.mktemp("log") / "suite.log"
    handler = logging.FileHandler(written, encoding="utf-8")
    handler.addFilter(RedactionFilter())
    logging.getLogger().addHandler(handler)
    granted, found, empty = _note_tokens(), set[str](), TransactionTestCase._fixture_teardown

    seen: list[str] = []
    looked_through: dict[Path, int] = {}
    reader = Reader()

    def look(files: Iterable[Path], since: int) -> None:
        raw = b"".join(map(reader.read, files))
        found.update(canary for canary in (*CANARIES, *granted[since:]) if canary.encode() in raw)

    def looked_at(case: Any) -> None:
        name = Path(connection.settings_dict["NAME"])
        if connection.vendor == "sqlite":
            # The -shm file holds places, no contents.
            files = [file for file in name.parent.glob(name.name + "*") if not file.name.endswith("-shm")]
            # What a test writes is in the journal; the file itself is read only if SQLite has put it there since.
            look((file for file in files if looked_through.get(file) != file.stat().st_mtime_ns), len(seen))
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            looked_through.update({file: file.stat().st_mtime_ns for file in files})
        seen[:] = granted
        empty(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", looked_at)
        yield
    logging.getLogger().removeHandler(handler)
    handler.close()
    # Once more as a whole, with what other processes have put there unseen.
    look([written, *(file for file in looked_through if file.exists())], 0)
    assert found == set()


class Reader:
    """Reads files of a database that is open in this process, and closes none that still has a name.

    A process that closes a file loses its locks on it (POSIX), those of SQLite's own connections too: another
    process then takes itself for the last one, and removes the journal that we go on writing to.
    """

    def __init__(self) -> None:
        self._open: dict[int, IO[bytes]] = {}

    def read(self, path: Path) -> bytes:
        for inode, file in list(self._open.items()):
            if os.fstat(file.fileno()).st_nlink == 0:
                self._open.pop(inode).close()
        inode = path.stat().st_ino
        if inode not in self._open:
            self._open[inode] = path.open("rb", buffering=0)
        self._open[inode].seek(0)
        return self._open[inode].read()


def _note_tokens() -> list[str]:
    """Each access token that a sandbox of this process hands out, of a store or a platform."""
    granted: list[str] = []
    real: Any = tokens._grant

    def noting(db: Any, appid: str, kind: str, now: float) -> dict[str, Any]:
        made: dict[str, Any] = real(db, appid, kind, now)
        granted.append(made["access_token"])
        return made

    tokens._grant = noting
    return granted


@dataclass
class World:
    """A merchant of ours, the same one on the platform, and a hand on both."""

    remote: Remote
    url: str
    merchant: Any

    def order(self, lines: list[dict[str, Any]] | None = None, **more: Any) -> Any:
        """An order on the platform, read into our rows."""
        from shipping.syncing import read_order

        made = self.remote.order(APPID, lines or [build.line("10000001", "20000001", 1)], **more)
        order, reply = read_order(self.merchant, made["order_id"])
        assert order is not None, reply
        return order

    def sends(self, order: Any) -> list[dict[str, Any]]:
        return [
            row
            for row in self.remote.ledger(order_id=order.order_id)
            if row["path"].endswith("delivery/send")
        ]


@pytest.fixture
def sandbox_server() -> Iterator[Sandbox]:
    server = Sandbox(state=":memory:", seed="empty", port=0).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def couriers_told() -> list[dict[str, Any]]:
    """What the first store of the session has read of its couriers: they are the same for all."""
    return []


@pytest.fixture
def world(
    sandbox_server: Sandbox, transactional_db: None, settings: Any, couriers_told: list[dict[str, Any]]
) -> World:
    """Points the product at a fresh sandbox with one merchant, couriers read, pace off."""
    from merchants.services import add_merchant

    settings.WECHAT_API_URL = sandbox_server.url
    settings.WECHAT_API_HOST = "127.0.0.1"
    remote = Remote(sandbox_server.url)
    remote.merchant(APPID, SECRET)
    merchant = add_merchant(appid=APPID, name="测试店", secret=SECRET)
    _read_store(merchant, couriers_told)
    merchant.refresh_from_db()
    return World(remote, sandbox_server.url, merchant)


def _read_store(merchant: Any, told: list[dict[str, Any]]) -> None:
    """A token, couriers, a return address: asked of the platform once, for it would be half of most tests."""
    from merchants import lines
    from shipping.models import Courier
    from shipping.syncing import sync_couriers, sync_return_address

    if not told:
        sync_couriers(merchant)
        sync_return_address(merchant)
        names = ("delivery_id", "delivery_name", "initials", "is_listed")
        told.extend(dict(row) for row in Courier.objects.order_by("pk").values(*names))
        return
    lines.ensure(merchant)
    Courier.objects.bulk_create(Courier(merchant=merchant, **each) for each in told)
    now = timezone.now()
    known = {"couriers_read_at": now, "return_address_read_at": now, "has_return_address": True}
    type(merchant).objects.filter(pk=merchant.pk).update(**known)


@pytest.fixture
def pump() -> Callable[..., None]:
    """Work until nothing is left to do, in this process."""
    from shipping.dispatch import Pump

    def work(seconds: float = 60) -> None:
        Pump().run(seconds, until_idle=True)

    return work


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    def wait(is_true: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.02)

    return wait


@pytest.fixture(autouse=True)
def shipped_words() -> Iterator[None]:
    """No test reads the words that another one wrote, nor asks the database for any unless it wrote some."""
    from shipping import wording

    wording._kept.book, wording._kept.read_at = {}, float("inf")
    yield
    wording._kept.book, wording._kept.read_at = {}, float("inf")
