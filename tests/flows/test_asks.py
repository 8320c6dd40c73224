"""Answers to a buyer's requests, notes, and a receiver shown once: by the page, a worker, the platform."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from merchants.models import Credential
from sandbox import build
from shipping import errands
from shipping.models import OrderErrand, ReceiverView
from tests.conftest import APPID, SECRET
from tests.pages.people import changed
from tests.pages.test_desk import member, page

pytestmark = pytest.mark.django_db(transaction=True)
NEW_ADDRESS = {"user_name": "林**", "tel_number": "183****2807", "city_name": "佛山市", "detail_info": "****"}
SKU = {"preshipment_change_sku_state": 3, "old_sku_id": "20000001", "new_sku_id": "20000002"}


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: Any) -> None:
    settings.SETTLE_GRACE = 0.3


def moving(world: Any) -> Any:
    return world.order(address_under_review=NEW_ADDRESS, address_apply_time=1)


def swapping(world: Any) -> Any:
    return world.order([build.line("10000001", "20000001", 1, change_sku_info=SKU)])


def ask(client: Any, order: Any, kind: str, **more: str) -> str:
    answer = client.post(f"/orders/{order.order_id}/ask/", {"kind": kind, **more}, follow=True)
    return page(answer)


def work() -> None:
    """The worker, and its sweep, until nothing is open or three seconds are over."""
    end = time.monotonic() + 3
    while OrderErrand.objects.filter(ended_at=None).exists() and time.monotonic() < end:
        for pk in OrderErrand.objects.filter(ended_at=None).values_list("pk", flat=True):
            errands.run(pk)
        time.sleep(0.05)


def seen(client: Any, order: Any) -> str:
    return page(client.get(f"/orders/{order.order_id}/"))


def calls(world: Any, path: str) -> int:
    return len([row for row in world.remote.ledger() if row["path"].endswith(path)])


@pytest.mark.parametrize(
    ("kind", "path", "word"),
    [
        ("address_accept", "addressmodify/accept", "佛山市"),
        ("address_reject", "addressmodify/reject", "广州市"),
        ("sku_approve", "preshipmentchangesku/approve", "20000002"),
        ("sku_reject", "preshipmentchangesku/reject", "20000001"),
    ],
)
@pytest.mark.parametrize("fault", ["", "reset_after", "busy_after"])
def test_a_request_is_answered_once_also_when_the_answer_is_lost(
    world: Any, kind: str, path: str, word: str, fault: str
) -> None:
    client, order = member(world), moving(world) if kind.startswith("address") else swapping(world)
    html = seen(client, order)
    assert f'value="{kind}"' in html
    assert "佛山市" in html or "20000002" in html
    if fault:
        world.remote.fault(fault, call=path)
    waiting = ask(client, order, kind)
    assert "正在告诉微信" in waiting
    assert f'value="{kind}"' not in waiting, "one question at a time"
    work()
    html = seen(client, order)
    assert "微信已接受" in html
    assert "处理以后才能发货" not in html
    assert calls(world, path) == 1
    assert word in str(world.remote.truth(order.order_id))


def test_an_answer_that_was_not_taken_says_so_and_may_be_given_again(world: Any) -> None:
    client, order = member(world), moving(world)
    world.remote.fault("reset_before", call="addressmodify/accept")
    ask(client, order, "address_accept")
    errands.run(OrderErrand.objects.get().pk)
    assert "没有等到微信的答复" in page(client.get(f"/orders/{order.order_id}/asks/"))
    work()
    html = seen(client, order)
    assert "微信没有收到" in html
    assert calls(world, "addressmodify/accept") == 1
    ask(client, order, "address_accept")
    work()
    assert "微信已接受" in seen(client, order)


def test_a_lost_answer_that_somebody_else_overtook_is_not_claimed(world: Any) -> None:
    client, order = member(world), moving(world)
    world.remote.fault("reset_before", call="addressmodify/accept")
    ask(client, order, "address_accept")
    world.remote.change(order.order_id, {"order_detail": {"delivery_info": {"address_under_review": None}}})
    work()
    assert "别处已经处理了" in seen(client, order)


def test_a_refusal_is_explained_and_the_order_read_again(world: Any) -> None:
    client, order = member(world), moving(world)
    world.remote.change(order.order_id, {"order_detail": {"delivery_info": {"address_under_review": None}}})
    ask(client, order, "address_reject")
    work()
    html = seen(client, order)
    assert "没有待处理的修改地址申请" in html
    assert "买家申请改地址" not in html
    world.remote.merchant(APPID, SECRET, denied=["addressmodify/accept"])
    changed(world, order, {"order_detail": {"delivery_info": {"address_under_review": NEW_ADDRESS}}})
    ask(client, order, "address_accept")
    work()
    assert OrderErrand.objects.first().errcode == 48001
    assert not world.merchant.pauses.filter(ended_at=None).exists()


def test_a_worker_that_died_leaves_it_to_the_sweep(world: Any) -> None:
    client, order = member(world), moving(world)
    ask(client, order, "address_accept")
    long_ago = timezone.now() - timedelta(minutes=5)
    rows = OrderErrand.objects.all()
    rows.update(status="running", asked_at=long_ago)
    errands.hand_out()
    assert rows.get().status == "waiting", "nothing had been sent"
    rows.update(status="running", sent_at=long_ago)
    errands.hand_out()
    assert rows.get().status == "unsure"
    work()
    assert rows.get().slug == "answer_not_taken"
    assert calls(world, "addressmodify/accept") == 0


def test_what_waited_for_long_is_not_taken_for_lost_while_a_worker_begins_it(world: Any) -> None:
    """The token it needs comes slowly, and the sweep of another worker looks at that very moment."""
    client, order = member(world), moving(world)
    ask(client, order, "address_accept")
    OrderErrand.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
    Credential.objects.update(token_expires_at=None)
    world.remote.fault("drip", call="stable_token", seconds=0.6)
    worker = threading.Thread(target=lambda: (errands.run(OrderErrand.objects.get().pk), connection.close()))
    worker.start()
    time.sleep(0.3)
    errands.hand_out()
    assert OrderErrand.objects.get().status == "running"
    worker.join()
    assert (OrderErrand.objects.get().status, calls(world, "addressmodify/accept")) == ("done", 1)


def test_a_note_is_written_and_one_that_is_too_long_is_not_lost(world: Any) -> None:
    client, order = member(world), world.order()
    ask(client, order, "notes", notes="缺一根 2 米线")
    work()
    html = seen(client, order)
    assert "商家备注：缺一根 2 米线" in html
    assert OrderErrand.objects.get().notes == ""
    long = ask(client, order, "notes", notes="长" * 451)
    assert "最多 450 个字，现在有 451 个" in long
    assert "长" * 451 in long


def test_a_receiver_is_shown_once_to_who_said_why_and_kept_nowhere(world: Any, caplog: Any) -> None:
    client, order = member(world), world.order()
    url = f"/orders/{order.order_id}/receiver/"
    assert "请写明为什么" in page(client.post(url, {"why": " "}))
    assert calls(world, "sensitiveinfo/decode") == 0
    from merchants import lines

    lines.ensure(world.merchant)
    answer = client.post(url, {"why": "快递找不到人"})
    assert "林小满" in page(answer)
    assert "no-store" in answer["Cache-Control"]
    view = ReceiverView.objects.get()
    assert (view.why, view.by.username, view.errcode) == ("快递找不到人", "staff", 0)
    assert "林小满" not in page(client.get(url))
    assert "快递找不到人" in seen(client, order)
    assert "林小满" not in caplog.text
    world.remote.fault("code", call="sensitiveinfo/decode", errcode=45009)
    assert "林小满" not in (refused := page(client.post(url, {"why": "再看"})))
    assert 'role="alert"' in refused
    type(order).objects.update(erased_at=timezone.now())
    assert "资料按要求删除了" in page(client.post(url, {"why": "再看"}))
    assert calls(world, "sensitiveinfo/decode") == 2
