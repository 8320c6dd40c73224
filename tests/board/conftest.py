"""A noon in March, three stores, and a manager of two of them."""

from typing import Any

import pytest
import time_machine
from django.test import Client

from merchants.models import Merchant, User
from merchants.services import set_membership
from tests.board.made import NOON


@pytest.fixture
def at_noon() -> Any:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def stores() -> list[Merchant]:
    return [Merchant.objects.create(appid=f"wx{n}", name=f"店{n}") for n in range(3)]


@pytest.fixture
def manager(stores: list[Merchant]) -> Client:
    """Runs the first two stores, and packs in the third."""
    user = User.objects.create_user("boss", password="x")
    for store, role in zip(stores, ("manager", "manager", "staff"), strict=True):
        set_membership(user=user, merchant=store, role=role)
    client = Client()
    client.force_login(user)
    return client
