"""Real processes: stopped, frozen, killed, racing, orphaned."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from sandbox import build
from shipping import states
from shipping.drafts import Item
from shipping.models import Attempt, Package
from tests.faults.test_kill import start_worker
from tests.flows.test_dispatch import parcel, ship, status_of
from tests.history import History

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.long]
Wait = Callable[..., None]


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers_of(pid: int) -> set[int]:
    """The `work` commands among the children; a child that has not started yet has no arguments of its own."""
    return {
        child
        for child in children(pid)
        if Path(f"/proc/{child}/cmdline").read_bytes().rstrip(b"\0").endswith(b"\0work")
    }


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigterm_finishes_the_call_and_claims_no_more(world: Any, wait_for: Wait) -> None:
    shipments = [ship(world.order(), parcel(f"SF31000000000{n:02}")) for n in range(10)]
    world.remote.switch(answer_delay=1.0)
    worker = start_worker(world.url, LANES="2")
    # The third waits for a lane: it is not sent any more.
    wait_for(lambda: Attempt.objects.filter(sent_at__isnull=False).count() == 3)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) != 0, "not idle, so not 0"
    assert (
        sorted(s for shipment in shipments for s in status_of(shipment)) == ["queued"] * 8 + ["shipped"] * 2
    )


def test_a_task_worker_passes_sigterm_on_to_its_pump(world: Any, wait_for: Wait) -> None:
    for n in range(30):
        ship(world.order(), parcel(f"SF31000000000{n:02}"))
    world.remote.switch(answer_delay=0.5)
    worker = start_worker(world.url, "db_worker", "--queue-name", "send", "--no-startup-delay", LANES="1")
    wait_for(lambda: Attempt.objects.filter(sent_at__isnull=False).exists())
    worker.send_signal(signal.SIGTERM)
    worker.wait(5)
    assert not Package.objects.filter(status=states.SENDING).exists()
    assert Package.objects.filter(status=states.QUEUED).count() > 20
    assert not DBTaskResult.objects.filter(status="RUNNING").exists()


def test_two_workers_send_each_parcel_once(world: Any) -> None:
    orders = [world.order() for _ in range(24)]
    shipments = [ship(order, parcel(f"SF31000000000{n:02}")) for n, order in enumerate(orders)]
    # Slow enough that the second process finds work when it has started.
    world.remote.switch(latency=0.4)
    workers = [start_worker(world.url) for _ in range(2)]
    assert [worker.wait(30) for worker in workers] == [0, 0]
    assert {s for shipment in shipments for s in status_of(shipment)} == {"shipped"}
    assert [len(world.sends(order)) for order in orders] == [1] * 24
    assert Attempt.objects.values("run").distinct().count() == 2
    assert History(world.remote).violations(packages=24) == []


def test_a_frozen_worker_wakes_to_a_call_that_is_settled_once(world: Any, pump: Any, wait_for: Wait) -> None:
    """Frozen in the call past its deadline: nobody takes its parcel, and it sends nothing again."""
    order = world.order()
    world.remote.fault("timeout_accepted", seconds=10)
    shipment = ship(order)
    worker = start_worker(world.url, WECHAT_TIMEOUT="1,1,1")
    wait_for(lambda: bool(world.sends(order)))
    worker.send_signal(signal.SIGSTOP)
    pump(2.5)
    assert status_of(shipment) == ["sending"]
    worker.send_signal(signal.SIGCONT)
    assert worker.wait(15) == 0
    assert status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 1


def test_what_a_frozen_worker_had_not_sent_is_too_old_to_send(world: Any, settings: Any) -> None:
    from merchants import lines
    from shipping.dispatch.pump import send_in_time
    from wechat.endpoints import DELIVERY_SEND

    line = lines.ensure(world.merchant)
    assert line is not None
    reply = send_in_time(DELIVERY_SEND, {"order_id": "1"}, line, time.monotonic() - 0.1)
    assert reply.kind == "not_sent"
    assert not any(row["path"].endswith("delivery/send") for row in world.remote.ledger())


@pytest.mark.parametrize("step", ["prepare", "record"])
def test_a_crash_on_either_side_of_the_call_ships_once(
    world: Any, pump: Any, monkeypatch: Any, step: str
) -> None:
    """prepare: claimed, not a byte sent. record: answered, nothing written. No handler runs."""
    order = world.order()
    shipment = ship(order)

    def crash(*args: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(f"shipping.dispatch.pump.{step}", crash)
        pump()
    assert status_of(shipment) == ["sending"]
    monkeypatch.setattr("shipping.dispatch.sending.backoff", lambda count: timedelta(0))
    pump()
    assert status_of(shipment) == ["shipped"]
    assert len(world.sends(order)) == 1


def test_a_killed_supervisor_leaves_no_worker_behind(world: Any, wait_for: Wait) -> None:
    supervisor = start_worker(world.url, "work")
    try:
        wait_for(lambda: len(children(supervisor.pid)) == 3)
        left = children(supervisor.pid)
        time.sleep(0.3)
        supervisor.kill()
        supervisor.wait()
        wait_for(lambda: not any(is_running(pid) for pid in left))
    finally:
        supervisor.kill()


def test_serve_starts_a_killed_worker_again_and_nothing_outlives_it(world: Any, wait_for: Wait) -> None:
    serve = start_worker(world.url, "serve", PORT="0")
    try:
        wait_for(lambda: len(workers_of(serve.pid)) == 1)
        [worker] = workers_of(serve.pid)
        wait_for(lambda: len(children(worker)) == 3)
        task_workers = children(worker)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: len(workers_of(serve.pid) - {worker}) == 1)
        wait_for(lambda: not any(is_running(pid) for pid in task_workers))
        order = world.order()
        shipment = ship(order)
        wait_for(lambda: status_of(shipment) == ["shipped"])
        left = children(serve.pid)
        serve.kill()
        serve.wait()
        wait_for(lambda: not any(is_running(pid) for pid in left))
    finally:
        serve.kill()


def test_a_tick_that_fails_does_not_stop_the_supervisor(monkeypatch: Any, capsys: Any) -> None:
    from django.db import OperationalError

    from shipping.management.commands import work

    seen: list[int] = []

    def tick() -> None:
        seen.append(1)
        supervisor.stopping = len(seen) > 1
        raise OperationalError("database is locked")

    supervisor = work.Supervisor()
    monkeypatch.setattr(work, "tick", tick)
    monkeypatch.setattr(work, "_start", lambda queue: subprocess.Popen(["sleep", "60"]))
    monkeypatch.setattr(work, "PACE", 0.01)
    supervisor.run()
    assert len(seen) == 2
    assert all(child.poll() is not None for child in supervisor.children.values())


def test_task_rows_of_killed_workers_are_pruned(world: Any) -> None:
    from shipping import tasks

    ship(world.order())
    row = DBTaskResult.objects.get()
    old = timezone.now() - timedelta(days=3)
    DBTaskResult.objects.filter(pk=row.pk).update(status="RUNNING", started_at=old, enqueued_at=old)
    young = tasks.send_ticket.enqueue()
    DBTaskResult.objects.filter(pk=young.id).update(status="RUNNING", started_at=timezone.now())
    done = tasks.send_ticket.enqueue()
    DBTaskResult.objects.filter(pk=done.id).update(status="SUCCESSFUL", finished_at=old)
    waiting = tasks.send_ticket.enqueue()
    tasks.prune_tasks.func()
    left = {str(pk) for pk in DBTaskResult.objects.values_list("pk", flat=True)}
    assert left == {str(young.id), str(waiting.id)}


def test_one_stores_thousands_do_not_starve_another(world: Any, monkeypatch: Any) -> None:
    from shipping.dispatch import claiming
    from tests.faults.test_poison import other_order

    many = world.order([build.line("1001", "2001", 300)])
    for n in range(60):
        ship(many, parcel(f"SF31000000000{n:02}", (Item("1001", "2001", 1),)))
    for n in range(60, 70):
        ship(world.order(), parcel(f"SF31000000000{n:02}"))
    late = ship(other_order(world), parcel("SF3100000009999"))
    claimed = claiming.claim_some("run", 4)
    assert late.pk in [attempt.shipment_id for attempt in claimed[:2]]
    assert len(claimed) == 4
