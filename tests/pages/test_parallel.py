"""A double click, two tabs, two people: however many ask at the same instant, one parcel leaves (G16)."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from sandbox import build
from shipping.models import Attempt, Package
from tests.figures import Figure
from tests.pages.people import colleague
from tests.pages.test_desk import fields, member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
AT_ONCE = 20


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Every call in a thread of its own, begun at the same instant."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


def tab(client: Client) -> Client:
    """Another tab of the same browser: the same session."""
    other = Client()
    other.cookies = client.cookies
    return other


def test_twenty_equal_posts_are_one_call_and_all_are_shown_the_same_package(
    world: Any, pump: Any, figure: Figure
) -> None:
    client, order = member(world), world.order([build.line("1001", "2001", 5)])
    form, path = fields(order), f"/orders/{order.order_id}/ship/"
    answers = together([partial(tab(client).post, path, form) for _ in range(AT_ONCE)])
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer.url for answer in answers}) == 1
    pump()
    assert Package.objects.get().status == "shipped"
    assert (Attempt.objects.count(), len(world.sends(order))) == (1, 1)
    figure("G16", f"calls made of {AT_ONCE} equal posts at once", len(world.sends(order)))


def test_people_who_ship_the_same_goods_at_once_ship_them_once(world: Any, pump: Any, figure: Figure) -> None:
    order = world.order()
    path = f"/orders/{order.order_id}/ship/"
    people = [colleague(world, f"packer{number}") for number in range(6)]
    typed = [fields(order, f"SF310000000000{n}", form_key=f"k{n}") for n in range(len(people))]
    calls = [partial(one.post, path, form) for one, form in zip(people, typed, strict=True)]
    answers = together(calls)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [302]
    pump()
    assert len(world.sends(order)) == 1
    figure("G16", "calls made of 6 people shipping one piece at once", 1)
