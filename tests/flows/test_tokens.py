"""Tokens as the worker meets them: slow, refused, fetched by somebody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import Credential
from shipping.dispatch import Pump
from tests.conftest import APPID
from tests.faults.test_poison import other_order
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "cgi-bin/stable_token"


def forget_token(merchant: Any) -> None:
    Credential.objects.filter(merchant=merchant).update(token_expires_at=None, lease_until=timezone.now())


def test_a_slow_token_call_holds_up_its_own_store_only(world: Any, settings: Any) -> None:
    slow, quick = ship(world.order()), ship(other_order(world), parcel("SF3100000000002"))
    settings.WECHAT_TIMEOUT = (1, 2, 2)
    forget_token(world.merchant)
    world.remote.fault("timeout_not_accepted", call=TOKEN, appid=APPID, seconds=3)
    Pump().run(0.5)
    assert status_of(quick) == ["shipped"]
    assert status_of(slow) == ["queued"]
    assert slow.packages.get().slug == "no_token"
    asked = slow.attempts.get()
    assert quick.packages.get().status_at < asked.ended_at - timedelta(seconds=1)


def test_many_shipments_of_one_store_fetch_one_token(world: Any, pump: Any) -> None:
    shipments = [ship(world.order(), parcel(f"SF310000000000{n}")) for n in range(6)]
    forget_token(world.merchant)
    before = len(world.remote.ledger(path="/cgi-bin/stable_token"))
    pump()
    assert {status_of(shipment)[0] for shipment in shipments} == {"shipped"}
    assert len(world.remote.ledger(path="/cgi-bin/stable_token")) - before == 1


def test_an_old_failure_does_not_pause_while_another_process_fetches(world: Any) -> None:
    """An admin has put it right and resumed; the next fetch is under way elsewhere."""
    shipment = ship(world.order())
    Credential.objects.update(
        token_expires_at=None,
        failed_at=timezone.now(),
        failed_errcode=40164,
        lease_until=timezone.now() + timedelta(seconds=20),
    )
    Pump().run(0.3)
    assert status_of(shipment) == ["queued"]
    assert not world.merchant.pauses.exists()


@pytest.mark.parametrize("code", [40125, 40164, 40013])
def test_a_refused_secret_pauses_its_store(world: Any, pump: Any, code: int) -> None:
    shipment = ship(world.order())
    forget_token(world.merchant)
    world.remote.fault("code", call=TOKEN, errcode=code, times=0)
    pump()
    assert status_of(shipment) == ["queued"]
    assert world.merchant.pauses.get(ended_at=None).errcode == code


def test_a_token_call_without_an_answer_is_only_repeated(world: Any) -> None:
    shipment = ship(world.order())
    forget_token(world.merchant)
    world.remote.fault("http500_before", call=TOKEN)
    Pump().run(0.3)
    assert status_of(shipment) == ["queued"]
    shipment.refresh_from_db()
    assert shipment.due_at is not None
    assert not world.merchant.pauses.exists()
