"""The order list: tabs, filters in the URL, the search, paging, kinds, one's own trouble."""

import os
import time
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from merchants.models import User
from sandbox import build
from shipping import lists
from shipping.models import Order, Package
from shipping.services import hold_order
from tests.pages.people import OTHER_APPID, changed, moved, order_at, second_store
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


def shown(client: Any, url: str, orders: dict[str, Any]) -> set[str]:
    """The names of those orders whose row the page holds."""
    html = page(client.get(url))
    return {name for name, order in orders.items() if f'href="/orders/{order.order_id}/"' in html}


def test_each_tab_holds_its_orders_and_counts_them(world: Any, pump: Any) -> None:
    client = member(world)
    soon = build.line("1001", "2001", 1, delivery_deadline=int(time.time()) + 3600)
    orders = {
        "plain": world.order(),
        "partly": world.order(status=21),
        "soon": world.order([soon]),
        "held": world.order(),
        "gift": world.order(status=12, is_present=True),
        "group": world.order(status=13),
        "shipped": world.order(),
        "refused": world.order(),
    }
    hold_order(order=orders["held"], user=None, reason="缺货")
    world.remote.fault("code", errcode=606005, order_id=orders["refused"].order_id)
    client.post(f"/orders/{orders['shipped'].order_id}/ship/", fields(orders["shipped"]))
    refused = fields(orders["refused"], "SF3100000000002", form_key="key-2")
    client.post(f"/orders/{orders['refused'].order_id}/ship/", refused)
    pump()
    changed(world, orders["shipped"], {"aftersale_detail": {"on_aftersale_order_cnt": 1}})
    wanted = {
        "todo": {"plain", "partly", "soon", "refused"},
        "partly": {"partly"},
        "due": {"soon"},
        "held": {"held", "gift", "group"},
        "trouble": {"refused"},
        "mine": {"refused"},
        "intercept": {"shipped"},
        "shipped": {"shipped"},
        "all": set(orders),
    }
    for tab, names in wanted.items():
        assert shown(client, f"/?tab={tab}", orders) == names, tab
    counts = lists.tab_counts(User.objects.get(), {})
    assert {tab: counts[tab] for tab in (*lists.COUNTED_TABS, "trouble")} == {
        "todo": 4, "partly": 1, "due": 1, "held": 3, "trouble": 1, "intercept": 1
    }  # fmt: skip
    assert counts["today"] == 1
    held = page(client.get("/?tab=held"))
    for words in ("暂不发货：缺货", "等收礼的人领取后才能发", "等拼团成团后才能发"):
        assert words in held


def test_an_order_to_intercept_is_ticked_off_by_whoever_found_the_parcel(world: Any, pump: Any) -> None:
    client, order, quick = member(world), world.order(), world.order()
    for number, each in enumerate((order, quick)):
        typed = fields(each, f"SF310000000000{number}", form_key=f"key-{number}")
        client.post(f"/orders/{each.order_id}/ship/", typed)
    pump()
    moved(world, order)
    # Asked for and paid back between two reads: the parcel should be caught all the same.
    lines = [build.line("10000001", "20000001", 1, finish_aftersale_sku_cnt=1)]
    changed(world, quick, {"order_detail": {"product_infos": lines}})
    assert shown(client, "/?tab=intercept", {"a": order, "b": quick}) == {"a", "b"}
    client.post(f"/orders/{order.order_id}/intercepted/")
    assert shown(client, "/?tab=intercept", {"a": order, "b": quick}) == {"b"}
    detail = page(client.get(f"/orders/{order.order_id}/"))
    assert "勾掉待拦截" in detail
    moved(world, order, "h-newer")
    assert shown(client, "/?tab=intercept", {"a": order, "b": quick}) == {"a", "b"}
    Package.objects.update(status_at=timezone.now() - timedelta(hours=49))
    assert shown(client, "/?tab=intercept", {"a": order, "b": quick}) == set()


