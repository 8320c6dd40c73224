"""Rows that two transactions take at once: whoever comes second waits, sees what came of it, and nobody forever."""

import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from shipping import bulk
from shipping.dispatch import claiming
from shipping.dispatch.claiming import claim_some
from shipping.dispatch.sending import put_back
from shipping.models import Hold, Shipment
from shipping.services import cancel_shipment, desk
from tests.flows.test_dispatch import parcel, ship, status_of
from tests.flows.test_odd_answers import order_elsewhere
from tests.pages.test_desk import member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def only_postgres() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time")


def in_thread(work: Any, found: dict[str, Any], name: str) -> threading.Thread:
    def run() -> None:
        try:
            found[name] = work()
        except Exception as error:
            found[name] = error
        finally:
            connection.close()

    thread = threading.Thread(target=run, name=name)
    thread.start()
    return thread


def test_two_workers_that_claim_two_stores_in_opposite_order(world: Any, monkeypatch: Any) -> None:
    """Whoever has the fewest calls under way comes first, and that changes between two rounds."""
    mine, theirs = world.order(), order_elsewhere(world)
    ship(mine)
    ship(theirs, parcel("SF3100000000002"))
    flying = {"one": Counter({mine.merchant_id: 1}), "two": Counter({theirs.merchant_id: 1})}
    monkeypatch.setattr(claiming, "_flying", lambda: flying[threading.current_thread().name].copy())
    honest, has_one = claiming.claim, set[str]()

    def claim(*words: Any) -> Any:
        attempt, who = honest(*words), threading.current_thread().name
        if who not in has_one:
            has_one.add(who)
            time.sleep(0.3)
        return attempt

    monkeypatch.setattr(claiming, "claim", claim)
    found: dict[str, Any] = {}
    threads = [in_thread(lambda: len(claim_some("run", 4)), found, name) for name in flying]
    for thread in threads:
        thread.join()
    assert sorted(found.values()) == [0, 2]


def test_a_withdrawal_of_a_file_against_a_claim(world: Any, monkeypatch: Any) -> None:
    """The claim takes the parcel with the nearer deadline first; the withdrawal walks along the key."""
    orders = [world.order() for _ in range(2)]
    shipments = [ship(order, parcel(f"SF310000000000{n}")) for n, order in enumerate(orders)]
    soonest = timezone.now() + timedelta(hours=1)
    type(orders[0]).objects.filter(pk=orders[1].pk).update(deadline_at=soonest)
    type(orders[0]).objects.filter(pk=orders[0].pk).update(deadline_at=soonest + timedelta(hours=9))
    honest, first = claiming.claim, threading.Event()
    found: dict[str, Any] = {}

    def claim(*words: Any) -> Any:
        attempt = honest(*words)
        if not first.is_set():
            first.set()
            time.sleep(0.3)
        return attempt

    monkeypatch.setattr(claiming, "claim", claim)
    claimer = in_thread(lambda: len(claim_some("one", 4)), found, "claim")
    assert first.wait(5)
    canceller = in_thread(lambda: bulk.cancel_many([s.pk for s in shipments], user=None), found, "cancel")
    claimer.join()
    canceller.join()
    assert set(map(type, found.values())) == {int}, found


def test_a_withdrawal_of_one_parcel_against_its_claim(world: Any, monkeypatch: Any) -> None:
    from shipping.services import queueing

    shipment = ship(world.order())
    taken, moved = threading.Event(), threading.Event()
    found: dict[str, Any] = {}
    honest_claim_move, honest_move = claiming.move, queueing.move

    def claim_move(*words: Any, **more: Any) -> Any:
        taken.set()
        moved.wait(0.5)
        return honest_claim_move(*words, **more)

    def cancel_move(*words: Any, **more: Any) -> Any:
        honest_move(*words, **more)
        moved.set()

    monkeypatch.setattr(claiming, "move", claim_move)
    monkeypatch.setattr(queueing, "move", cancel_move)
    claimer = in_thread(lambda: len(claim_some("one", 4)), found, "claim")
    assert taken.wait(5)
    canceller = in_thread(lambda: len(cancel_shipment(shipment=shipment, user=None)), found, "cancel")
    claimer.join()
    canceller.join()
    assert set(map(type, found.values())) == {int}, found


def test_a_withdrawal_behind_a_commit_that_puts_the_parcel_back(world: Any, pump: Any) -> None:
    """The worker writes "not sent, again in 5 s"; somebody presses withdraw before that is committed."""
    shipment = ship(world.order())
    [attempt] = claim_some("run", 1)
    found: dict[str, Any] = {}
    with transaction.atomic():
        put_back(attempt, slug="refused_connection")
        canceller = in_thread(
            lambda: len(cancel_shipment(shipment=Shipment.objects.get(pk=shipment.pk), user=None)),
            found,
            "n",
        )
        time.sleep(0.3)
    canceller.join()
    shipment.refresh_from_db()
    # Either it was withdrawn, or it is still to be sent.
    assert (status_of(shipment), shipment.due_at is None) in ((["cancelled"], True), (["queued"], False)), (
        found, status_of(shipment), shipment.due_at,
    )  # fmt: skip


def test_a_hold_and_a_claim_at_once_end_without_an_error(world: Any, monkeypatch: Any) -> None:
    shipment, client = ship(world.order()), member(world)
    honest, found = claiming.move, dict[str, Any]()

    def move(*words: Any, **more: Any) -> None:
        time.sleep(0.3)  # the shipment is taken, the package not yet
        honest(*words, **more)

    monkeypatch.setattr(claiming, "move", move)
    claimer = in_thread(lambda: len(claim_some("run", 5)), found, "claim")
    time.sleep(0.1)
    answer = client.post(f"/orders/{shipment.order.order_id}/hold/", {"reason": "等客服"})
    claimer.join()
    assert (answer.status_code, found) == (302, {"claim": 1})
    assert Hold.objects.filter(order=shipment.order, released_at=None).exists()


def test_a_hold_that_meets_a_claim_between_its_look_and_its_move_is_kept(
    world: Any, monkeypatch: Any
) -> None:
    shipment = ship(world.order())
    honest, found = desk.move, dict[str, Any]()
    claims: list[threading.Thread] = []

    def move(*words: Any, **more: Any) -> None:
        claims.append(in_thread(lambda: len(claim_some("run", 5)), found, "claim"))
        claims[0].join(0.5)
        honest(*words, **more)

    monkeypatch.setattr(desk, "move", move)
    answer = member(world).post(f"/orders/{shipment.order.order_id}/hold/", {"reason": "等客服"})
    claims[0].join()
    assert (answer.status_code, found, status_of(shipment)) == (302, {"claim": 0}, ["draft"])
    assert Hold.objects.filter(order=shipment.order, released_at=None).exists()
