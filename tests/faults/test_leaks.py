"""Canaries: the token and the secret appear in no log line, page, row or database file."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from merchants.models import Credential
from shipping.drafts import Draft, PackageDraft
from shipping.services import queue_shipment
from tests.conftest import SECRET
from tests.database import everything
from tests.pages.test_desk import member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", ["reset_before", "http500_before", "html_200", "redirect_307"])
def test_neither_token_nor_secret_is_left_anywhere(
    world: Any, pump: Any, settings: Any, caplog: pytest.LogCaptureFixture, capfd: Any, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.SETTLE_GRACE = 0.3
    order = world.order()
    world.remote.fault(fault, times=2)
    queue_shipment(
        order=order, draft=Draft(order.order_id, (PackageDraft(1, "SF", "SF3100000000001"),)), user=None
    )
    pump()
    token = Credential.objects.get().access_token
    out = capfd.readouterr()
    seen = caplog.text + out.out + out.err + page(member(world).get(f"/orders/{order.order_id}/"))
    for canary in (token, SECRET):
        assert canary
        assert canary not in seen
        assert canary.encode() not in database()


def database() -> bytes:
    """The file itself, with what was deleted in it; of PostgreSQL every row."""
    if connection.vendor != "sqlite":
        return everything().encode()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(settings.DATABASES["default"]["NAME"]).read_bytes()
