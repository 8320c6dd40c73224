"""What comes back at once is written by one commit: a call flies after it, and who stumbles falls alone."""

import time
from collections import Counter
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.transaction import TransactionManagementError
from django.db.utils import ConnectionHandler
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from sandbox import build
from shipping import tasks
from shipping.dispatch import backlog as backlogs
from shipping.dispatch import pump as pumping
from shipping.dispatch.backlog import Backlog
from shipping.dispatch.claiming import claim_some
from shipping.dispatch.pump import Pump
from shipping.dispatch.readiness import BETWEEN_CALLS
from shipping.dispatch.sweeping import bury
from shipping.drafts import Item
from shipping.models import Attempt, Package, Shipment
from shipping.services import move
from shipping.states import IllegalMove
from shipping.syncing import read_order
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_call_flies_when_what_it_rests_on_is_committed(world: Any, pump: Any, monkeypatch: Any) -> None:
    orders, seen = [world.order() for _ in range(4)], []
    honest_send, honest_fly = pumping.send_in_time, Pump._fly

    def send(*words: Any) -> Any:
        # A lane's connection is its own: it sees what is committed.
        seen.append(Attempt.objects.filter(sent_at__isnull=False, ended_at=None).exists())
        connection.close()
        return honest_send(*words)

    def fly(self: Pump, *words: Any, **about: Any) -> None:
        honest_fly(self, *words, **about)
        time.sleep(0.05)

    monkeypatch.setattr(pumping, "send_in_time", send)
    monkeypatch.setattr(Pump, "_fly", fly)
    for number, order in enumerate(orders):
        ship(order, parcel(f"SF310000000000{number}"))
    pump()
    assert seen == [True] * 4
    assert set(Package.objects.values_list("status", flat=True)) == {"shipped"}


def test_a_step_that_breaks_takes_its_own_call_back_and_no_others(
    world: Any, pump: Any, monkeypatch: Any
) -> None:
    orders = [world.order() for _ in range(3)]
    broken: list[int] = []
    honest = Pump._fly

    def fly(self: Pump, attempt: Attempt, call: partial[Any], *words: Any, **about: Any) -> None:
        honest(self, attempt, call, *words, **about)
        if call.func is pumping.send_in_time and attempt.order_id == orders[1].pk and not broken:
            broken.append(attempt.pk)
            raise RuntimeError("a fault of our own")

    monkeypatch.setattr(Pump, "_fly", fly)
    shipments = [ship(order, parcel(f"SF310000000000{n}")) for n, order in enumerate(orders)]
    pump()
    assert broken
    assert [status_of(shipment) for shipment in shipments] == [["shipped"]] * 3
    assert [len(world.sends(order)) for order in orders] == [1, 1, 1]
    assert Attempt.objects.get(pk=broken[0]).sent_at is None


def test_answers_whose_commit_fails_are_found_again_by_reading(
    world: Any, pump: Any, monkeypatch: Any
) -> None:
    orders, recorded = [world.order() for _ in range(3)], []
    shipments = [ship(order, parcel(f"SF310000000000{n}")) for n, order in enumerate(orders)]
    honest_record, honest_commit = Pump._record, connection.commit

    def record(self: Pump, attempt: Attempt, *words: Any) -> None:
        honest_record(self, attempt, *words)
        recorded.append(attempt.pk)

    def commit() -> None:
        if recorded:
            raise OperationalError("database or disk is full")
        honest_commit()

    with monkeypatch.context() as full:
        full.setattr(Pump, "_record", record)
        full.setattr(connection, "commit", commit)
        with pytest.raises(OperationalError):
            pump()
    assert Package.objects.filter(status="sending").exists()
    pump()
    assert [status_of(shipment) for shipment in shipments] == [["shipped"]] * 3
    assert [len(world.sends(order)) for order in orders] == [1, 1, 1]


def test_one_parcel_an_order_is_looked_up_ahead(world: Any) -> None:
    """The others cannot be claimed within the second that a look is good for, and would fill it."""
    line = build.line("1001", "2001", 3)
    orders = [world.order([line]) for _ in range(2)]
    for number in range(6):
        item = Item("1001", "2001", 1)
        ship(orders[number % 2], parcel(f"SF310000000000{number}", (item,)))
    found = [shipment.order_id for shipment in Backlog().of(world.merchant.pk, 10)]
    assert found == [order.pk for order in orders]


def test_a_round_that_lost_its_transaction_makes_no_call(world: Any, pump: Any, monkeypatch: Any) -> None:
    """A server that restarts, a full disk: what was written of the others' steps is gone without a word."""
    orders, begun, flown = [world.order() for _ in range(3)], [], []
    shipments = [ship(order, parcel(f"SF310000000000{n}")) for n, order in enumerate(orders)]
    honest_send, honest_call = Pump._send, pumping.send_in_time

    def send(self: Pump, attempt: Attempt, line: Any) -> None:
        begun.append(attempt.pk)
        if len(begun) == 3:
            _lose_the_transaction()
        honest_send(self, attempt, line)

    def call(*words: Any) -> Any:
        flown.append(words)
        return honest_call(*words)

    with monkeypatch.context() as broken:
        broken.setattr(Pump, "_send", send)
        broken.setattr(pumping, "send_in_time", call)
        with pytest.raises((TransactionManagementError, OperationalError)):
            pump()
    assert len(flown) == Attempt.objects.filter(sent_at__isnull=False).count()
    pump()
    assert [status_of(shipment) for shipment in shipments] == [["shipped"]] * 3
    assert [len(world.sends(order)) for order in orders] == [1, 1, 1]


