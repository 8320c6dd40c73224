"""The managers' history: its filters and its search, one order's timeline, files, past cases, the report."""

import csv
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from python_calamine import CalamineWorkbook

from merchants.models import User
from shipping import exporting
from shipping.batches import controls
from shipping.drafts import Draft, PackageDraft, SerialDraft
from shipping.history import opened
from shipping.models import Attempt, Batch, Export, ExportPart, Order, OrderLine, Package
from shipping.services import queue_shipment
from tests.pages.people import colleague, order_at, second_store
from tests.pages.test_desk import fields, member, page, run_tasks

pytestmark = pytest.mark.django_db(transaction=True)


def ship(client: Any, order: Any, waybill: str, courier: str = "SF") -> None:
    typed = fields(order, waybill, form_key=waybill, **{"p0-delivery_id": courier})
    assert client.post(f"/orders/{order.order_id}/ship/", typed).status_code == 302


def run_exports() -> None:
    call_command("db_worker", "--batch", "--queue-name", "sync", "--no-startup-delay", verbosity=0)


def test_the_history_is_filtered_by_what_a_manager_asks(world: Any, pump: Any) -> None:
    manager, ann, ben = member(world, "manager"), colleague(world, "ann"), colleague(world, "ben")
    orders = {name: world.order() for name in ("ann", "refused", "batch")}
    world.remote.fault("code", errcode=606005, order_id=orders["refused"].order_id)
    ship(ann, orders["ann"], "SF3100000000001")
    ship(ben, orders["refused"], "JD0000000000001", "JD")
    batch = controls.upload(
        user=User.objects.get(username="ben"),
        filename="a.csv",
        content=f"order_id,delivery_id,waybill_id\n{orders['batch'].order_id},SF,SF3100000000002".encode(),
    )
    run_tasks()
    controls.confirm(batch=Batch.objects.get(pk=batch.pk), user=batch.created_by)
    run_tasks()
    pump()
    today = f"{timezone.localdate():%Y-%m-%d}"
    wanted = {
        "": {"ann", "refused", "batch"},
        "status=rejected": {"refused"},
        "code=606005": {"refused"},
        "courier=JD": {"refused"},
        "courier=SF": {"ann", "batch"},
        "person=ann": {"ann"},
        "person=nobody": set(),
        f"batch={batch.pk}": {"batch"},
        f"batch={batch.pk}&person=ann": set(),
        "person=ben&courier=SF": {"batch"},
        f"since={today}&until={today}": {"ann", "refused", "batch"},
        "until=2020-01-01": set(),
        "since=0001-01-01&until=9999-12-31": {"ann", "refused", "batch"},
        "code=x": set(),
        "person=%00": {"ann", "refused", "batch"},
        "q=sf3100000000002": {"batch"},
        f"q={orders['ann'].order_id}": {"ann"},
        "q=JD0000": {"refused"},
        "q=JD0000&person=ann": set(),
    }
    for show in ("packages", "calls"):
        for asked, names in wanted.items():
            html = page(manager.get(f"/history/?show={show}&{asked}"))
            found = {name for name, order in orders.items() if f"/orders/{order.order_id}/" in html}
            assert found == names, (show, asked)


def test_a_call_that_was_answered_otherwise_at_first_is_still_found(world: Any, pump: Any) -> None:
    manager, order = member(world, "manager"), world.order()
    world.remote.fault("code", errcode=100003, times=1)
    ship(manager, order, "SF3100000000001")
    pump()
    assert Package.objects.get().status == "shipped"
    assert order.order_id in page(manager.get("/history/?show=calls&code=100003"))
    told = page(manager.get("/errors/100003/"))
    assert order.order_id in told
    assert "又提交一次后" in told
    steps = page(manager.get(f"/orders/{order.order_id}/"))
    for word in ("第一次读到", "微信的回答", "微信已登记", "100003"):
        assert word in steps


def test_a_serial_number_leads_to_its_package(world: Any) -> None:
    manager, order = member(world, "manager"), world.order()
    package = PackageDraft(1, "SF", "SF3100000000001", serial=SerialDraft("sn-77"))
    queue_shipment(order=order, draft=Draft(order.order_id, (package,)), user=None)
    assert order.order_id in page(manager.get("/history/?q=SN-77"))
    assert manager.get("/search/?q=sn-77").url == f"/orders/{order.order_id}/"


