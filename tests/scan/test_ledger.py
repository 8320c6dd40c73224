"""The ledger of devices: one device in one parcel, over all of a person's stores, until it comes back."""

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from merchants.models import Merchant, User
from merchants.services import set_membership
from sandbox import build
from shipping.bulk import Wish, queue_many
from shipping.drafts import Draft, Item, PackageDraft, SerialDraft
from shipping.models import Order, Package, SerialUse, Shipment
from shipping.services import Refused, cancel_shipment, queue_shipment
from shipping.syncing import read_order
from tests.batches.test_rehearsal import HEAD, upload, verdicts
from tests.pages.people import order_at, second_store
from tests.pages.test_desk import fields, member, page
from tests.rules.cases import IMEI, OTHER_IMEI

from .test_station import scan, tone

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = build.subsidy_line("1001", "2001", title="手机")
LABEL, NEXT_LABEL = "SF3100000000001", "SF3100000000002"


def ship(order: Order, number: str, user: User | None = None, label: str = LABEL, imei: str = "") -> Shipment:
    pair = order.lines.get(position=0)
    items = (Item(pair.product_id, pair.sku_id, 1),)
    package = PackageDraft(1, "SF", label, items, serial=SerialDraft(number, imei))
    return queue_shipment(order=order, draft=Draft(order.order_id, (package,)), user=user)


def refusals(order: Order, number: str, user: User | None = None, imei: str = "") -> list[Any]:
    with pytest.raises(Refused) as refused:
        ship(order, number, user, NEXT_LABEL, imei)
    return [(p.errcode, p.path.rpartition(".")[2], p.params) for p in refused.value.problems if p.stops]


def test_the_sentence_says_where_and_by_whom(world: Any) -> None:
    client, sold, order = member(world), world.order([PHONE]), world.order([PHONE])
    ship(sold, "C02XK1", User.objects.get())
    shown = page(
        client.post(f"/orders/{order.order_id}/ship/", fields(order, NEXT_LABEL, **{"p0-sn_code": "c02xk1"}))
    )
    assert f"这台机器已经用在订单 {sold.order_id} 上（staff，" in shown
    shown = scan(client, order.order_id, NEXT_LABEL, "C02XK1")
    assert (tone(shown), f"用在订单 {sold.order_id} 上" in shown) == ("bad", True)
    assert tone(scan(client, "C02XK2")) == "ok"


def test_a_device_is_looked_for_in_all_stores_of_a_person_and_in_no_other(world: Any) -> None:
    user = User.objects.create_user("staff")
    set_membership(user=user, merchant=world.merchant, role="staff")
    other = second_store(world)
    sold, order = order_at(world, other), world.order([PHONE])
    ship(sold, "C02XK1")
    (saved,) = ship(order, "C02XK1", user).packages.all()
    cancel_shipment(shipment=saved.shipment, user=user)
    set_membership(user=user, merchant=other, role="staff")
    ((code, field, params),) = refusals(order, "C02XK1", user)
    assert (code, field, params["other"]) == (268545011, "sn_code", sold.order_id)


def test_an_imei_names_the_device_too(world: Any) -> None:
    sold, order = world.order([PHONE]), world.order([PHONE])
    ship(sold, "C02XK1", imei=IMEI)
    ((code, field, _),) = refusals(order, "C02XK2", imei=IMEI)
    assert (code, field) == (268545011, "imei1")
    ship(order, "C02XK2", imei=OTHER_IMEI, label=NEXT_LABEL)


def test_a_parcel_that_is_off_lets_its_device_go(world: Any) -> None:
    order = world.order([PHONE])
    shipment = ship(order, "C02XK1")
    cancel_shipment(shipment=shipment, user=User.objects.create_user("x"))
    assert ship(order, "C02XK1")
    assert [use.released_at is None for use in SerialUse.objects.order_by("pk")] == [False, True]


@pytest.mark.parametrize(
    ("before", "after", "is_free"), [(0, 0, False), (0, 1, True), (1, 1, False), (1, 2, True)]
)
def test_goods_that_came_back_after_they_left_free_their_device(
    world: Any, pump: Any, before: int, after: int, is_free: bool
) -> None:
    sold = world.order(
        [{**PHONE, "sku_cnt": 3, "finish_aftersale_sku_cnt": before}, build.line("1002", "2002")]
    )
    ship(sold, "C02XK1")
    pump()
    lines = world.remote.truth(sold.order_id)["order_detail"]["product_infos"]
    lines[0]["finish_aftersale_sku_cnt"] = after
    lines[1]["finish_aftersale_sku_cnt"] = 1
    world.remote.change(sold.order_id, {"order_detail": {"product_infos": lines}})
    read_order(world.merchant, sold.order_id)
    assert (SerialUse.objects.get().released_at is not None) == is_free


