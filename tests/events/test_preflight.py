"""What would stop an order is told before anybody types, on the list and on its pages, and read again on a click."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from merchants.models import Merchant, Pause
from merchants.services import pause_merchant
from shipping import states
from shipping.models import Order, Reading
from tests.pages.test_desk import member, page, run_tasks

pytestmark = pytest.mark.django_db(transaction=True)

AFTERSALE = {"on_aftersale_order_cnt": 1, "aftersale_order_list": []}
# what the order holds -> the badge of the list, a word of the sentence on its pages
HURDLES = {
    "aftersale": ({"aftersale_detail": AFTERSALE}, "售后中", "售后没处理完"),
    "address": ({"address_under_review": {"user_name": "林**"}}, "改地址待处理", "买家申请改收货地址"),
    "jewellery": ({"quality_inspect_type": 1}, "质检没完成", "质检"),
    "fresh": (
        {"quality_inspect_type": 2, "quality_inspect_info": {"inspect_status": 201}},
        "生鲜质检没通过",
        "生鲜",
    ),
    "risk": ({"risk_info": {"is_risk": True}}, "风险", "风险"),
    "payment": ({"status": 10, "pay_info": {"pay_time": 1735000000}}, "付款没确认", "不是待发货"),
}


@pytest.mark.parametrize(("facts", "badge", "sentence"), HURDLES.values(), ids=HURDLES)
def test_a_hurdle_stands_on_list_order_and_ship_page(
    world: Any, facts: Any, badge: str, sentence: str
) -> None:
    client, order = member(world), world.order(**facts)
    assert badge in page(client.get("/?tab=all"))
    for path in ("", "ship/"):
        shown = page(client.get(f"/orders/{order.order_id}/{path}"))
        assert badge in shown
        assert sentence in shown
        assert shown.count("现在再读一次") >= 1


def test_a_sku_change_is_a_hurdle(world: Any) -> None:
    client, order = member(world), world.order()
    world.remote.happen(order.order_id, "ask_new_sku")
    client.post(f"/orders/{order.order_id}/read/")
    run_tasks()
    assert "换规格待处理" in page(client.get("/"))
    assert "换规格" in page(client.get(f"/orders/{order.order_id}/ship/"))


def test_an_ordinary_order_has_none(world: Any) -> None:
    client, order = member(world), world.order()
    assert "现在再读一次" not in page(client.get("/"))
    assert "现在再读一次" not in page(client.get(f"/orders/{order.order_id}/ship/"))


def test_a_shipped_order_shows_only_what_is_pending(world: Any) -> None:
    client = member(world)
    Merchant.objects.update(has_return_address=False)
    order = world.order(status=30, aftersale_detail=AFTERSALE)
    shown = page(client.get(f"/orders/{order.order_id}/"))
    assert "售后中" in shown
    assert "没有退货地址" not in shown


def test_reading_again_is_followed_until_it_has_ended(world: Any) -> None:
    client, order = member(world), world.order(aftersale_detail=AFTERSALE)
    world.remote.happen(order.order_id, "aftersale_over")
    path = f"/orders/{order.order_id}"
    asked = page(client.post(f"{path}/read/", headers={"HX-Request": "true"}))
    assert 'id="preflight"' in asked
    assert "正在向微信读取" in asked
    assert "every 1s" in asked
    seen = asked.split("?seen=")[1].split('"')[0]
    assert client.get(f"{path}/preflight/?seen={seen}").status_code == 204
    run_tasks()
    answer = client.get(f"{path}/preflight/?seen={seen}")
    assert "order-changed" in answer.headers["HX-Trigger-After-Swap"]
    assert "售后" not in page(answer)
    assert "every 5s" in page(answer)


def test_without_javascript_it_leads_back_to_where_it_was_asked(world: Any) -> None:
    client, order = member(world), world.order(aftersale_detail=AFTERSALE)
    path = f"/orders/{order.order_id}/"
    assert client.post(f"{path}read/", {"back": f"{path}ship/"}).url == f"{path}ship/"
    for bad in ("https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example"):
        assert client.post(f"{path}read/", {"back": bad}).url == path
    assert "正在向微信读取" in page(client.get(f"{path}ship/"))
    assert "正在读取" in page(client.get("/"))


def test_a_read_that_was_refused_says_why_and_who_acts(world: Any) -> None:
    client, order = member(world), world.order(aftersale_detail=AFTERSALE)
    world.remote.fault("code", call="order/get", errcode=48001)
    client.post(f"/orders/{order.order_id}/read/")
    run_tasks()
    shown = page(client.get(f"/orders/{order.order_id}/"))
    assert "没有读成" in shown
    assert "自动再读" not in shown
    Reading.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    assert "自动再读" in page(client.get(f"/orders/{order.order_id}/"))


def test_a_missing_return_address_is_read_again(world: Any) -> None:
    client, order = member(world), world.order()
    Merchant.objects.update(has_return_address=False)
    pause_merchant(merchant=world.merchant, errcode=606003)
    assert "没有退货地址" in page(client.get("/"))
    client.post(f"/orders/{order.order_id}/read/")
    run_tasks()
    assert "没有退货地址" not in page(client.get("/"))
    assert not Pause.objects.filter(ended_at=None).exists(), "the address is there: that pause is over"


@pytest.mark.parametrize(("errcode", "is_over"), [(40164, True), (48001, False)])
def test_a_pause_ends_only_by_what_a_read_can_show(world: Any, errcode: int, is_over: bool) -> None:
    client, order = member(world), world.order()
    pause_merchant(merchant=world.merchant, errcode=errcode)
    assert "店铺暂停发货" in page(client.get("/"))
    assert "暂停" in page(client.get(f"/orders/{order.order_id}/ship/"))
    client.post(f"/orders/{order.order_id}/read/")
    run_tasks()
    assert Pause.objects.get().ended_at is not None if is_over else Pause.objects.get().ended_at is None
    assert ("店铺暂停发货" not in page(client.get("/"))) is is_over


def test_an_event_alone_ends_no_pause(world: Any) -> None:
    from shipping.hints import take

    order = world.order()
    pause_merchant(merchant=world.merchant, errcode=40164)
    take(world.merchant, order.order_id, "channels_ec_order_pay", None, timezone.now())
    run_tasks()
    assert Pause.objects.get().ended_at is None


def test_the_list_s_poll_brings_the_rows_that_changed(world: Any) -> None:
    client, order, other = member(world), world.order(), world.order()
    Order.objects.update(read_at=timezone.now() - timedelta(hours=1))
    since = timezone.now().isoformat()
    asked = {"shown": f"{order.pk}-{other.pk}-x", "since": since}
    assert "hx-swap-oob" not in page(client.get("/counts/", asked))
    world.remote.happen(order.order_id, "ask_new_address")
    client.post(f"/orders/{order.order_id}/read/")
    waiting = page(client.get("/counts/", asked))
    assert f'id="flags-{order.pk}"' in waiting
    assert "every 2s" in waiting
    run_tasks()
    shown = page(client.get("/counts/", asked))
    assert f'id="flags-{order.pk}" hx-swap-oob="true"' in shown
    assert "改地址待处理" in shown
    assert f'id="flags-{other.pk}"' not in shown


def test_the_poll_shows_nobody_elses_rows(world: Any, django_user_model: Any) -> None:
    from django.test import Client

    stranger, order = Client(), world.order()
    stranger.force_login(django_user_model.objects.create_user("stranger"))
    asked = {"shown": str(order.pk), "since": (timezone.now() - timedelta(hours=1)).isoformat()}
    assert order.order_id not in page(stranger.get("/counts/", asked))


def test_a_list_costs_no_more_queries_for_more_rows(world: Any) -> None:
    client = member(world)
    world.order(aftersale_detail=AFTERSALE)
    client.get("/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get("/")
        counts.append(len(few))
        for _ in range(6):
            world.order(aftersale_detail=AFTERSALE)
    assert counts[0] == counts[1]


def test_a_stopped_form_says_it_once(world: Any) -> None:
    client, order = member(world), world.order(address_under_review={"user_name": "林**"})
    shown = page(client.get(f"/orders/{order.order_id}/ship/"))
    assert shown.count("买家申请改收货地址，请先同意") == 2, "the sentence, and the badge's title"
    assert not order.packages.exclude(status=states.DRAFT).exists()
