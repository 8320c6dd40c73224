"""Two people on one order: a warning, never a lock; what a colleague queued is shown with what is left."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sandbox import build
from shipping.models import Package, Visit
from tests.pages.people import colleague
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


def poll_of(html: str) -> str:
    return unescape(html.split('id="presence" hx-get="')[1].split('"')[0])


def test_who_else_has_the_order_open_and_since_when_is_told(world: Any) -> None:
    client, other, order = member(world), colleague(world, "xiaowang"), world.order()
    url = f"/orders/{order.order_id}/ship/"
    first = page(client.get(url))
    assert "也开着这个订单" not in first
    since = timezone.localtime(Visit.objects.get().opened_at)
    assert f"staff 从 {since:%H:%M} 起也开着这个订单" in page(other.get(url))
    assert "xiaowang 从" in page(client.get(poll_of(first)))
    Visit.objects.filter(user__username="xiaowang").update(seen_at=timezone.now() - timedelta(seconds=60))
    assert "也开着这个订单" not in page(client.get(poll_of(first)))
    # It warns and never locks.
    assert other.post(url, fields(order)).status_code == 302


def test_what_a_colleague_queued_meanwhile_is_shown_with_what_is_left(world: Any) -> None:
    client, other = member(world), colleague(world, "xiaowang")
    order = world.order([build.line("1001", "2001", 3, title="玻璃杯")])
    url = f"/orders/{order.order_id}/ship/"
    html = page(client.get(url))
    typed = fields(order, "SF3100000000002", form_key="mine", **{"p0-cnt-0": "3"})
    since = unescape(html.split('name="since" value="')[1].split('"')[0])
    client.post(url, {**typed, "preview": "1", "since": since})
    other.post(url, fields(order, **{"p0-cnt-0": "2"}))
    told = page(client.get(poll_of(html)))
    for words in ("xiaowang 刚提交了", "SF3100000000001", "玻璃杯", "×2", "现在还剩 1 件没有发"):
        assert words in told
    # Also on the page that a rule stopped.
    stopped = page(client.post(url, {**typed, "since": since}))
    assert "xiaowang 刚提交了" in stopped
    assert Package.objects.count() == 1
    # Opened again with what is left, and with what was typed.
    link = unescape(told.split('<a href="')[1].split('"')[0])
    again = page(client.get(link))
    assert "SF3100000000002" in again
    assert 'name="p0-cnt-0" inputmode="numeric" value="1"' in again
    assert client.post(url, {**typed, "p0-cnt-0": "1"}).status_code == 302


def test_ones_own_packages_are_no_news_and_a_poll_needs_a_session(world: Any) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 3)])
    url = f"/orders/{order.order_id}/ship/"
    html = page(client.get(url))
    client.post(url, fields(order))
    assert "刚提交了" not in page(client.get(poll_of(html)))
    answer = Client().get(poll_of(html), headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (401, b"")
