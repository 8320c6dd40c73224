"""One shipment our own code stumbles over must not stop the others, nor be lost, nor be sent twice."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from merchants.models import Credential
from merchants.services import add_merchant
from sandbox import build
from shipping import tasks
from shipping.dispatch import Pump
from shipping.models import Attempt, Shipment
from shipping.syncing import read_order, sync_couriers
from tests.flows.test_dispatch import parcel, ship, status_of

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "wx00000000000000bb"


def stumble(monkeypatch: pytest.MonkeyPatch, where: str, order: Any, times: int) -> None:
    """Make the named function of the engine fail for one order, some times."""
    module, _, name = where.rpartition(".")
    honest, left = getattr(__import__(module, fromlist=[name]), name), [times]

    def fail(*args: Any, **kwargs: Any) -> Any:
        attempt = next(arg for arg in args if isinstance(arg, Attempt))
        if attempt.order_id == order.pk and left[0] > 0:
            left[0] -= 1
            raise ZeroDivisionError("our own fault")
        return honest(*args, **kwargs)

    monkeypatch.setattr(where, fail)


def other_order(world: Any) -> Any:
    world.remote.merchant(OTHER, "t" * 32)
    merchant = add_merchant(appid=OTHER, name="别家", secret="t" * 32)
    sync_couriers(merchant)
    order, _ = read_order(merchant, world.remote.order(OTHER, [build.line("1", "2", 1)])["order_id"])
    return order


def test_a_fault_before_sending_delays_only_its_own_shipment(world: Any, monkeypatch: Any) -> None:
    poison, good = ship(bad := world.order()), ship(world.order(), parcel("SF3100000000002"))
    stumble(monkeypatch, "shipping.dispatch.pump.prepare", bad, times=99)
    Pump().run(1.5, until_idle=True)
    assert (status_of(poison), status_of(good)) == (["queued"], ["shipped"])
    assert poison.attempts.count() == 1
    assert world.sends(bad) == []
    assert Shipment.objects.get(pk=poison.pk).due_at > timezone.now()


def test_a_fault_after_the_answer_is_settled_by_a_read(world: Any, pump: Any, monkeypatch: Any) -> None:
    poison, good = ship(bad := world.order()), ship(world.order(), parcel("SF3100000000002"))
    stumble(monkeypatch, "shipping.dispatch.pump.record", bad, times=99)
    pump()
    assert (status_of(poison), status_of(good)) == (["shipped"], ["shipped"])
    assert len(world.sends(bad)) == 1


def test_a_read_we_stumble_over_ends_with_a_manager(
    world: Any, pump: Any, settings: Any, monkeypatch: Any
) -> None:
    settings.SETTLE_GRACE = 0.3
    bad = world.order()
    world.remote.fault("reset_after")
    stumble(monkeypatch, "shipping.dispatch.settling._judge", bad, times=99)
    shipment = ship(bad)
    pump()
    assert status_of(shipment) == ["conflict"]
    assert shipment.packages.get().slug == "order_unreadable"


def test_a_secret_no_key_opens_pauses_its_own_store_only(world: Any, pump: Any) -> None:
    order = world.order()
    stranger = other_order(world)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE merchants_credential SET app_secret = 'fernet1:broken' WHERE merchant_id = %s",
            [stranger.merchant_id],
        )
    shut, good = ship(stranger, parcel("SF3100000000002")), ship(order)
    pump()
    assert (status_of(shut), status_of(good)) == (["queued"], ["shipped"])
    assert stranger.merchant.pauses.get(ended_at=None).errcode == 41004


def test_tokens_are_renewed_though_one_secret_is_unreadable(world: Any) -> None:
    stranger = other_order(world)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE merchants_credential SET app_secret = 'fernet1:broken', access_token = '' "
            "WHERE merchant_id = %s",
            [world.merchant.pk],
        )
    Credential.objects.filter(merchant=stranger.merchant).update(token_expires_at=None)
    tasks.renew_tokens.func()
    assert Credential.objects.defer("app_secret").get(merchant=stranger.merchant).token_expires_at


def test_an_absurd_number_in_an_order_is_read_as_none(world: Any, pump: Any) -> None:
    order = world.order()
    world.remote.change(order.order_id, {"order_detail": {"price_info": {"order_price": 10**30}}})
    type(order).objects.update(read_at=None)
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["shipped"]


def test_two_sweeps_of_one_dead_call_settle_it_once(world: Any, pump: Any) -> None:
    from shipping.dispatch import claiming, sweeping

    order = world.order()
    shipment = ship(order)
    [attempt] = claiming.claim_some("dead-run", 1)
    stale = Attempt.objects.get(pk=attempt.pk)
    assert sweeping.sweep() == 1
    shipment.refresh_from_db()
    due_at = shipment.due_at
    sweeping.bury(stale)
    shipment.refresh_from_db()
    assert shipment.due_at == due_at
    assert Attempt.objects.get().closed_at is not None
