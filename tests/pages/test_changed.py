"""What changed since the label: address and goods as first noted, at every door, until a person confirms."""

from typing import Any

import pytest

from merchants.models import User
from sandbox import build
from shipping.models import Package, Shipment
from shipping.services import note_printing
from tests.pages.people import changed, colleague, moved
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "广东省 广州市 海珠区", "上海市 上海市 浦东新区"


def ship(client: Any, order: Any, **more: str) -> Any:
    return client.post(f"/orders/{order.order_id}/ship/", fields(order, **more))


def seen(html: str) -> str:
    """What the shown form would confirm."""
    return html.split('name="seen" value="')[1].split('"')[0]


def two_packages(order: Any) -> dict[str, str]:
    return fields(order, cards="2", **{"p1-deliver_type": "1", "p1-waybill_id": "SF3100000000002",
                  "p1-delivery_id": "SF", "p1-cnt-0": "1"})  # fmt: skip


def test_an_address_that_changes_before_sending_stops_and_goes_on_when_confirmed(
    world: Any, pump: Any
) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 2)])
    client.post(f"/orders/{order.order_id}/ship/", two_packages(order))
    moved(world, order)
    pump()
    assert {p.slug for p in Package.objects.all()} == {"address_changed"}
    assert world.sends(order) == []
    detail = page(client.get(f"/orders/{order.order_id}/"))
    for words in ("面单重新打印了吗", OLD, NEW, "核对过了，照发"):
        assert words in detail
    at = page(client.get(f"/orders/{order.order_id}/ship/?fix={Package.objects.first().pk}"))
    assert OLD in at
    # One click, also when it was a double click, sends the whole shipment again, once.
    first = Package.objects.order_by("pk").first()
    for _ in range(2):
        answer = client.post(f"/packages/{first.pk}/confirm/")
    assert "已经" not in page(client.get(answer.url)).split('id="main"')[1].split('class="ship-grid"')[0]
    pump()
    assert [p.status for p in Package.objects.order_by("pk")] == ["rejected"] * 2 + ["shipped"] * 2
    assert len(world.sends(order)) == 1


def test_goods_that_change_before_sending_stop_it(world: Any, pump: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 1, title="杯子")])
    ship(client, order)
    swapped = [
        build.line("1001", "2002", 1, title="杯子", sku_attrs=[{"attr_key": "色", "attr_value": "蓝"}])
    ]
    changed(world, order, {"order_detail": {"product_infos": swapped}})
    pump()
    assert Package.objects.get().status == "rejected"
    assert world.sends(order) == []
    assert "商品规格变了" in page(client.get(f"/orders/{order.order_id}/"))


def test_a_number_typed_before_the_change_asks_when_it_is_sent(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    ship(client, order, preview="1")
    moved(world, order)
    asked = page(ship(client, order))
    for words in ("收货地址在", "面单重新打印了吗", OLD, NEW, 'name="confirm"'):
        assert words in asked
    assert not Shipment.objects.exists()
    # It changed again after the person looked: what they confirmed is not what is sent.
    moved(world, order, "h-third", "北京市 北京市 朝阳区")
    again = page(ship(client, order, confirm="1", seen=seen(asked)))
    assert "北京市" in again
    assert not Shipment.objects.exists()
    ship(client, order, confirm="1", seen=seen(again))
    pump()
    assert Package.objects.get().status == "shipped"


def test_the_opened_form_says_at_once_that_the_address_changed(world: Any) -> None:
    client, order = member(world), world.order()
    ship(client, order, preview="1")
    moved(world, order)
    assert "面单重新打印了吗" in page(client.get(f"/orders/{order.order_id}/ship/"))


def test_a_number_that_a_colleague_typed_first_was_noted_then(world: Any) -> None:
    first, second, order = member(world), colleague(world, "second"), world.order()
    ship(first, order, preview="1")
    moved(world, order)
    assert "面单重新打印了吗" in page(ship(second, order, form_key="key-2"))
    assert not Shipment.objects.exists()


def test_a_slip_printed_before_the_change_asks_however_fast_the_number_is_scanned(world: Any) -> None:
    client, order = member(world), world.order()
    note_printing(orders=[order], user=User.objects.get(), paper="a4")
    moved(world, order)
    assert "面单重新打印了吗" in page(ship(client, order))
    # Printed again: the new slip shows the new address.
    order.refresh_from_db()
    note_printing(orders=[order], user=User.objects.get(), paper="a4")
    assert ship(client, order).status_code == 302


def test_a_package_that_was_held_or_withdrawn_remembers_what_its_label_says(world: Any) -> None:
    client, held, withdrawn = member(world), world.order(), world.order()
    ship(client, held)
    client.post(f"/orders/{held.order_id}/hold/", {"reason": "缺货"})
    ship(client, withdrawn, form_key="key-2", **{"p0-waybill_id": "SF3100000000002"})
    client.post(f"/shipments/{Shipment.objects.get(order=withdrawn).pk}/cancel/")
    for order in (held, withdrawn):
        moved(world, order)
    client.post(f"/orders/{held.order_id}/release/")
    for order, waybill in ((held, "SF3100000000001"), (withdrawn, "SF3100000000002")):
        url = f"/orders/{order.order_id}/ship/"
        assert waybill in page(client.get(url)), "the form opens with what was typed"
        typed = {"form_key": f"key-{waybill}", "p0-waybill_id": waybill}
        asked = page(ship(client, order, **typed))
        assert "面单重新打印了吗" in asked
        answer = ship(client, order, confirm="1", seen=seen(asked), **typed)
        assert answer.status_code == 302


def test_without_javascript_the_number_is_noted_on_the_page_that_asks(world: Any) -> None:
    client, order = member(world), world.order()
    asked = page(ship(client, order, review="1"))
    moved(world, order)
    again = page(ship(client, order, review="1", confirm="1", seen=seen(asked)))
    assert "面单重新打印了吗" in again
    assert not Shipment.objects.exists()
    assert ship(client, order, review="1", confirm="1", seen=seen(again)).status_code == 302


def test_another_order_of_the_parcel_with_an_old_slip_is_confirmed_too(world: Any, pump: Any) -> None:
    client, order, other = member(world), world.order(), world.order()
    note_printing(orders=[order, other], user=User.objects.get(), paper="a4")
    for each in (order, other):
        moved(world, each)
    asked = page(ship(client, order, also=other.order_id))
    assert asked.count("面单重新打印了吗") == 2
    ship(client, order, also=other.order_id, confirm="1", seen=seen(asked))
    pump()
    assert [p.status for p in Package.objects.all()] == ["shipped", "shipped"]