def test_a_corrected_refusal_is_a_case_that_ended_well(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    world.remote.fault("code", errcode=606005)
    ship(client, order, "SF3100000000001")
    pump()
    assert "还没结束" in page(client.get("/errors/606005/"))
    refused = Package.objects.get()
    again = fields(order, fix=str(refused.pk), form_key="key-2")
    client.post(f"/orders/{order.order_id}/ship/", again)
    pump()
    told = page(client.get("/errors/606005/"))
    assert "已发货 · 改正后 1" in told
    stranger = colleague(world, "stranger")
    User.objects.get(username="stranger").memberships.update(is_active=False)
    assert order.order_id not in page(stranger.get("/errors/606005/"))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_holds_every_row_as_text_and_is_its_asker_s_alone(
    world: Any, kind: str, monkeypatch: Any
) -> None:
    manager, other = member(world, "manager"), colleague(world, "other", "manager")
    orders = [world.order() for _ in range(5)]
    OrderLine.objects.filter(order=orders[0]).update(title="=HYPERLINK(1)", sku_attrs="")
    foreign = order_at(world, second_store(world))
    for number, order in enumerate([*orders, foreign]):
        draft = Draft(order.order_id, (PackageDraft(1, "SF", f"SF310000000000{number}"),))
        queue_shipment(order=order, draft=draft, user=None)
    # Several slices, each of several parts.
    monkeypatch.setattr(exporting, "CHUNK", 2)
    monkeypatch.setattr(exporting, "SLICE", 0.0)
    assert manager.post("/exports/create/", {"kind": kind, "courier": "SF"}).url == "/exports/"
    export = Export.objects.get()
    place = f"/exports/{export.pk}"
    assert f'hx-get="{place}/status/"' in page(manager.get("/exports/"))
    assert manager.get(f"{place}/file/").status_code == 404
    run_exports()
    assert "hx-get" not in page(manager.get(f"{place}/status/"))
    answer = manager.get(f"{place}/file/")
    rows = _read(kind, b"".join(answer.streaming_content))
    assert [row[1].strip("\t") for row in rows[1:]] == [order.order_id for order in reversed(orders)]
    title = f"{'' if kind == 'xlsx' else chr(39)}=HYPERLINK(1) ×1"
    assert rows[-1][7] == title
    for path in ("status/", "file/"):
        assert other.get(f"{place}/{path}").status_code == 404
    assert place not in page(other.get("/exports/"))
    User.objects.get(username="manager").memberships.update(role="staff")
    assert manager.get(f"{place}/file/").status_code == 404


def _read(kind: str, content: bytes) -> list[list[str]]:
    if kind == "csv":
        return list(csv.reader(StringIO(content.decode("utf-8-sig"))))
    sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    rows: list[Any] = sheet.to_python()
    assert all(isinstance(cell, str) for row in rows for cell in row)
    return rows


def test_an_export_goes_after_its_time_and_one_that_was_lost_is_written(world: Any, settings: Any) -> None:
    manager = member(world, "manager")
    manager.post("/exports/create/", {"kind": "csv"})
    Export.objects.update(lease_until=timezone.now() - timezone.timedelta(minutes=1))
    assert exporting.unfinished() == [Export.objects.get().pk]
    run_exports()
    assert exporting.unfinished() == []
    settings.EXPORT_DAYS = 0
    exporting.remove_old()
    assert not ExportPart.objects.exists()
    assert manager.get(f"/exports/{Export.objects.get().pk}/file/").status_code == 404


def test_the_support_report_names_the_call_and_nobody(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    world.remote.fault("code", errcode=606005)
    ship(client, order, "SF3100000000001")
    pump()
    attempt, receiver = Attempt.objects.get(), Order.objects.get().receiver
    leak = f"寄给 {receiver} 13912345678 access_token=abcdefghijklmnop rid: 1-2-3"
    with opened("a test"):
        Attempt.objects.update(errmsg=leak, rid="1-2-3")
    told = page(client.get(f"/attempts/{attempt.pk}/report/"))
    for word in (order.order_id, "SF3100000000001", "606005", "1-2-3 · 还能查 7 天", "delivery_list"):
        assert word in told
    for secret in (receiver, "13912345678", "abcdefghijklmnop"):
        assert secret not in told