def _lose_the_transaction() -> None:
    """As the database does: SQLite ends it by itself, PostgreSQL with its connection."""
    if connection.vendor == "sqlite":
        connection.connection.execute("ROLLBACK")
        raise OperationalError("database or disk is full")
    with ConnectionHandler({"default": connection.settings_dict})["default"].cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        other.connection.close()
    time.sleep(0.2)
    Package.objects.count()


def test_a_run_taken_for_dead_moves_nothing_that_another_has_claimed(world: Any) -> None:
    ship(world.order())
    (first,) = claim_some("first", 5)
    assert bury(Attempt.objects.select_related("shipment").get(pk=first.pk))
    time.sleep(BETWEEN_CALLS.total_seconds())
    Shipment.objects.update(due_at=timezone.now())
    (second,) = claim_some("second", 5)
    assert first.claimed
    with pytest.raises(IllegalMove):
        move(first.claimed[0], "shipped", who="worker", attempt=first)
    assert Package.objects.get().attempt_id == second.pk


def test_a_look_that_took_a_minute_keeps_no_store_waiting(world: Any, monkeypatch: Any) -> None:
    """A process may be stopped while it looks; what is queued next is found seconds later."""
    now, honest = [100.0], Backlog._look

    def slow(self: Backlog, merchant_id: int) -> Any:
        now[0] += 60
        return honest(self, merchant_id)

    monkeypatch.setattr(backlogs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(Backlog, "_look", slow)
    backlog = Backlog()
    assert list(backlog.of(world.merchant.pk, 5)) == []
    shipment = ship(world.order())
    now[0] += 3
    assert list(backlog.of(world.merchant.pk, 5)) == [shipment]


def test_while_a_lane_is_busy_the_next_call_is_made_ready(
    world: Any, pump: Any, settings: Any, monkeypatch: Any
) -> None:
    """One lane, and a parcel that is claimed while the one before it is still on its way."""
    settings.LANES, waiting = 1, []
    honest = pumping.send_in_time

    def send(*words: Any) -> Any:
        time.sleep(0.3)
        waiting.append(Attempt.objects.filter(ended_at=None).count() - 1)
        connection.close()
        return honest(*words)

    monkeypatch.setattr(pumping, "send_in_time", send)
    orders = [world.order() for _ in range(3)]
    for number, order in enumerate(orders):
        ship(order, parcel(f"SF310000000000{number}"))
    pump()
    assert waiting == [1, 1, 0]
    assert set(Package.objects.values_list("status", flat=True)) == {"shipped"}


def test_a_call_that_waits_for_a_lane_is_not_made_once_its_store_stands_still(
    world: Any, settings: Any
) -> None:
    """Four lanes and room for six: one is told that the day is used up while the last still waits."""
    settings.LANES = 4
    orders = [world.order() for _ in range(6)]
    shipments = [ship(order, parcel(f"SF310000000000{n}")) for n, order in enumerate(orders)]
    world.remote.fault("code", order_id=orders[0].order_id, errcode=45009)
    for order in orders[1:]:
        world.remote.fault("drip", order_id=order.order_id, seconds=2)
    Pump().run(2)
    assert [len(world.sends(order)) for order in orders] == [1, 1, 1, 1, 1, 0]
    assert status_of(shipments[5]) == ["queued"]
    assert shipments[5].attempts.get().slug == "merchant_paused"


def test_what_has_left_is_read_again_once_behind_what_else_waits(world: Any, pump: Any) -> None:
    """Whoever read it meanwhile has saved the desk the call."""
    orders = [world.order() for _ in range(4)]
    for number, order in enumerate(orders):
        ship(order, parcel(f"SF310000000000{number}"))
    pump()
    found = DBTaskResult.objects.filter(task_path="shipping.tasks.read_shipped")
    assert set(found.values_list("priority", flat=True)) == {-10}
    asked = [task.args_kwargs["args"] for task in found]
    assert sorted(key for _, _, *keys in asked for key in keys) == sorted(order.order_id for order in orders)
    read_order(world.merchant, orders[0].order_id)
    before = _reads(world)
    for _ in range(2):
        for words in asked:
            tasks.read_shipped.func(*words)
    assert _reads(world) - before == Counter(order.order_id for order in orders[1:])
    assert all(order.parcels.count() == 1 for order in orders)


def _reads(world: Any) -> Counter[str]:
    calls = world.remote.ledger(path="/channels/ec/order/get")
    return Counter(call["order_id"] for call in calls)