def test_the_filters_stand_in_the_url_and_a_poll_changes_nothing(world: Any) -> None:
    client = member(world)
    other = second_store(world, "staff")
    orders = {"here": world.order(), "there": order_at(world, other)}
    one, two = f"/?merchant={world.merchant.appid}", f"/?merchant={OTHER_APPID}"
    assert shown(client, one, orders) == {"here"}
    first = page(client.get(one))
    assert shown(client, two, orders) == {"there"}
    # The first window still stands on its own store: its tabs, its poll and its way back name it.
    assert f"merchant={world.merchant.appid}" in first.split('id="counts"')[1].split(">")[0]
    assert f"?tab=due&amp;merchant={world.merchant.appid}" in first
    expires = client.session.get_expiry_date()
    kept = dict(client.session)
    poll = page(
        client.get(f"/counts/?tab=todo&merchant={world.merchant.appid}", headers={"HX-Request": "true"})
    )
    assert f"?tab=due&amp;merchant={world.merchant.appid}" in poll
    assert dict(client.session) == kept
    assert abs((client.session.get_expiry_date() - expires).total_seconds()) < 5
    # A visit without a word about the store opens the one picked last.
    assert shown(client, "/?tab=all", orders) == {"there"}
    assert shown(client, "/?tab=all&merchant=", orders) == {"here", "there"}
    assert shown(client, "/?kind=subsidy", orders) == set()


def test_the_search_finds_by_every_sign_of_an_order(world: Any, pump: Any) -> None:
    client = member(world)
    lipstick = build.line("77001", "2001", 1, title="口红 哑光", sku_code="KH-01")
    order = world.order([lipstick], address_info=build.address(phone="138****4321"))
    other = world.order([build.line("88001", "2001", 1, title="面膜", sku_code="MM-01")])
    client.post(f"/orders/{order.order_id}/ship/", fields(order, "SF3100000000777"))
    pump()
    for typed in (
        order.order_id,
        "SF3100000000777",
        "sf31000000007",
        "口红",
        "口",
        "KH-01",
        "kh-0",
        "4321",
        "77001",
    ):
        answer = client.get("/search/", {"q": typed})
        assert (answer.status_code, getattr(answer, "url", "")) == (302, f"/orders/{order.order_id}/"), typed
    both = page(client.get("/search/", {"q": order.order_id[:4]}))
    assert order.order_id in both
    assert other.order_id in both
    assert "没有找到" in page(client.get("/search/", {"q": "不存在的商品"}))


def test_the_search_says_when_it_shows_only_the_newest(world: Any, monkeypatch: Any) -> None:
    client = member(world)
    made = [Order(merchant=world.merchant, order_id=f"990000000000000000{n}", status=20) for n in range(5)]
    Order.objects.bulk_create(made)
    monkeypatch.setattr("shipping.views.lists.PAGE", 3)
    html = page(client.get("/search/", {"q": "9900"}))
    assert "9900000000000000004" in html
    assert "9900000000000000000" not in html
    assert "最新的 3 个" in html


def test_pages_follow_each_other_without_a_gap(world: Any, monkeypatch: Any) -> None:
    client = member(world)
    same = timezone.now() + timedelta(hours=5)
    made = [
        Order(merchant=world.merchant, order_id=f"371000000000000000{n}", status=20, deadline_at=deadline)
        for n, deadline in enumerate([same] * 5 + [None] * 3)
    ]
    Order.objects.bulk_create(made)
    monkeypatch.setattr("shipping.views.lists.PAGE", 3)
    for tab in ("todo", "all"):
        url, seen = f"/?tab={tab}", []
        while url:
            html = page(client.get(url))
            seen += [order.order_id for order in made if f'href="/orders/{order.order_id}/"' in html]
            link = html.rpartition('<a class="btn" href="')[2].split('"')[0]
            url = f"/{unescape(link)}" if "after=" in link else ""
            if len(seen) == 3:
                # One that comes first by now does not push another over the edge.
                early = timezone.now() + timedelta(hours=1)
                Order.objects.create(
                    merchant=world.merchant, order_id=f"3{tab}", status=20, deadline_at=early
                )
        assert sorted(seen) == sorted(order.order_id for order in made), tab


def test_kinds_say_what_is_special_and_gifts_stand_under_their_goods(world: Any) -> None:
    client = member(world)
    gift = {"is_free_gift": 1, "free_gift_info": {"main_product_list": [{"product_id": "1001"}]}}
    lines = [
        build.line("9009", "2009", 1, title="赠品袜子", **gift),
        build.line("1002", "2002", 1, title="乙"),
        build.line("1001", "2001", 1, title="甲"),
    ]
    order = world.order(lines)
    html = page(client.get("/"))
    assert html.index(">甲<") < html.index("赠品袜子")
    assert html.index(">乙<") < html.index(">甲<")
    Order.objects.filter(pk=order.pk).update(is_dropship=True)
    assert "供货商" in page(client.get("/"))
    Order.objects.filter(pk=order.pk).update(is_dropship=False, is_intra_city=True)
    assert "同城" in page(client.get("/?kind=city"))
    Order.objects.filter(pk=order.pk).update(is_presale=True, deadline_at=timezone.now() + timedelta(days=13))
    presale = page(client.get("/?kind=presale"))
    assert "预售" in presale
    assert "剩 12 天" in presale or "剩 13 天" in presale


