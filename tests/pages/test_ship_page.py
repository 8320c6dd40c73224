"""What the ship page promises beside shipping: marks, confirmations, corrections, drafts, roles."""

from typing import Any

import pytest

from sandbox import build
from shipping.drafts import Draft, PackageDraft
from shipping.models import Package, Shipment
from shipping.services import save_draft
from tests.conftest import APPID
from tests.pages.test_desk import fields, member, page, run_tasks

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_warning_asks_once_and_then_ships(world: Any) -> None:
    client, order = member(world), world.order()
    typed = fields(order, "123456789012")
    asked = page(client.post(f"/orders/{order.order_id}/ship/", typed))
    assert 'name="confirm"' in asked
    assert not Shipment.objects.exists()
    client.post(f"/orders/{order.order_id}/ship/", {**typed, "confirm": "1"})
    assert Package.objects.get().waybill_id == "123456789012"


def test_without_javascript_the_summary_comes_first(world: Any) -> None:
    client, order = member(world), world.order()
    asked = page(client.post(f"/orders/{order.order_id}/ship/", fields(order, review="1")))
    assert 'name="confirm"' in asked
    assert "SF3100000000001" in asked
    assert not Shipment.objects.exists()


def test_the_preview_marks_a_guessed_courier_and_writes_nothing(world: Any) -> None:
    client, order = member(world), world.order()
    typed = fields(order, preview="1", **{"p0-delivery_id": ""})
    assert "按单号猜的" in page(client.post(f"/orders/{order.order_id}/ship/", typed))
    assert not Shipment.objects.exists()


@pytest.mark.parametrize("typed", ["--5", "²", "9" * 40, "两件"])
def test_a_count_that_is_no_number_is_named_and_kept(world: Any, typed: str) -> None:
    client, order = member(world), world.order()
    answer = client.post(f"/orders/{order.order_id}/ship/", fields(order, **{"p0-cnt-0": typed}))
    assert answer.status_code == 200
    assert typed in page(answer)
    assert not Shipment.objects.exists()


def test_a_correction_opens_every_rejected_package_with_its_field_marked(world: Any, pump: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 2)])
    world.remote.fault("code", errcode=606005, order_id=order.order_id, times=0)
    two = {"cards": "2", "p1-deliver_type": "1", "p1-waybill_id": "SF3100000000002", "p1-delivery_id": "SF"}
    client.post(f"/orders/{order.order_id}/ship/", fields(order, **two, **{"p1-cnt-0": "1"}))
    pump()
    first = Package.objects.order_by("pk").first()
    shown = page(client.get(f"/orders/{order.order_id}/ship/?fix={first.pk}"))
    assert "SF3100000000001" in shown
    assert "SF3100000000002" in shown
    assert 'id="p1-waybill_id-error"' in shown


def test_a_package_of_another_order_is_not_corrected_here(world: Any, pump: Any) -> None:
    client, order, other = member(world), world.order(), world.order()
    world.remote.fault("code", errcode=606005, order_id=other.order_id)
    client.post(f"/orders/{other.order_id}/ship/", fields(other))
    pump()
    wrong = str(Package.objects.get().pk)
    client.post(f"/orders/{order.order_id}/ship/", fields(order, fix=wrong, form_key="key-2"))
    assert Shipment.objects.get(order=order).corrects is None


def test_a_kept_draft_opens_and_goes_once_it_was_submitted(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    draft = Draft(order.order_id, (PackageDraft(1, "SF", "SF3100000000009"),))
    save_draft(order=order, draft=draft, user=None)
    assert "SF3100000000009" in page(client.get(f"/orders/{order.order_id}/ship/"))
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    assert "草稿" not in page(client.get("/?tab=all"))


def test_a_searched_number_is_found_however_it_is_typed(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    found = client.get("/search/", {"q": " ｓｆ3100000000001 "})
    assert found.url == f"/orders/{order.order_id}/"
    assert "从微信读取" in page(client.get("/search/", {"q": "12345678901"}))
    assert client.post("/orders/not-a-number/read/").status_code == 404


def test_a_search_for_an_order_not_known_yet_reads_it_from_wechat(world: Any, pump: Any) -> None:
    client = member(world)
    made = world.remote.order(APPID, [build.line("1001", "2001", 1)])
    assert "正在从微信读取" in page(client.get("/search/", {"q": made["order_id"]}))
    run_tasks()
    found = client.get("/search/", {"q": made["order_id"], "reading": "1"})
    assert found.url == f"/orders/{made['order_id']}/"


def test_an_answer_that_names_a_field_marks_that_field(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    words = "invalid args, expecting delivery_list[0].waybill_id != '' rid: 1-2-3"
    world.remote.fault("code", errcode=40097, errmsg=words, order_id=order.order_id)
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    shown = page(client.get(f"/orders/{order.order_id}/ship/?fix={Package.objects.get().pk}"))
    assert 'id="p0-waybill_id-error"' in shown


@pytest.mark.parametrize("typed", ["sf", "SF", "sfsy", "顺丰速运"])
def test_a_courier_is_named_by_code_name_or_initials(world: Any, typed: str) -> None:
    client, order = member(world), world.order()
    client.post(f"/orders/{order.order_id}/ship/", fields(order, **{"p0-delivery_id": typed}))
    assert Package.objects.get().delivery_id == "SF"
