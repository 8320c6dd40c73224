"""Every crash point times every fault, at a first call and at a second one: nothing twice, nothing lost, nothing false.

The cells of one crash point and turn run together, each with an order and a store of its own.
"""

from typing import Any

import pytest

from tests.faults import matrix

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("turn", ["first", pytest.param("retry", marks=pytest.mark.long)])
@pytest.mark.parametrize("point", matrix.POINTS)
def test_a_crash_there_meets_every_fault(
    world: Any, settings: Any, monkeypatch: Any, subtests: Any, point: str, turn: str
) -> None:
    matrix.scale_the_clock(settings, monkeypatch)
    world.remote.switch(order_pace=False)
    batch = matrix.Batch(world, point, turn)
    matrix.plant(batch, monkeypatch)
    batch.work()
    for fault, verdict in batch.verdicts().items():
        with subtests.test(f"{point}-{fault}-{turn}"):
            assert verdict == matrix.expected(point, fault)
