"""What a person presses while the worker has the file, or after it was killed: all of it is heard, no order is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from merchants.models import User
from merchants.services import set_membership
from shipping import bulk
from shipping.batches import controls, fixes, reads, steps
from shipping.models import Batch, BatchOrder, Package, Shipment
from tests.pages.people import order_at, second_store
from tests.pages.test_desk import page

from .test_rehearsal import HEAD, upload, verdicts, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def boss(world: Any) -> User:
    user = User.objects.create_user("boss", password="parcels-all-day")
    set_membership(user=user, merchant=world.merchant, role="manager")
    return user


def uploaded(user: User, orders: list[Any]) -> Batch:
    return upload(user, HEAD, *(f"{o.order_id},SF,SF31000000000{n:02d}" for n, o in enumerate(orders)))


def after_the_first_chunk(monkeypatch: Any, press: Callable[[], object]) -> None:
    """The person presses it when the worker has just queued the first order of several."""
    monkeypatch.setattr(steps, "QUEUED", 1)
    honest, pressed = bulk.queue_many, list[object]()

    def queue_many(*args: Any, **more: Any) -> Any:
        done = honest(*args, **more)
        if not pressed:
            pressed.append(press())
        return done

    monkeypatch.setattr(steps, "queue_many", queue_many)


def killed_once_queued(batch: Batch, monkeypatch: Any) -> None:
    def queue_many(*args: Any, **more: Any) -> Any:
        bulk.queue_many(*args, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(steps, "queue_many", queue_many)
        steps.work(batch)


def test_a_withdrawal_is_heard(world: Any, boss: User, monkeypatch: Any) -> None:
    batch = uploaded(boss, [world.order() for _ in range(3)])
    controls.confirm(batch=batch, user=boss)
    pressed = Batch.objects.get(pk=batch.pk)
    after_the_first_chunk(monkeypatch, lambda: controls.cancel(batch=pressed, user=boss))
    assert work(batch).stage == Batch.Stage.OPEN
    assert list(Package.objects.values_list("status", flat=True)) == ["cancelled"]
    assert verdicts(batch) == ["queued", "ready", "ready"]


def refused_as_busy(mend: Callable[[], object]) -> None:
    with pytest.raises(controls.Busy), transaction.atomic():
        mend()


def test_what_would_mend_rows_is_refused_and_no_order_vanishes(
    world: Any, boss: User, monkeypatch: Any
) -> None:
    orders = [world.order() for _ in range(3)]
    rows = [f"{order.order_id},SF,SF310000000000{n}" for n, order in enumerate(orders)]
    batch = upload(boss, HEAD, *rows[:2], rows[2].replace("SF,", "蜗牛速递,"))
    cause = batch.orders.get(verdict="stopped").cause
    controls.confirm(batch=batch, user=boss)

    def press() -> None:
        refused_as_busy(lambda: fixes.name_courier(batch, cause, world.merchant, "SF", boss))
        refused_as_busy(lambda: fixes.edit_row(batch, 2, {"waybill_id": "SF3100000000009"}))
        refused_as_busy(lambda: controls.answer_columns(batch=batch, answers={2: "ignored"}))

    after_the_first_chunk(monkeypatch, press)
    assert verdicts(work(batch)) == ["queued", "queued", "stopped"]
    assert list(Shipment.objects.values_list("batch_orders__batch", flat=True)) == [batch.pk] * 2


def test_columns_are_not_said_anew_once_orders_have_verdicts(world: Any, boss: User) -> None:
    batch = uploaded(boss, [world.order()])
    refused_as_busy(lambda: controls.answer_columns(batch=batch, answers={2: "ignored"}))
    assert (work(batch).answers, verdicts(batch)) == ({}, ["ready"])


def test_a_pause_while_the_file_is_read_stays(world: Any, boss: User, monkeypatch: Any) -> None:
    from shipping.batches import reading

    honest = reading.open_questions

    def open_questions(batch: Batch) -> list[int]:
        controls.pause(batch=batch, user=boss)
        return honest(batch)

    monkeypatch.setattr(reading, "open_questions", open_questions)
    batch = uploaded(boss, [world.order()])
    assert (batch.paused_by, batch.stage, batch.rows) == (boss, Batch.Stage.OPEN, 1)


@pytest.mark.parametrize("press", [controls.pause, controls.cancel])
def test_a_killed_worker_leaves_nothing_that_a_press_does_not_reach(
    world: Any, boss: User, monkeypatch: Any, pump: Callable[..., None], press: Callable[..., None]
) -> None:
    orders = [world.order() for _ in range(2)]
    batch = uploaded(boss, orders)
    controls.confirm(batch=batch, user=boss)
    killed_once_queued(batch, monkeypatch)
    press(batch=Batch.objects.get(pk=batch.pk), user=boss)
    pump()
    work(batch)
    pump()
    assert [len(world.sends(order)) for order in orders] == [0, 0]


def test_a_killed_worker_is_followed_by_one_that_ships_each_once(
    world: Any, boss: User, monkeypatch: Any, pump: Callable[..., None]
) -> None:
    orders = [world.order() for _ in range(2)]
    batch = uploaded(boss, orders)
    controls.confirm(batch=batch, user=boss)
    killed_once_queued(batch, monkeypatch)
    assert verdicts(work(batch)) == ["queued", "queued"]
    pump()
    assert [len(world.sends(order)) for order in orders] == [1, 1]


def test_a_clash_sends_each_by_itself_and_its_row_knows_its_parcel(
    world: Any, boss: User, monkeypatch: Any
) -> None:
    honest = bulk._save

    def clashing(*args: Any) -> Any:
        done = honest(*args)
        first = Shipment.objects.earliest("pk")
        Shipment.objects.create(merchant=first.merchant, order=first.order, form_key=first.form_key)
        return done

    monkeypatch.setattr(bulk, "_save", clashing)
    batch = uploaded(boss, [world.order() for _ in range(2)])
    controls.confirm(batch=batch, user=boss)
    assert verdicts(work(batch)) == ["queued", "queued"]
    linked = Package.objects.filter(status="queued", batch=batch, shipment__batch_orders__batch=batch)
    assert (linked.count(), Shipment.objects.count()) == (2, 2)


def test_an_order_scanned_out_at_that_moment_stays_tied_to_its_parcel(
    world: Any, boss: User, monkeypatch: Any
) -> None:
    from shipping import scanout

    batch = uploaded(boss, [world.order()])
    controls.confirm(batch=batch, user=boss)
    honest = steps.queue_many

    def queue_many(*args: Any, **more: Any) -> Any:
        found = scanout.labelled(batch.orders.get(), "SF3100000000000")
        scanout.queue_labelled(found, found.draft, user=boss, packer=None, key="scan-1")
        return honest(*args, **more)

    monkeypatch.setattr(steps, "queue_many", queue_many)
    assert verdicts(work(batch)) == ["queued"]
    assert batch.orders.get().shipment == Shipment.objects.get()


def test_a_yes_that_was_withdrawn_counts_no_more(world: Any, boss: User, pump: Callable[..., None]) -> None:
    one, two = world.order(), world.order()
    world.remote.fault("code", errcode=108009, order_id=two.order_id, times=1)
    batch = uploaded(boss, [one, two])
    first = BatchOrder.objects.filter(batch=batch, key=one.order_id)
    first.update(verdict="stopped")
    controls.confirm(batch=batch, user=boss)
    work(batch)
    pump()
    first.update(verdict="ready")
    controls.confirm(batch=batch, user=boss)
    controls.cancel(batch=batch, user=boss)
    work(batch)
    assert controls.retry(batch=batch, user=boss) == 1
    assert (reads.tally(boss, batch).ready, reads.tally(boss, batch).saving) == (2, 1)
    assert verdicts(work(batch)) == ["ready", "queued"]
    pump()
    assert [len(world.sends(order)) for order in (one, two)] == [0, 2]


def test_who_left_a_store_steers_none_of_its_parcels(world: Any, boss: User) -> None:
    order = world.order()
    batch = uploaded(boss, [order])
    controls.confirm(batch=batch, user=boss)
    work(batch)
    second_store(world, "boss")
    set_membership(user=boss, merchant=world.merchant, role="manager", is_active=False)
    client = Client()
    client.force_login(User.objects.get(pk=boss.pk))
    shown = page(client.get(f"/batches/{batch.pk}/?show=all"))
    assert ("发货.csv" in shown, order.order_id in shown) == (True, False)
    pressed = [client.post(f"/batches/{batch.pk}/{name}/") for name in ("cancel", "pause", "ship", "retry")]
    assert {answer.status_code for answer in pressed} == {404}
    work(batch)
    assert Package.objects.get().status == "queued"


def test_a_withdrawal_reaches_the_stores_one_is_still_in(world: Any, boss: User) -> None:
    second = second_store(world, "boss")
    kept, left = order_at(world, second), world.order()
    batch = uploaded(boss, [kept, left])
    controls.confirm(batch=batch, user=boss)
    work(batch)
    controls.cancel(batch=batch, user=boss)
    set_membership(user=boss, merchant=world.merchant, role="manager", is_active=False)
    assert work(batch).stage == Batch.Stage.OPEN
    status = dict(Package.objects.values_list("order__order_id", "status"))
    assert status == {kept.order_id: "cancelled", left.order_id: "queued"}
