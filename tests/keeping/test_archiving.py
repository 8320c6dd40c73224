"""Old attempts leave for files: nothing is removed that no proved file holds, whenever the run is killed."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sandbox import build
from shipping import archiving, states, tasks
from shipping.erasing import erase_buyer
from shipping.history import opened
from shipping.models import Archive, Attempt, Order, Package, Shipment, StatusChange
from tests.faults.test_kill import worker_env
from tests.flows.test_dispatch import parcel, ship
from tests.pages.test_desk import member, page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
OLD = timedelta(days=400)
Pumping = Callable[..., None]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.ARCHIVE_DIR = tmp_path / "archive"
    return tmp_path / "archive"


def grow_old() -> None:
    """Everything that is there happened more than a year ago."""
    when = timezone.now() - OLD
    Shipment.objects.update(created_at=when)
    Package.objects.update(status_at=when)
    with opened("a test"):
        Attempt.objects.filter(closed_at__isnull=False).update(closed_at=when)


def shipped(world: Any, pump: Pumping, count: int = 3) -> list[Shipment]:
    made = [ship(world.order(), parcel(f"SF31000000001{n:02}")) for n in range(count)]
    pump()
    grow_old()
    return made


def many(world: Any, count: int) -> None:
    """Shipments by the hundred, straight into the tables."""
    order, when = world.order(), timezone.now() - OLD
    whose = {"merchant": world.merchant, "order": order}
    shipments = Shipment.objects.bulk_create(Shipment(**whose) for _ in range(count))
    attempts = Attempt.objects.bulk_create(
        Attempt(**whose, shipment=each, run="r", sent_at=when, ended_at=when, closed_at=when, errcode=0)
        for each in shipments
    )
    packages = Package.objects.bulk_create(
        Package(
            **whose, shipment=each, position=0, status=states.SHIPPED, deliver_type=1, delivery_id="SF",
            waybill_id=f"SF{each.pk:013}", attempt=attempt,
        )
        for each, attempt in zip(shipments, attempts, strict=True)
    )  # fmt: skip
    StatusChange.objects.bulk_create(
        StatusChange(package=each, source="sending", target="shipped", who="worker") for each in packages
    )
    grow_old()


def in_files(folder: Path) -> dict[int, dict[str, Any]]:
    """Shipment -> its line, of all files that have their name."""
    texts = (gzip.decompress(path.read_bytes()).splitlines() for path in folder.glob("*.gz"))
    lines = (json.loads(text) for some in texts for text in some)
    return {line["shipment"]: line for line in lines}


def archive(months: int = 12) -> None:
    call_command("archive_attempts", "--months", str(months))


def test_old_attempts_leave_and_the_page_says_where_they_are(world: Any, pump: Pumping, folder: Path) -> None:
    client, [shipment] = member(world, "manager"), shipped(world, pump, 1)
    before = list(Attempt.objects.values_list("pk", "errcode", "rid", "shipment_id"))
    moves = StatusChange.objects.count()
    archive()
    assert (Attempt.objects.count(), StatusChange.objects.count()) == (0, 0)
    [line] = in_files(folder).values()
    assert [(a["id"], a["errcode"], a["rid"], a["shipment_id"]) for a in line["attempts"]] == before
    assert line["attempts"][0]["request"]["order_id"] == shipment.order.order_id
    assert len(line["changes"]) == moves
    row = Archive.objects.get()
    told = json.loads((folder / row.name.replace(".jsonl.gz", ".json")).read_text())
    assert (told["attempts"], told["changes"], told["sha256"]) == (1, moves, row.sha256)
    assert (told["first"], told["last"]) == (shipment.pk, shipment.pk)
    assert shipment.packages.get().status == "shipped"
    for url in (f"/orders/{shipment.order.order_id}/", "/history/"):
        shown = page(client.get(url))
        assert row.name in shown, url
        assert "已发货" in shown, url
    call_command("archive_attempts", "--verify")


def test_what_is_open_in_doubt_or_young_stays(world: Any, pump: Pumping, folder: Path) -> None:
    queued = ship(world.order([build.line("1001", "2001", 1)]), parcel("SF3100000000900"))
    Shipment.objects.update(due_at=timezone.now() + timedelta(days=1))
    done = shipped(world, pump, 4)
    Package.objects.filter(shipment=done[0]).update(status=states.CONFLICT)
    Package.objects.filter(shipment=done[1]).update(status=states.UNKNOWN)
    Package.objects.filter(shipment=done[2]).update(status_at=timezone.now())
    archive()
    assert set(in_files(folder)) == {done[3].pk}
    assert Attempt.objects.count() == 3
    assert queued.packages.get().status == "queued"


# --- killed at any point ------------------------------------------------------------------------------


class Killed(BaseException):
    """No handler runs."""


def whole(folder: Path, wanted: set[int]) -> None:
    """Each shipment has its calls here, or is in a file that has its name, and in one that was proved."""
    here = set(Attempt.objects.values_list("shipment", flat=True))
    gone = wanted - here
    assert gone <= set(in_files(folder))
    assert set(Shipment.objects.filter(archive__isnull=False).values_list("pk", flat=True)) == gone
    assert not gone or Archive.objects.get().sha256


@pytest.mark.long
@pytest.mark.parametrize(
    "at", ["_pack", "_sync", "_write_manifest", "verified", "_remove_some", "after a batch", "Path.replace"]
)
def test_a_run_killed_anywhere_loses_nothing_and_is_finished_by_the_next(
    world: Any, pump: Pumping, folder: Path, monkeypatch: Any, at: str
) -> None:
    wanted = {each.pk for each in shipped(world, pump)}
    monkeypatch.setattr(archiving, "REMOVED", 1)
    real, calls = archiving._remove_some, []

    def one_batch(*given: Any) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise Killed
        real(*given)

    def killed(*given: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if at == "Path.replace":
            patch.setattr(Path, "replace", killed)
        else:
            name = "_remove_some" if at == "after a batch" else at
            patch.setattr(archiving, name, one_batch if at == "after a batch" else killed)
        with pytest.raises(Killed):
            archive()
    whole(folder, wanted)
    archive()
    whole(folder, wanted)
    assert set(in_files(folder)) == wanted
    assert not Attempt.objects.exists()
    assert Archive.objects.get().removed_at is not None
    assert sorted(each.suffix for each in folder.iterdir() if each.name != ".lock") == [".gz", ".json"]


def kill_once(world: Any, folder: Path, seconds: float) -> int:
    """Start the command, kill it -9 so long after it began its file; returns its end."""
    env = os.environ | worker_env(world.url) | {"ARCHIVE_DIR": str(folder)}
    command = [sys.executable, "-c", SLOWLY, "archive_attempts", "--months", "12"]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as run:
        while run.poll() is None and not list(folder.glob("*attempts-*")):
            time.sleep(0.01)
        time.sleep(seconds)
        run.send_signal(signal.SIGKILL)
        return run.wait()


# Ten at a time, so that there is something to be killed in.
SLOWLY = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.core.management import call_command
from shipping import archiving
archiving.REMOVED = 10
call_command(*sys.argv[1:])
"""


