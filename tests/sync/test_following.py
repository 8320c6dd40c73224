"""Continuous reading: the cursor, the overlap, slices, quotas, outages, and one store never holding another."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import Merchant, Pause
from merchants.services import add_merchant, resume_merchant
from sandbox import build
from shipping import following
from shipping.following import follow, sync_due, take
from shipping.models import Order, SyncCursor
from tests.conftest import APPID, SECRET

pytestmark = pytest.mark.django_db(transaction=True)


def place(world: Any, ago: int, appid: str = APPID) -> str:
    """An order on the platform, last updated so many seconds ago."""
    moment = int(time.time()) - ago
    made = world.remote.order(appid, [build.line()], create_time=moment, update_time=moment)
    return str(made["order_id"])


def read_on(merchant: Merchant) -> SyncCursor:
    SyncCursor.objects.filter(merchant=merchant).update(due_at=timezone.now())
    assert follow(merchant)
    return SyncCursor.objects.get(merchant=merchant)


def reads(world: Any, path: str = "order/get") -> list[str]:
    return [row["order_id"] for row in world.remote.ledger() if row["path"].endswith(path)]


def test_the_first_run_reaches_back_and_the_next_ones_read_what_changed(world: Any) -> None:
    recent, old, too_old = (place(world, days * 86400 + 600) for days in (1, 29, 31))
    cursor = read_on(world.merchant)
    assert set(Order.objects.values_list("order_id", flat=True)) == {recent, old}
    assert (cursor.read, cursor.changed, cursor.failed, cursor.error) == (2, 2, 0, "")
    assert cursor.succeeded_at
    assert cursor.read_to
    world.remote.change(too_old, {"status": 30})
    assert read_on(world.merchant).read == 1
    assert Order.objects.get(order_id=too_old).status == 30


def test_a_change_that_shows_late_lies_in_the_overlap(world: Any) -> None:
    read_on(world.merchant)
    late = place(world, 200)
    read_on(world.merchant)
    assert Order.objects.filter(order_id=late).exists()


def test_an_outage_is_caught_up_in_windows_the_platform_takes(world: Any) -> None:
    read_on(world.merchant)
    SyncCursor.objects.update(read_to=timezone.now() - timedelta(days=40))
    ids = {place(world, days * 86400) for days in range(1, 40, 6)}
    cursor = read_on(world.merchant)
    assert set(Order.objects.values_list("order_id", flat=True)) == ids
    assert cursor.read_to is not None
    assert cursor.read_to > timezone.now() - timedelta(seconds=30)


def test_a_run_goes_on_at_the_page_where_its_slice_ended(world: Any, settings: Any, monkeypatch: Any) -> None:
    settings.SYNC_FIRST_DAYS = 1
    world.remote.copy(place(world, 3600), times=149)
    monkeypatch.setattr(following, "SLICE", 0.0)
    first = read_on(world.merchant)
    assert (first.read, bool(first.next_key), first.succeeded_at, first.read_to) == (100, True, None, None)
    monkeypatch.setattr(following, "SLICE", 20.0)
    assert follow(world.merchant), "due at once"
    assert len(set(reads(world))) == len(reads(world)) == 150
    cursor = SyncCursor.objects.get()
    assert (cursor.read, cursor.next_key) == (150, "")


def test_the_cursor_stays_until_a_window_was_read_whole(world: Any, settings: Any) -> None:
    settings.SYNC_FIRST_DAYS = 1
    place(world, 600)
    world.remote.fault("code", call="order/get", errcode=45011, times=1)
    cursor = read_on(world.merchant)
    pause = Pause.objects.get()
    assert (cursor.read_to, cursor.error[:5], pause.call, cursor.due_at) == (
        None, "45011", "order/get", pause.until,
    )  # fmt: skip
    assert read_on(world.merchant).read_to is None, "not before the pause ends"
    assert len(reads(world)) == 1
    resume_merchant(merchant=world.merchant)
    cursor = read_on(world.merchant)
    assert (cursor.error, Order.objects.count()) == ("", 1)


def test_an_order_that_alone_cannot_be_read_is_tried_again_by_every_run(world: Any) -> None:
    ids = [place(world, 6000 + n) for n in range(3)]
    world.remote.fault("html_200", call="order/get", order_id=ids[1], times=99)
    cursor = read_on(world.merchant)
    assert (cursor.missed, Order.objects.count(), bool(cursor.error)) == ([ids[1]], 2, True)
    world.remote.ask("DELETE", "/_sandbox/faults")
    cursor = read_on(world.merchant)
    assert (cursor.missed, Order.objects.count(), cursor.error) == ([], 3, "")


def test_two_workers_never_read_one_store_at_once(world: Any) -> None:
    SyncCursor.objects.create(merchant=world.merchant)
    held = take(world.merchant)
    assert held is not None
    SyncCursor.objects.update(due_at=timezone.now())
    assert not follow(world.merchant)
    # The first worker hung longer than its lease: it writes nothing over what the second does.
    SyncCursor.objects.update(lease_until=timezone.now(), next_key="the second's")
    with pytest.raises(following.LeaseLost):
        following.Run(world.merchant, held)._keep(next_key="the first's")
    assert SyncCursor.objects.get().next_key == "the second's"


def test_one_store_that_fails_does_not_hold_another(world: Any, settings: Any) -> None:
    settings.SYNC_EVERY = 120
    other = add_merchant(appid="wx0", name="二店", secret="wrong")
    world.remote.merchant("wx0", SECRET)
    mine = place(world, 600)
    assert sync_due() == 2
    assert sync_due() == 0, "asked for once"
    assert follow(other)
    assert follow(world.merchant)
    assert SyncCursor.objects.get(merchant=other).error.startswith("no_token 40125")
    assert Order.objects.get().order_id == mine
    assert sync_due() == 0, "not before their time"
    SyncCursor.objects.update(due_at=timezone.now())
    assert sync_due() == 2
