"""Every crash point times every fault, at a first call and at a second one: nothing twice, nothing lost, nothing false.

The cells of one crash point and turn run together, each with an order and a store of its own.
"""

from typing import Any

import pytest

from tests.faults import matrix
from tests.figures import Figure

pytestmark = pytest.mark.django_db(transaction=True)

# Accepted and no answer read is where parcels are doubled: in every run, the rest in LONG=1.
CELLS = [
    pytest.param(point, turn, marks=[] if (point == "C4" and turn == "first") else pytest.mark.long)
    for point in matrix.POINTS
    for turn in matrix.TURNS
]


@pytest.mark.parametrize(("point", "turn"), CELLS)
def test_a_crash_there_meets_every_fault(
    world: Any, settings: Any, monkeypatch: Any, subtests: Any, point: str, turn: str, figure: Figure
) -> None:
    matrix.scale_the_clock(settings, monkeypatch)
    world.remote.switch(order_pace=False)
    batch = matrix.Batch(world, point, turn)
    matrix.plant(batch, monkeypatch)
    batch.work()
    figure("G2", f"cells at {point}, {turn} call", len(matrix.FAULTS))
    for fault, verdict in batch.verdicts().items():
        with subtests.test(f"{point}-{fault}-{turn}"):
            assert verdict == matrix.expected(point, fault)
