"""Customer service: shipped orders are found, unknown ones read, and a sentence for the buyer is copied."""

from html import unescape
from typing import Any

import pytest

from sandbox import build
from shipping.models import Order, Parcel
from tests.conftest import APPID
from tests.pages.people import moved
from tests.pages.test_desk import fields, member, page, run_tasks

pytestmark = pytest.mark.django_db(transaction=True)


def reply(client: Any, order: Any) -> str:
    html = page(client.get(f"/orders/{order.order_id}/"))
    if 'id="reply"' not in html:
        return ""
    return unescape(html.split('id="reply"')[1].split(">")[1].split("<")[0])


def test_a_shipped_order_has_a_sentence_for_its_buyer_at_once(world: Any, pump: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 2)])
    assert reply(client, order) == ""
    two = {"cards": "2", "p1-deliver_type": "1", "p1-waybill_id": "75312345678901", "p1-delivery_id": "ZTO",
           "p1-cnt-0": "1"}  # fmt: skip
    client.post(f"/orders/{order.order_id}/ship/", fields(order, **two))
    assert reply(client, order) == "", "nothing is registered yet"
    pump()
    # Before and after the order is read again.
    before = reply(client, order)
    run_tasks()
    assert client.get("/search/", {"q": "SF3100000000001"}).url == f"/orders/{order.order_id}/"
    after = reply(client, order)
    for text in (before, after):
        for words in ("2 个包裹", "登记发货", "顺丰", "SF3100000000001", "中通", "75312345678901"):
            assert words in text
        assert not any(word in text for word in ("揽收", "运输", "在途", "派送", "签收", "送达"))
    Parcel.objects.update(delivered_at=None)
    Order.objects.filter(pk=order.pk).update(status=30)
    assert "已于  " not in reply(client, order)


def test_the_page_says_nothing_of_a_journey_that_we_do_not_know(world: Any, pump: Any) -> None:
    client, order = member(world), world.order()
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    run_tasks()
    moved(world, order)
    for url in (f"/orders/{order.order_id}/", "/?tab=shipped", "/search/?q=37"):
        html = page(client.get(url, follow=True))
        assert not any(word in html for word in ("已揽收", "运输中", "在途", "派送中", "已签收")), url


def test_an_order_not_found_here_is_read_by_one_button(world: Any) -> None:
    client = member(world)
    made = world.remote.order(APPID, [build.line("1001", "2001", 1)], status=30)
    number = made["order_id"]
    asked = page(client.get("/search/", {"q": "12345678901"}))
    assert "没有找到" in asked
    assert 'action="/orders/12345678901/read/"' in asked
    looking = client.post(f"/orders/{number}/read/")
    run_tasks()
    assert client.get(looking.url).url == f"/orders/{number}/"
    given_up = page(client.get("/search/", {"q": "12345678901", "reading": "10"}))
    assert "微信那边也没有读到" in given_up
