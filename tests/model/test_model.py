"""The whole service layer in histories nobody thought of, and proof that such histories find what they should.

MODEL_HISTORIES=20000 makes a night of it.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.figures import Figure
from tests.model.machine import GRACE, Desk, World
from tests.model.planted import BUGS, Plant

pytestmark = pytest.mark.django_db(transaction=True)
HISTORIES = int(os.environ.get("MODEL_HISTORIES", "10"))


@pytest.fixture
def model(world: Any, settings: Any, monkeypatch: Any) -> Iterator[World]:
    settings.SETTLE_GRACE, settings.LANES = GRACE, 2
    with time_machine.travel(time.time(), tick=True) as clock:
        yield World(world, clock)


def explore(model: World, histories: int) -> None:
    """The same histories in every run; nothing is shrunk, for that takes longer than to find."""
    run_state_machine_as_test(
        type("Desk", (Desk,), {"world": model}),
        settings=settings(
            max_examples=histories, stateful_step_count=6, derandomize=True, database=None, deadline=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_no_history_breaks_a_promise(model: World) -> None:
    explore(model, HISTORIES)


# The loops that kill workers find these in the suite as well (naive, hasty); here they take a while.
LONG = ("retry_on_timeout", "hasty_resend", "trust_109001")
PLANTS = [
    pytest.param(plant, id=name, marks=[pytest.mark.long] if name in LONG else [])
    for name, plant in BUGS.items()
]


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_bug_is_found(model: World, monkeypatch: Any, plant: Plant, figure: Figure) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=r"I1|I2|I3|I9"):
        explore(model, 150)
    figure("G3", f"found by histories: {plant.__name__}", "yes")
