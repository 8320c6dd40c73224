"""What a form may hold and when it may be posted: too long, too far, once too often."""

from typing import Any

import pytest

from shipping.models import Hold, Package, ScanSession, Shipment
from tests.flows.test_dispatch import status_of
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("p0-waybill_id", "A1" * 40, "这里有 80 个字，最多 64 个"),
        ("p0-sn_code", "S" * 130, "这里有 130 个字，最多 120 个"),
    ],
)
def test_what_no_column_holds_is_a_sentence_and_stays_typed(
    world: Any, name: str, typed: str, told: str
) -> None:
    client, order = member(world), world.order()
    answer = client.post(f"/orders/{order.order_id}/ship/", fields(order, confirm="1", **{name: typed}))
    assert told in page(answer)
    assert typed in page(answer)
    assert not Package.objects.exists()


def test_a_label_too_long_at_the_station_is_a_sentence(world: Any) -> None:
    client, order = member(world), world.order()
    told = []
    for n, code in enumerate((order.order_id, "A1" * 40, "FH-KSF", "FH-K-SF", "FH-YES")):
        answer = client.post("/scan/", {"code": code, "key": f"k{n}"}, headers={"HX-Request": "true"})
        told.append((answer.status_code, ScanSession.objects.get().told["slug"]))
    assert [status for status, _ in told] == [200] * 5, told
    assert not Package.objects.exists()


def test_a_hold_till_the_end_of_time_breaks_no_page(world: Any) -> None:
    client, order = member(world), world.order()
    client.post(f"/orders/{order.order_id}/hold/", {"reason": "x", "until": "9999-12-31T23:59:59Z"})
    assert client.get(f"/orders/{order.order_id}/").status_code == 200
    assert not Hold.objects.exists()


def test_chosen_orders_posted_again_after_a_withdrawal_are_not_called_saved(world: Any) -> None:
    client, order = member(world), world.order()
    form = {"form_key": "key", "back": "/", "courier": "SF", "row": order.order_id, "order": order.order_id,
            f"waybill-{order.order_id}": "SF3100000000001"}  # fmt: skip
    client.post("/orders/ship/", form)
    shipment = Shipment.objects.get()
    client.post(f"/shipments/{shipment.pk}/cancel/")
    assert status_of(shipment) == ["cancelled"]
    client.get("/")
    answer = client.post("/orders/ship/", form, follow=True)
    assert "又撤回了，没有再次提交" in page(answer)
    assert "已保存" not in page(answer)
    assert status_of(shipment) == ["cancelled"]


def test_confirming_again_after_a_withdrawal_is_not_called_saved(world: Any) -> None:
    client, order = member(world), world.order()
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    first = Package.objects.get()
    # As the worker refuses it when the address changed.
    Package.objects.update(status="rejected", slug="address_changed")
    Shipment.objects.update(due_at=None)
    client.post(f"/packages/{first.pk}/confirm/")
    second = Shipment.objects.latest("pk")
    assert second.pk != first.shipment_id
    client.post(f"/shipments/{second.pk}/cancel/")
    answer = client.post(f"/packages/{first.pk}/confirm/", follow=True)
    assert "又撤回了，没有再次提交" in page(answer)
    assert not Package.objects.filter(status="queued").exists()


def test_a_number_too_long_among_chosen_orders_is_refused_and_not_cut(world: Any) -> None:
    client, order = member(world), world.order()
    form = {"form_key": "key", "back": "/", "courier": "SF", "row": order.order_id, "order": order.order_id,
            f"waybill-{order.order_id}": "A1" * 40, "confirm": "1"}  # fmt: skip
    assert "最多 64 个" in page(client.post("/orders/ship/", form))
    assert not Package.objects.exists()


def test_a_count_beyond_all_counts_is_refused(world: Any) -> None:
    client, order = member(world), world.order()
    form = fields(order, confirm="1", **{"p0-cnt-0": str(2**40)})
    assert client.post(f"/orders/{order.order_id}/ship/", form).status_code == 200
    assert not Package.objects.exists()
