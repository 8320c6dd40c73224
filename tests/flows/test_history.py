"""What happened is never rewritten: the database refuses it, whoever asks, and erasing passes by its one door."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from shipping.dispatch import claiming, sending
from shipping.history import opened
from shipping.models import Attempt, Opening, StatusChange
from tests.flows.test_dispatch import ship, status_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
REWRITES = {
    "a change": "UPDATE shipping_statuschange SET at = '2026-01-01 00:00:00+00:00'",
    "the same change": "UPDATE shipping_statuschange SET reason = reason",
    "a change away": "DELETE FROM shipping_statuschange",
    "a closed attempt": "UPDATE shipping_attempt SET errmsg = 'x'",
    "an attempt reopened": "UPDATE shipping_attempt SET closed_at = NULL",
    "an attempt away": "DELETE FROM shipping_attempt",
}
OPEN_REWRITES = {
    "when it was sent": "UPDATE shipping_attempt SET sent_at = '2026-01-01 00:00:00+00:00'",
    "what was sent": "UPDATE shipping_attempt SET request = NULL",
    "who sent it": "UPDATE shipping_attempt SET run = 'x'",
    "that it was made": "DELETE FROM shipping_attempt",
}


def refused(statement: str) -> None:
    kept = pytest.raises(IntegrityError, match="history is kept")
    with kept, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def rows() -> list[Any]:
    return [*Attempt.objects.values_list(), *StatusChange.objects.values_list()]


@pytest.fixture
def shipped(world: Any, pump: Any) -> Any:
    shipment = ship(world.order())
    pump()
    assert status_of(shipment) == ["shipped"]
    return shipment


def test_nothing_of_what_is_over_can_be_rewritten(shipped: Any) -> None:
    before = rows()
    for what, statement in REWRITES.items():
        refused(statement)
        assert rows() == before, what
    assert StatusChange.objects.count() == 3


def test_of_an_open_attempt_only_its_end_is_written(world: Any) -> None:
    ship(world.order())
    [attempt] = claiming.claim_some("1-run", 1)
    assert sending.prepare(attempt) is not None
    for statement in OPEN_REWRITES.values():
        refused(statement)
    Attempt.objects.update(then="accepted", ended_at=timezone.now(), closed_at=timezone.now())
    refused("UPDATE shipping_attempt SET reads = 1")


def test_a_table_made_anew_is_guarded_again(shipped: Any) -> None:
    with connection.cursor() as cursor:
        on_table = " ON shipping_statuschange" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER shipping_statuschange_kept{on_table}")
    call_command("migrate", "shipping", stdout=StringIO(), verbosity=0)
    refused(REWRITES["a change"])


def test_the_door_is_open_to_its_own_transaction_only(shipped: Any) -> None:
    with opened("a test"):
        assert StatusChange.objects.update(reason="") == 3
    assert not Opening.objects.exists()
    refused(REWRITES["a change"])
    with pytest.raises(ZeroDivisionError), opened("a test"):
        raise ZeroDivisionError
    refused(REWRITES["a change"])
