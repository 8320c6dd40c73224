"""45011 teaches a store's pace: silence till the next minute, then half as fast, then faster again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import Pause
from shipping.dispatch import Pump
from shipping.dispatch.tempo import take_turn
from shipping.dispatch.waiting import next_due
from shipping.models import Tempo
from tests.conftest import APPID
from tests.faults.test_poison import other_order
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def too_fast(world: Any) -> Any:
    """Shipments of a store that may send three a minute; the pump has met the limit."""
    world.remote.switch(sends_a_minute=3)
    world.shipments = [ship(world.order(), parcel(f"SF31000000000{n:02}")) for n in range(20)]
    Pump().run(1)
    return world


def sends(world: Any) -> int:
    return len([row for row in world.remote.ledger(appid=APPID) if row["path"].endswith("delivery/send")])


def test_after_45011_nothing_is_sent_till_the_next_minute(too_fast: Any) -> None:
    before = sends(too_fast)
    other = ship(other_order(too_fast), parcel("SF3100000000099"))
    Pump().run(0.5)
    assert sends(too_fast) == before, "the store rests"
    assert status_of(other) == ["shipped"], "the others do not"


def test_then_it_is_sent_half_as_fast(too_fast: Any) -> None:
    before, tempo = sends(too_fast), Tempo.objects.get()
    assert tempo.refused == before
    assert tempo.per_minute == before / 2
    too_fast.remote.switch(sends_a_minute=0)
    Pause.objects.update(until=timezone.now())
    Pump().run(0.5)
    assert sends(too_fast) == before + 1, "one turn, the next comes in some seconds"
    coming = next_due()
    assert coming is not None
    assert coming > timezone.now() + timedelta(seconds=3)


def test_calls_that_were_on_their_way_halve_it_once(too_fast: Any) -> None:
    refused = [row for row in too_fast.remote.ledger(appid=APPID) if row["errcode"] == 45011]
    assert len(refused) > 1
    assert Tempo.objects.get().per_minute == sends(too_fast) / 2


def test_each_quiet_minute_gives_a_tenth_back_until_the_pace_is_free(world: Any) -> None:
    ago = timezone.now() - timedelta(minutes=2)
    tempo = Tempo(
        merchant=world.merchant, call="order/delivery/send", per_minute=60, refused=100, grown_at=ago
    )
    tempo.save()
    assert take_turn([tempo])
    assert Tempo.objects.get().per_minute == 70
    assert not take_turn([tempo]), "a stale row takes nothing"
    Tempo.objects.update(per_minute=200, grown_at=ago, next_at=ago)
    assert take_turn([Tempo.objects.get()])
    assert not Tempo.objects.exists()
