"""All 46 codes of the document, end to end: platform, worker, page."""

import os
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from shipping.drafts import Draft, PackageDraft
from shipping.models import Package
from shipping.services import queue_shipment
from tests.pages.test_desk import member, page
from wechat.errcodes import CODES

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTED = sorted(code for code, row in CODES.items() if row.documented)
PAUSING = {48001, 606003}
REFUSING = [code for code in DOCUMENTED if code not in PAUSING]


def plant(world: Any, code: int) -> Any:
    order = world.order()
    world.remote.fault("code", errcode=code, errmsg=CODES[code].zh, order_id=order.order_id, times=0)
    waybill = f"SF31{code:011d}"
    queue_shipment(order=order, draft=Draft(order.order_id, (PackageDraft(1, "SF", waybill),)), user=None)
    return order


def test_every_code_is_explained_on_its_order_page(world: Any, pump: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("shipping.dispatch.recording.table_wait", lambda *_: timedelta(0))
    # Everyday every fourth of them, whose words test_explain has all of; all by LONG=1.
    asked = REFUSING if os.environ.get("LONG") else REFUSING[::4]
    orders = {code: plant(world, code) for code in asked}
    pump(60)
    client = member(world)
    for code, order in orders.items():
        package = Package.objects.get(order=order)
        shown = unescape(page(client.get(f"/orders/{order.order_id}/")))
        row = CODES[code]
        assert (package.status, package.errcode) == ("rejected", code)
        for words in (row.zh, row.means_zh, row.do_zh, str(code)):
            assert words in shown, f"{code}: {words}"
    assert len(REFUSING) == 44


@pytest.mark.parametrize("code", sorted(PAUSING))
def test_a_pausing_code_keeps_the_package_and_tells_everybody(world: Any, pump: Any, code: int) -> None:
    order = plant(world, code)
    pump()
    assert Package.objects.get(order=order).status == "queued"
    shown = unescape(page(member(world).get("/")))
    assert CODES[code].means_zh in shown
    assert CODES[code].do_zh in shown
