"""Who counts as dead, and what a worker can still do that was taken for dead: nothing that ships twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from shipping.dispatch import Pump, claiming, recording, runs, sending, sweeping
from shipping.dispatch import pump as module
from shipping.history import opened
from shipping.models import Attempt, StatusChange
from tests import services
from tests.flows.test_dispatch import ship, status_of
from wechat.outcomes import read_outcome
from wechat.replies import Reply, ReplyKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
on_postgres = pytest.mark.skipif(not services.is_postgres(), reason="a lock of a PostgreSQL session")


def end_sessions_with_a_lock() -> int:
    """As a broken line or a restarted database does; other tests' databases beside this one go on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        )
        return len(cursor.fetchall())


def test_a_run_is_alive_from_its_start_to_its_end() -> None:
    assert not runs.is_alive("1-never")
    with runs.Run() as run, runs.Run() as other:
        assert runs.is_alive(run.id)
        assert run.is_held()
        assert other.id != run.id
    assert not runs.is_alive(run.id)


def test_who_was_taken_for_dead_before_the_first_byte_sends_nothing(world: Any, monkeypatch: Any) -> None:
    order = world.order()
    shipment = ship(order)
    honest = sending._take_off

    def buried_first(attempt: Any) -> bool:
        sweeping.sweep()  # no lock stands for its run, as when the line to the database broke
        return honest(attempt)

    [attempt] = claiming.claim_some("1-dead", 1)
    monkeypatch.setattr(sending, "_take_off", buried_first)
    assert sending.prepare(attempt) is None
    assert status_of(shipment) == ["queued"]
    assert Attempt.objects.get().sent_at is None


def test_a_sweep_that_was_too_late_leaves_the_call_alone(world: Any) -> None:
    ship(world.order())
    [attempt] = claiming.claim_some("1-dead", 1)
    seen = Attempt.objects.get()
    assert sending.prepare(attempt) is not None
    assert not sweeping.bury(seen)
    assert Attempt.objects.get().ended_at is None


def test_an_answer_after_the_burial_helps_to_settle(world: Any, pump: Any, settings: Any) -> None:
    settings.SETTLE_GRACE = 0.3
    order = world.order()
    shipment = ship(order)
    [attempt] = claiming.claim_some("1-dead", 1)
    assert sending.prepare(attempt) is not None
    assert sweeping.bury(Attempt.objects.get())
    assert status_of(shipment) == ["unknown"]
    late = Reply(ReplyKind.ANSWERED, errcode=606005, errmsg="bad waybill")
    recording.record(attempt, read_outcome(late))
    assert status_of(shipment) == ["unknown"], "a read decides"
    pump()
    assert status_of(shipment) == ["rejected"]
    assert StatusChange.objects.last().target == "rejected"
    assert world.sends(order) == []


@on_postgres
def test_a_pump_whose_session_broke_claims_nothing_more(world: Any, monkeypatch: Any) -> None:
    shipments = [ship(world.order())]
    monkeypatch.setattr(runs, "ASK_EVERY", 0.0)
    broken = Pump()
    honest = module.claim_some

    def claim(*args: Any) -> Any:
        assert end_sessions_with_a_lock() == 1
        return honest(*args)

    monkeypatch.setattr(module, "claim_some", claim)
    broken.run(5, until_idle=True)
    shipments.append(ship(world.order(), *[parcel_of(2)]))
    assert status_of(shipments[0]) == ["shipped"], "what was in hand is finished"
    assert Attempt.objects.count() == 1


def parcel_of(number: int) -> Any:
    from tests.flows.test_dispatch import parcel

    return parcel(f"SF31{number:011d}")


@on_postgres
def test_a_call_of_a_lost_session_is_waited_for(world: Any) -> None:
    shipment = ship(world.order())
    with runs.Run() as run:
        [attempt] = claiming.claim_some(run.id, 1)
        assert sending.prepare(attempt) is not None
        assert sweeping.sweep() == 0
        assert end_sessions_with_a_lock() == 1
        assert not runs.is_alive(run.id)
        assert sweeping.sweep() == 0, "its call may be on its way"
        with opened("a test"):
            Attempt.objects.update(sent_at=timezone.now() - runs.doubt() - timedelta(seconds=1))
        assert sweeping.sweep() == 1
    assert status_of(shipment) == ["unknown"]
