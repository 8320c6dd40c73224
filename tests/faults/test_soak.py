"""The kill and pause loops in short, and the planted bugs that they must find; `make soak` runs them for long."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.test_kill import worker_env
from tests.figures import Figure
from tests.soak.loop import FAULTS, Plan, Result, Soak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LOST = tuple(fault for fault in FAULTS if fault["fault"].startswith(("timeout", "reset", "late")))
SERVER = tuple({"fault": f"http500_{when}"} for when in ("before", "after"))
JUNK = ({"fault": "html_200"}, {"fault": "truncated_json"}, {"fault": "empty"})
LATE = ({"fault": "late_accept", "seconds": 2.5},)
# Each bug with what brings it out.
PLANTED = {
    "naive": Plan(15, kills=0, faults=LOST),
    "mark_first": Plan(60, kills=12, aimed=1.0, faults=()),
    "hasty": Plan(15, kills=0, faults=LATE),
    "lease": Plan(
        40,
        kills=0,
        stops=5,
        workers=4,
        stopped_for=(2.5, 3.5),
        aimed=1.0,
        faults=(),
        grace=0.3,
        parcels_per_order=1,
    ),
    "late_row": Plan(60, kills=12, faults=()),
    "wrong_token": Plan(15, kills=0, faults=()),
    "trusts_500": Plan(15, kills=0, faults=SERVER),
    "trusts_200": Plan(15, kills=0, faults=JUNK),
    "never_swept": Plan(40, kills=8, faults=()),
    "silent": Plan(15, kills=0, faults=LOST),
    "gives_up": Plan(15, kills=0, faults=LOST),
}
# Of every `make test`; the others are asked for with LONG=1.
SHORT = ("naive", "mark_first", "hasty", "lease")
ROUNDS = 5


def soak(world: Any, plan: Plan) -> Result:
    return Soak(world.remote, worker_env(world.url), plan).run()


def test_killed_and_stopped_workers_ship_everything_once(world: Any, figure: Figure) -> None:
    result = soak(world, Plan(packages=30, kills=6, stops=2, stopped_for=(0.5, 1.5)))
    assert result.wrong == []
    assert (result.kills, result.stops, result.packages) == (6, 2, 30)
    assert result.faulty > 5
    figure("G1", "violations of I1 to I10 in 6 kills, 30 packages", len(result.wrong))


@pytest.mark.parametrize(
    "name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in PLANTED]
)
def test_a_planted_bug_is_found(world: Any, name: str, figure: Figure) -> None:
    # Where the blows fall is chance: what one round misses, the next finds.
    for seed in range(1, ROUNDS + 1):
        if wrong := soak(world, replace(PLANTED[name], planted=name, seed=seed, rest=5)).wrong:
            break
    assert wrong
    figure("G3", f"found by killing: {name}", f"yes, {len(wrong)} violations in round {seed}")