def test_ones_own_trouble_is_counted_across_stores_and_announced_once(world: Any, pump: Any) -> None:
    client = member(world)
    other = second_store(world, "staff")
    there = order_at(world, other)
    client.get("/")
    world.remote.fault("code", errcode=606005, order_id=there.order_id)
    client.post(f"/orders/{there.order_id}/ship/", fields(there))
    pump()
    # Whoever goes from page to page faster than the poll is told by the next page.
    html = page(client.get(f"/?merchant={world.merchant.appid}"))
    assert "toast-note" in html
    assert there.order_id not in html.replace(f'href="/orders/{there.order_id}/"', "").split("<table")[-1]
    link = unescape(html.split('id="my-trouble"')[1].split('<a href="')[1].split('"')[0])
    assert there.order_id in page(client.get(link))
    assert "toast-note" not in page(client.get("/"))
    # Going there did not change which store was picked.
    assert client.session["merchant"] == world.merchant.appid
    mark = html.split("/trouble/?seen=")[1].split('"')[0]
    assert "toast-note" not in page(client.get(f"/trouble/?seen={mark}"))
    assert "toast-note" in page(client.get("/trouble/?seen=1"))


ODD = (
    "²",
    "9" * 40,
    "2026-13-45",
    "2026-01-01T99:99",
    "2026-01-01T10:00_5",
    "-1",
    "\x00",
    "１２",
    "_",
    "' OR 1=1",
)


def test_an_odd_url_breaks_no_page(world: Any) -> None:
    client, order = member(world, "manager"), world.order()
    names = ("after", "merchant", "kind", "tab", "q", "reading", "seen", "since", "until", "before", "code",
             "status", "person", "fix", "from", "left")  # fmt: skip
    ship = f"/orders/{order.order_id}/ship/"
    paths = (
        "/",
        "/counts/",
        "/search/",
        "/trouble/",
        "/history/",
        "/errors/",
        ship,
        f"/orders/{order.order_id}/presence/",
    )
    # Everyday every third of them; all by LONG=1.
    for odd in ODD if os.environ.get("LONG") else ODD[::3]:
        for path in paths:
            assert client.get(path, dict.fromkeys(names, odd)).status_code in (200, 302), (path, odd)
        for tab in ("all", "todo"):
            assert client.get("/", {"tab": tab, "after": odd}).status_code == 200, odd
        typed = fields(order, cards=odd, form_key=odd * 9, fix=odd, since=odd)
        assert client.post(ship, typed).status_code in (200, 302), odd
        held = client.post(f"/orders/{order.order_id}/hold/", {"reason": "x", "until": odd})
        assert held.status_code in (200, 302), odd
    assert client.get("/orders/1%002/").status_code == 404


def test_a_page_and_a_search_ask_the_database_little(
    world: Any, django_assert_max_num_queries: Any, pump: Any
) -> None:
    """However many stores, orders and statuses: each question of a page is one statement."""
    client = member(world, "manager")
    other = second_store(world, "manager")
    orders = [world.order(), world.order(status=21), order_at(world, other), world.order()]
    client.post(f"/orders/{orders[0].order_id}/ship/", fields(orders[0], "SF3100000000777"))
    world.remote.fault("code", errcode=606005, order_id=orders[1].order_id)
    client.post(f"/orders/{orders[1].order_id}/ship/", fields(orders[1], "SF3100000000778", form_key="k2"))
    pump()
    for tab in ("all", "todo", "held"):
        client.get(f"/?tab={tab}&merchant=")
        with django_assert_max_num_queries(18):
            client.get(f"/?tab={tab}&merchant=")
    with django_assert_max_num_queries(5):
        assert client.get("/search/?q=SF3100000000777").status_code == 302


def test_a_list_of_more_stores_than_one_statement_takes_is_whole(world: Any, monkeypatch: Any) -> None:
    client = member(world)
    orders = {"here": world.order(), "there": order_at(world, second_store(world, "staff"))}
    monkeypatch.setattr("shipping.unions.AT_ONCE", 1)
    for tab in ("todo", "all"):
        assert shown(client, f"/?tab={tab}&merchant=", orders) == {"here", "there"}
