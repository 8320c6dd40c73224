"""The list says when each store was read last, and in red when that is too long ago or failed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import Merchant
from shipping.models import SyncCursor
from tests.pages.test_desk import member, page

pytestmark = pytest.mark.django_db(transaction=True)


def test_late_and_failed_readings_are_red(world: Any, settings: Any) -> None:
    settings.SYNC_EVERY = 120
    client, now = member(world), timezone.now()
    rows = SyncCursor.objects.create(merchant=world.merchant, started_at=now, read=7)
    assert "已读 7 个订单" in page(client.get("/"))
    for succeeded_at, error, is_red in (
        (now, "", False), (now - timedelta(minutes=6), "", False), (now, "45009 quota", True),
        (now - timedelta(minutes=8), "", True),
    ):  # fmt: skip
        SyncCursor.objects.filter(pk=rows.pk).update(succeeded_at=succeeded_at, error=error)
        shown = page(client.get("/orders/sync/state/"))
        assert f"{timezone.localtime(succeeded_at):%H:%M}" in shown
        assert ("text-red" in shown, error in shown) == (is_red, True)


def test_other_peoples_stores_are_not_named(world: Any) -> None:
    other = Merchant.objects.create(appid="wx0", name="别人的店")
    SyncCursor.objects.create(merchant=other)
    assert "别人的店" not in page(member(world).get("/"))
