"""Reading a store with very many orders takes no more memory than reading one with few."""

import os
from typing import Any

import pytest

from shipping.models import Order
from shipping.services import wake_sync
from tests.faults.test_kill import start_worker
from tests.sync.test_following import place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MANY, MORE_KB = 400, 6 * 1024


def peak_kb(world: Any) -> int:
    """The most memory that a worker of its own held while it read what is new."""
    wake_sync(world.merchant)
    options = ("--batch", "--queue-name", "sync", "--no-startup-delay")
    worker = start_worker(world.url, "db_worker", *options, SYNC_FIRST_DAYS="1")
    _, status, used = os.wait4(worker.pid, 0)
    assert status == 0
    return used.ru_maxrss


@pytest.mark.long
def test_memory_stays_flat(world: Any) -> None:
    first = place(world, 3600)
    world.remote.copy(first, times=99)
    few = peak_kb(world)
    for _ in range(2):
        world.remote.copy(place(world, 100), times=MANY // 2)
    assert peak_kb(world) < few + MORE_KB
    assert Order.objects.count() > 100 + MANY // 2