@pytest.mark.parametrize("times", [1, pytest.param(12, marks=pytest.mark.long)])
def test_kill_9_loses_nothing(world: Any, folder: Path, times: int) -> None:
    folder.mkdir()
    many(world, 300)
    wanted = set(Shipment.objects.values_list("pk", flat=True))
    for n in range(times):
        kill_once(world, folder, 0.03 * (n + 1))
        whole(folder, wanted)
    archive()
    assert set(in_files(folder)) == wanted
    assert not Attempt.objects.exists()


# --- what is not trusted ------------------------------------------------------------------------------


@pytest.mark.long
def test_nothing_is_removed_by_a_file_that_is_damaged(
    world: Any, pump: Pumping, folder: Path, monkeypatch: Any
) -> None:
    shipped(world, pump)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(archiving, "_remove", lambda *_: (_ for _ in ()).throw(Killed()))
        archive()
    [path] = folder.glob("*.gz")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CommandError, match="damaged"):
        archive()
    with pytest.raises(CommandError, match="1 个归档文件"):
        call_command("archive_attempts", "--verify")
    path.unlink()
    with pytest.raises(CommandError, match="not there"):
        archive()
    assert Attempt.objects.count() == 3


@pytest.mark.long
def test_what_changed_after_it_was_written_stays(world: Any, pump: Pumping, monkeypatch: Any) -> None:
    done = shipped(world, pump)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(archiving, "_remove", lambda *_: (_ for _ in ()).throw(Killed()))
        archive()
    with opened("a test"):
        Attempt.objects.filter(shipment=done[1]).update(errmsg="another")
    monkeypatch.setattr(archiving, "_begin", lambda before: None)
    archive()
    assert Attempt.objects.get().shipment == done[1]


@pytest.mark.long
def test_an_erased_buyer_is_erased_from_the_files(world: Any, pump: Pumping, folder: Path) -> None:
    done = shipped(world, pump)
    Order.objects.filter(pk=done[0].order_id).update(openid="the-buyer")
    archive()
    path = next(folder.glob("*.gz"))
    aside = path.rename(folder / "away")
    with pytest.raises(CommandError, match="not there"):
        call_command("erase_buyer", "the-buyer")
    assert Order.objects.filter(openid="the-buyer").exists()
    aside.rename(path)
    assert erase_buyer("the-buyer") == 1
    lines = in_files(folder)
    assert [each["request"] for each in lines[done[0].pk]["attempts"]] == [None]
    assert lines[done[1].pk]["attempts"][0]["request"]
    call_command("archive_attempts", "--verify")


@pytest.mark.long
def test_the_schedule_archives_only_where_a_setting_says_so(world: Any, pump: Pumping, settings: Any) -> None:
    shipped(world, pump)
    tasks.archive_attempts.func()
    assert Attempt.objects.count() == 3
    with pytest.raises(CommandError, match="KEEP_ATTEMPTS_MONTHS"):
        call_command("archive_attempts")
    settings.KEEP_ATTEMPTS_MONTHS = 12
    tasks.archive_attempts.func()
    assert not Attempt.objects.exists()
