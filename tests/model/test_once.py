"""A question is asked once in a round or for a page, and again when its answer may have changed."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from merchants.models import User
from merchants.once import asking_once, forget, once
from merchants.services import pause_merchant, resume_merchant
from shipping import timekeeper
from shipping.models import Package, Shipment
from shipping.pauses import SEND, is_stopped, may_not_read
from tests.flows.test_dispatch import parcel, ship

pytestmark = pytest.mark.django_db


def test_a_question_is_asked_anew_after_its_round() -> None:
    answers = iter(range(9))
    assert [once("q", lambda: next(answers)) for _ in range(2)] == [0, 1]
    with asking_once():
        assert [once("q", lambda: next(answers)) for _ in range(2)] == [2, 2]
        forget()
        assert once("q", lambda: next(answers)) == 3
        with asking_once():
            assert once("q", lambda: next(answers)) == 4
        assert once("q", lambda: next(answers)) == 3
    assert once("q", lambda: next(answers)) == 5


def test_a_pause_stops_what_comes_after_it_in_the_same_round(world: Any) -> None:
    key = world.merchant.pk
    with asking_once():
        assert not is_stopped(key, SEND)
        pause_merchant(merchant=world.merchant, errcode=606025)
        assert is_stopped(key, SEND)
        resume_merchant(merchant=world.merchant)
        assert not is_stopped(key, SEND)
        assert not may_not_read(key)
        pause_merchant(merchant=world.merchant, call="order/get", errcode=48001)
        assert may_not_read(key)


def test_a_round_asks_for_a_pause_once(world: Any) -> None:
    with CaptureQueriesContext(connection) as asked, asking_once():
        assert not any(is_stopped(world.merchant.pk, SEND) for _ in range(5))
    assert len(asked) == 1


@pytest.mark.parametrize("way", ["migration", "older version beside this one"])
def test_packages_of_before_learn_whose_trouble_they_are(world: Any, way: str) -> None:
    first, second = (ship(world.order(), parcel(f"SF310000000000{n}")) for n in range(2))
    Package.objects.update(status="rejected", sent_by=None)
    user = User.objects.create_user("clerk")
    Shipment.objects.update(created_by=user)
    Shipment.objects.filter(pk=second.pk).update(corrects=first)
    # One more of the first, refused after it was corrected.
    late = Package.objects.get(shipment=first)
    late.pk, late.position, late.waybill_id, late.status_at = None, 1, "SF3100000000009", timezone.now()
    late.save()
    if way == "migration":
        import_module("shipping.migrations.0023_needs_hands_filled").fill(apps, None)
    else:
        timekeeper.AT_ONCE["catch_up"]()
    told = [p.is_corrected for p in Package.objects.order_by("pk")]
    assert told == [True, False, False]
    assert set(Package.objects.values_list("sent_by", flat=True)) == {user.pk}
