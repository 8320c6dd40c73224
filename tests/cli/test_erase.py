"""What was asked to be forgotten is nowhere in the database; ids, codes and counts still are."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from merchants.models import Credential, Merchant, User
from sandbox import build
from shipping.drafts import Draft, PackageDraft, SerialDraft
from shipping.erasing import remove_old_bodies
from shipping.models import Order, OrderBody
from shipping.services import hold_order, note_printing, queue_shipment, release_order, save_typed
from shipping.syncing import read_order
from tests.conftest import APPID, SECRET
from tests.database import everything

pytestmark = pytest.mark.django_db(transaction=True)
OPENID, IMEI = "oBuyerToForget000000000000001", "490154203237518"
SAID = (OPENID, IMEI, "林**", "183****2807", "余杭区", "hash-of-home", "请放门口", "老客户", "太太来电")
STAYS = ("SF3100000000001", "SN100001", "77001", "88002")


@pytest.fixture
def shipped(world: Any, pump: Any) -> Order:
    """An order that has left every trace an order can leave."""
    address = build.address(name="林小姐", phone="18312342807")
    address |= {"county_name": "余杭区", "hash_code": "hash-of-home"}
    order = world.order(
        [build.subsidy_line("77001", "88002", 1)], openid=OPENID, address_info=address,
        customer_notes="请放门口", merchant_notes="老客户",
    )  # fmt: skip
    user = User.objects.create_user("staff", password="x")
    hold_order(order=order, user=user, reason="太太来电")
    release_order(order=order, user=user)
    note_printing(orders=[order], user=user, paper="a4")
    package = PackageDraft(1, "SF", "SF3100000000001", serial=SerialDraft("SN100001", IMEI))
    queue_shipment(order=order, draft=Draft(order.order_id, (package,)), user=user)
    pump()
    save_typed(order=order, user=user, fields={"note": "林** 183****2807"}, waybills=["SF1"])
    return order


def test_a_buyer_is_forgotten_and_stays_so(world: Any, shipped: Order) -> None:
    before = everything()
    assert [word for word in SAID if word not in before] == []
    out = StringIO()
    call_command("erase_buyer", OPENID, stdout=out)
    read_order(world.merchant, shipped.order_id)
    after = everything()
    assert "1 个订单" in out.getvalue()
    assert [word for word in SAID if word in after] == []
    assert [word for word in (*STAYS, shipped.order_id) if word not in after] == []
    with pytest.raises(CommandError):
        call_command("erase_buyer", OPENID)


def test_a_store_is_closed_and_its_buyers_forgotten(world: Any, shipped: Order) -> None:
    call_command("erase_merchant", APPID, stdout=StringIO())
    assert [word for word in (*SAID, SECRET) if word in everything()] == []
    assert not Credential.objects.exists()
    assert not Merchant.objects.get().is_active
    with pytest.raises(CommandError):
        call_command("erase_merchant", "wx-nobody")


def test_raw_bodies_go_some_time_after_the_end(world: Any, settings: Any) -> None:
    settings.RAW_BODY_DAYS = 90
    ended, fresh, waiting = world.order(status=100), world.order(status=100), world.order(status=20)
    old = timezone.now() - timedelta(days=91)
    Order.objects.filter(pk__in=(ended.pk, waiting.pk)).update(platform_updated_at=old)
    assert remove_old_bodies() == 1
    assert set(OrderBody.objects.values_list("order", flat=True)) == {fresh.pk, waiting.pk}