def test_a_manager_frees_a_device_with_a_reason_and_staff_cannot(world: Any) -> None:
    staff, boss, sold = member(world), member(world, "manager"), world.order([PHONE])
    ship(sold, "C02XK1")
    use = SerialUse.objects.get()
    assert staff.post(f"/serials/{use.pk}/release/", {"reason": "x"}).status_code == 404
    shown = page(boss.post(f"/serials/{use.pk}/release/", {"reason": " "}, follow=True))
    assert "请写明原因" in shown
    shown = page(boss.post(f"/serials/{use.pk}/release/", {"reason": "退货已收到"}, follow=True))
    assert ("可以再用" in shown, "退货已收到" in shown) == (True, True)
    assert "早已释放" in page(boss.post(f"/serials/{use.pk}/release/", {"reason": "x"}, follow=True))
    assert ship(world.order([PHONE]), "C02XK1", label=NEXT_LABEL)
    shown = page(staff.get("/serials/?number=c02xk1"))
    assert (shown.count("C02XK1") >= 2, "在用" in shown, "已释放" in shown) == (True, True, True)


def test_two_people_with_one_device_at_the_same_moment(world: Any) -> None:
    """The ledger's constraint, not the look before, decides: the second is told whose it is."""
    orders = [world.order([PHONE]) for _ in range(2)]
    heard: list[Any] = []
    barrier = threading.Barrier(2)

    def race(order: Order, label: str) -> None:
        try:
            barrier.wait()
            heard.append(ship(order, "C02XK1", label=label).order.order_id)
        except Refused as refused:
            heard.append([p.errcode for p in refused.problems if p.stops])
        finally:
            connection.close()

    threads = [
        threading.Thread(target=race, args=pair) for pair in zip(orders, (LABEL, NEXT_LABEL), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(type, heard), key=str) == [list, str]
    assert [268545011] in heard
    assert Package.objects.count() == 1
    use = SerialUse.objects.get()
    with pytest.raises(IntegrityError):
        SerialUse.objects.create(merchant=use.merchant, package=use.package, kind="sn", number=use.number)


def test_many_at_once_keep_the_ledger_too(world: Any) -> None:
    orders, user = [world.order([PHONE]) for _ in range(3)], User.objects.create_user("x")
    set_membership(user=user, merchant=Merchant.objects.get(), role="staff")
    numbers = ("C02XK1", "C02XK2", "C02XK1")
    wishes = [
        Wish(
            order,
            Draft(order.order_id, (PackageDraft(1, "SF", f"SF310000000000{n}", serial=SerialDraft(sn)),)),
            f"k{n}",
        )
        for n, (order, sn) in enumerate(zip(orders, numbers, strict=True))
    ]
    first, second, third = queue_many(wishes, user=user, door="batch")
    assert [type(outcome) for outcome in (first, second)] == [Shipment, Shipment]
    assert isinstance(third, list)
    assert 268545011 in [problem.errcode for problem in third]


def test_file_batch_and_command_line_name_the_holder_as_the_form_does(world: Any, tmp_path: Any) -> None:
    user, sold, order = User.objects.create_user("x"), world.order([PHONE]), world.order([PHONE])
    set_membership(user=user, merchant=world.merchant, role="staff")
    ship(sold, "C02XK1", user)
    row = f"{order.order_id},SF,{NEXT_LABEL},c02xk1"
    batch = upload(user, f"{HEAD},sn_code", row)
    assert verdicts(batch) == ["stopped"]
    assert (268545011, sold.order_id) in [
        (code, params.get("other")) for _, _, code, _, _, params in batch.orders.get().problems
    ]
    path, out = tmp_path / "parcels.csv", StringIO()
    path.write_text(f"order_id,delivery_id,waybill_id,sn_code\n{row}\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        call_command("ship", str(path), "--merchant", world.merchant.appid, stdout=out)
    assert sold.order_id in out.getvalue()
    assert Package.objects.count() == 1
