"""The kill and pause loops in short, and the planted bugs that they must find; `make soak` runs them for long."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.test_kill import worker_env
from tests.soak.loop import FAULTS, Plan, Result, Soak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LOST = tuple(fault for fault in FAULTS if fault["fault"].startswith(("timeout", "reset", "late")))
LATE = ({"fault": "late_accept", "seconds": 2.5},)
# Each bug with what brings it out.
PLANTED = {
    "naive": Plan(15, kills=0, faults=LOST),
    "mark_first": Plan(60, kills=12, faults=()),
    "hasty": Plan(15, kills=0, faults=LATE),
    "lease": Plan(40, kills=0, stops=6, stopped_for=(2.5, 3.0), faults=(), grace=0.3),
}


def soak(world: Any, plan: Plan) -> Result:
    return Soak(world.remote, worker_env(world.url), plan).run()


def test_killed_and_stopped_workers_ship_everything_once(world: Any) -> None:
    result = soak(world, Plan(packages=60, kills=12, stops=3, stopped_for=(0.5, 1.5)))
    assert result.wrong == []
    assert (result.kills, result.stops, result.packages) == (12, 3, 60)
    assert result.faulty > 10


@pytest.mark.parametrize("name", [*[*PLANTED][:3], pytest.param("lease", marks=pytest.mark.long)])
def test_a_planted_bug_is_found(world: Any, name: str) -> None:
    assert soak(world, replace(PLANTED[name], planted=name, rest=5)).wrong
