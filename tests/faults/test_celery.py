"""The same work on Celery: PostgreSQL, a real broker, real workers; nothing lost and nothing twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.utils import timezone

from shipping.history import opened
from shipping.models import Attempt, Package
from tests import services
from tests.faults.test_kill import start_worker, worker_env
from tests.faults.test_processes import children, is_running
from tests.flows.test_dispatch import parcel, ship

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(not services.is_postgres(), reason="many machines have PostgreSQL"),
]
Wait = Callable[..., None]


@pytest.fixture
def engine() -> dict[str, str]:
    """What a process is told to be on Celery."""
    url = services.broker_url()
    redis.Redis.from_url(url).flushall()
    return {"TASKS": "celery", "BROKER_URL": url}


def worker_of(supervisor: int, queue: str) -> int:
    """Celery's process for one queue, or 0."""
    for pid in children(supervisor):
        if f"{queue}@%h".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return 0


@pytest.fixture
def supervisor(world: Any, engine: dict[str, str]) -> Iterator[Any]:
    """`manage.py work`, whose children are Celery's."""
    started = start_worker(world.url, "work", **engine)
    yield started
    started.terminate()
    started.wait(30)


def in_a_web_process(world: Any, engine: dict[str, str], code: str) -> None:
    env = os.environ | worker_env(world.url) | engine
    subprocess.run([sys.executable, "-c", f"import django; django.setup()\n{code}"], env=env, check=True)


def test_parcels_leave_once_though_the_broker_forgets_and_a_worker_is_killed_in_its_call(
    world: Any, engine: dict[str, str], supervisor: Any, wait_for: Wait
) -> None:
    """One after the other on one supervisor: its workers take ten seconds of a processor to start."""
    orders = [world.order() for _ in range(7)]
    for order in orders[:3]:
        ship(order, parcel(f"SF31{order.pk:011d}"))
    wait_for(lambda: set(statuses()) == {"shipped"}, 60)
    redis.Redis.from_url(engine["BROKER_URL"]).flushall()
    for order in orders[3:6]:
        ship(order, parcel(f"SF31{order.pk:011d}"))
    wait_for(lambda: statuses() == ["shipped"] * 6, 60)

    last = orders[6]
    world.remote.fault("timeout_accepted", seconds=10)
    ship(last, parcel(f"SF31{last.pk:011d}"))
    wait_for(lambda: bool(world.sends(last)), 60)
    os.kill(worker_of(supervisor.pid, "send"), signal.SIGKILL)
    with opened("its time-out is over"):
        Attempt.objects.filter(closed_at=None).update(sent_at=timezone.now() - timedelta(minutes=1))
    wait_for(lambda: statuses() == ["shipped"] * 7, 60)
    assert [len(world.sends(order)) for order in orders] == [1] * 7


def statuses() -> list[str]:
    return list(Package.objects.values_list("status", flat=True))


def test_sigterm_finishes_the_call_and_claims_no_more(
    world: Any, engine: dict[str, str], wait_for: Wait
) -> None:
    for number in range(6):
        ship(world.order(), parcel(f"SF31{number:011d}"))
    world.remote.switch(answer_delay=1.0)
    supervisor = start_worker(world.url, "work", LANES="1", **engine)
    wait_for(lambda: Attempt.objects.filter(sent_at__isnull=False).exists(), 60)
    left = children(supervisor.pid)
    supervisor.terminate()
    assert supervisor.wait(30) == 0
    assert not any(is_running(pid) for pid in left)
    assert "sending" not in statuses()
    assert statuses().count("queued") >= 3


def test_the_web_hands_a_task_to_the_broker_and_survives_its_absence(
    world: Any, engine: dict[str, str]
) -> None:
    code = "from shipping import tasks; tasks.read_by_id.enqueue('1', '2'); tasks.read_asked.enqueue('3')"
    in_a_web_process(world, engine, code)
    client: Any = redis.Redis.from_url(engine["BROKER_URL"])
    waiting = {key.decode(): client.llen(key) for key in client.keys("rest*") if client.type(key) == b"list"}
    assert sum(waiting.values()) == 2
    assert len(waiting) == 2, "the urgent one in a list of its own"
    in_a_web_process(world, engine | {"BROKER_URL": "redis://127.0.0.1:9/0"}, code)


def test_beat_has_the_schedule_of_the_timekeeper(world: Any, engine: dict[str, str]) -> None:
    code = """
from config.celery import app
from shipping import timekeeper
app.finalize()
told = {name: entry["schedule"] for name, entry in app.conf.beat_schedule.items()}
assert told == timekeeper.EVERY, told
"""
    in_a_web_process(world, engine, code)
