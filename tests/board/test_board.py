"""The managers' board: its figures are those of its links, its stores one's own, its forecast in words."""

import gzip
import random
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from merchants.models import Merchant, User
from merchants.services import pause_merchant, set_membership
from shipping import board, figures
from shipping.models import BoardVisit, Package
from shipping.services import note_corrected
from tests.board.made import NOON, again, in_trouble, moments, order, package
from tests.pages.test_desk import page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
LINK = re.compile(r'href="(/history/\?[^"]+)">([\d,.]+)</a>')


@pytest.mark.parametrize(
    ("period", "appid"), [("7d", ""), pytest.param("today", "wx1", marks=pytest.mark.long)]
)
def test_every_mark_leads_to_as_many_packages_as_it_says(
    manager: Client, stores: list[Merchant], period: str, appid: str
) -> None:
    dice, people = random.Random(4), [User.objects.get()]
    for at in moments(dice, NOON - timedelta(days=2), NOON, 60):
        package(dice.choice(stores), at, dice, people)
    for store in stores:
        figures.count_on(store.pk, float("inf"))
    html = page(manager.get(f"/board/?period={period}&merchant={appid}"))
    links = [(unescape(url), text) for url, text in LINK.findall(html) if "." not in text]
    assert len(links) > 20
    for url, text in links:
        assert page(manager.get(url)).count('<td class="text-nowrap">') == int(text), url


def test_what_is_due_what_left_and_when_it_will_be_over(
    manager: Client, stores: list[Merchant], at_noon: Any
) -> None:
    for _ in range(12):
        order(stores[0])
    order(stores[0], due=-timedelta(hours=3))
    order(stores[0], due=timedelta(hours=13))
    gone = [order(stores[0], status=30) for _ in range(4)]
    race = board.races(stores[:1])[0]
    assert (race.due, race.left, race.late, race.pace, race.state) == (17, 13, 1, 0, "still")
    assert "一小时内没有发出" in page(manager.get("/board/"))
    for each in gone:
        in_trouble(each, "shipped", timedelta(minutes=30))
    race = board.races(stores[:1])[0]
    assert (race.shipped, race.pace, race.state) == (4, 4, "in_time")
    assert race.ends_at == NOON + timedelta(hours=13) / 4
    html = page(manager.get("/board/"))
    assert "15:15" in html
    assert "来得及" in html
    for hour, word in ((20, "很紧"), (21, "24:00 前发不完")):
        at_noon.move_to(NOON.replace(hour=hour, minute=30))
        Package.objects.update(status_at=timezone.now() - timedelta(minutes=30))
        assert word in page(again(manager).get("/board/now/")), hour
    assert page(manager.get("/?tab=today&merchant=wx0")).count("data-act") == 13


def test_what_needs_a_person_comes_oldest_first_with_the_money_it_ties_up(
    manager: Client, stores: list[Merchant]
) -> None:
    first = order(stores[0], order_price=12_345_600, due=timedelta(hours=5))
    in_trouble(first, "rejected", timedelta(hours=3), errcode=606005)
    second = order(stores[1], order_price=100, due=-timedelta(hours=1))
    conflict = in_trouble(second, "conflict", timedelta(hours=2))
    for foreign in (order(stores[2], order_price=7), order(stores[0], status=30, order_price=7)):
        in_trouble(foreign, "rejected", timedelta(hours=9))
    put_right = in_trouble(order(stores[0], order_price=7), "rejected", timedelta(hours=9))
    note_corrected([put_right.shipment])
    in_trouble(order(stores[0], order_price=7), "unknown", timedelta(hours=9))
    html = page(manager.get("/board/"))
    shown = re.findall(r'data-act href="/orders/(\d+)/"', html)
    assert shown == [first.order_id, conflict.order.order_id]
    assert "¥123,457" in html
    assert "剩 5 小时" in html
    assert "已超时" in html


def test_what_went_wrong_is_told_since_the_visit_before(
    manager: Client, stores: list[Merchant], at_noon: Any
) -> None:
    in_trouble(order(stores[0]), "rejected", timedelta(hours=30))
    in_trouble(order(stores[0]), "rejected", timedelta(hours=3))
    in_trouble(order(stores[2]), "rejected", timedelta(hours=3))
    html = page(manager.get("/board/"))
    assert "过去 24 小时" in html
    assert "发货失败 1<" in html
    at_noon.shift(timedelta(minutes=10))
    assert "过去 24 小时" in page(manager.get("/board/"))
    at_noon.shift(timedelta(hours=4))
    in_trouble(order(stores[1]), "unknown", timedelta(minutes=1))
    pause_merchant(merchant=stores[1], errcode=48001)
    # A poll is no visit.
    assert "12:10 上次来看以后" not in page(again(manager).get("/board/now/"))
    html = page(manager.get("/board/"))
    assert "12:10 上次来看以后" in html
    assert "发货失败" not in html.partition("上次来看以后")[2].partition("</div>")[0]
    assert "结果待核对 1<" in html
    assert "店1 停下来" in html
    at_noon.shift(timedelta(minutes=20))
    assert "12:10 上次来看以后" in page(manager.get("/board/"))
    assert BoardVisit.objects.count() == 1


def test_the_board_is_of_the_stores_one_manages(manager: Client, stores: list[Merchant]) -> None:
    html = page(manager.get("/board/"))
    assert "店0" in html
    assert "店2" not in html
    assert (
        "店0" not in page(manager.get("/board/?merchant=wx1")).partition("<main")[2].partition("</table>")[2]
    )
    for store in stores:
        in_trouble(order(store), "shipped", timedelta(minutes=5))
    assert 'class="tile panel"' in html
    assert "<b>0</b>" in page(manager.get("/board/?merchant=wx2"))
    clerk = User.objects.create_user("clerk", password="x")
    set_membership(user=clerk, merchant=stores[0], role="staff")
    client = Client()
    client.force_login(clerk)
    assert client.get("/board/").status_code == 404


def test_what_a_mark_leads_to_can_be_exported(manager: Client) -> None:
    asked = {"purpose": "send", "first": "1", "took": "0-60", "since": "2026-03-06T09:00"}
    assert manager.post("/exports/create/", {"kind": "csv", **asked}).url == "/exports/"
    html = page(manager.get("/exports/"))
    for text in asked.values():
        assert f" {text}" in html, text


def test_the_first_look_at_the_board_is_light(manager: Client) -> None:
    """Of what a browser loads for the page, compressed."""
    html = page(manager.get("/board/?period=30d"))
    files = [found.partition("?")[0] for found in re.findall(r'(?:src|href)="/static/([^"]+)"', html)]
    assert "vendor/chartist/chartist.umd.js" in files
    content = [html.encode(), *(Path(str(finders.find(file))).read_bytes() for file in files)]
    assert sum(len(gzip.compress(each)) for each in content) < 200_000
    assert "chartist" not in page(manager.get("/"))


def test_an_empty_board_and_nonsense_in_its_address_are_no_error(manager: Client) -> None:
    for query in ("", "period=x", "merchant=%00", "period=30d&merchant=nobody"):
        assert manager.get(f"/board/?{query}").status_code == 200, query
