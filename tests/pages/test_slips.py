"""Packing slips: what is asked for is printed as a whole or not at all, and the paper says what to pack."""

import base64
import re
from datetime import timedelta
from typing import Any

import pytest
from barcode.charsets.code128 import CODES
from django.contrib.messages import get_messages
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from merchants.models import User
from merchants.services import add_merchant
from sandbox import build
from shipping.barcodes import code128_svg
from shipping.models import Order, Printing
from shipping.services import hold_order
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


def ask(client: Client, orders: list[Any], **more: str) -> Any:
    ids = [order if isinstance(order, str) else order.order_id for order in orders]
    return client.post("/slips/", {"paper": "100x150", "order": ids, **more})


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def slips_of(client: Client, *orders: Any) -> str:
    return page(client.get(ask(client, list(orders)).url))


def stranger_order() -> Order:
    other = add_merchant(appid="wx00000000000000bb", name="别家店", secret="s3cret-" + "b" * 25)
    return Order.objects.create(merchant=other, order_id="3700000000000000099", status=20)


def test_chosen_orders_become_one_job_and_the_printing_is_kept(world: Any) -> None:
    client, orders = member(world), [world.order(), world.order()]
    answer = ask(client, orders, paper="a4")
    assert answer.status_code == 303
    shown = page(client.get(answer.url))
    assert [f'id="slip-{order.order_id}"' in shown for order in orders] == [True, True]
    assert "slips-a4.css" in shown
    kept = Printing.objects.order_by("pk")
    assert [(p.order, p.by.username, p.paper) for p in kept] == [(o, "staff", "a4") for o in orders]
    assert kept[0].noted["address_hash"] == orders[0].address_hash


def test_a_reload_prints_the_same_and_notes_nothing(world: Any) -> None:
    client, order = member(world), world.order()
    address = ask(client, [order]).url
    assert [client.get(address).status_code for _ in range(3)] == [200, 200, 200]
    assert Printing.objects.count() == 1


def test_who_printed_and_when_shows_on_paper_order_and_list(world: Any) -> None:
    client, order = member(world), world.order()
    User.objects.filter(username="staff").update(display_name="小王")
    shown = slips_of(client, order)
    when = f"{timezone.localtime(Printing.objects.get().at):%m-%d %H:%M} · 小王"
    assert f"打印于 {when}" in shown
    assert "第 2 次" not in shown
    assert f"<dt>已打印</dt><dd>{when}</dd>" in page(client.get(f"/orders/{order.order_id}/"))
    assert f'title="{when}">已打印' in page(client.get("/"))
    assert "第 2 次" in slips_of(client, order)


@pytest.mark.parametrize("wrong", ["foreign", "unknown"])
def test_one_order_that_is_not_ours_refuses_the_whole_job(world: Any, wrong: str) -> None:
    client, order = member(world), world.order()
    bad = stranger_order().order_id if wrong == "foreign" else "3700000000000000001"
    assert ask(client, [order, bad]).status_code == 404
    assert client.get("/slips/", {"paper": "a4", "order": [order.order_id, bad]}).status_code == 404
    assert not Printing.objects.exists()


def test_two_hundred_go_and_one_more_is_refused_with_a_sentence(world: Any) -> None:
    client = member(world)
    many = [Order(merchant=world.merchant, order_id=f"37{n:017d}", status=20) for n in range(201)]
    Order.objects.bulk_create(many)
    refused = ask(client, many, back="/?tab=all")
    assert (refused.status_code, refused.url) == (302, "/?tab=all")
    assert "一次最多打印 200 个订单，您选了 201 个" in said(refused)
    assert not Printing.objects.exists()
    answer = ask(client, many[:200])
    assert answer.status_code == 303
    # What the line "GET address HTTP/1.1" may hold, see management/commands/serve.py.
    assert len(answer.url) < 8000
    assert page(client.get(answer.url)).count('<article class="slip"') == 200


def test_a_job_without_orders_or_with_a_strange_paper_is_refused(world: Any) -> None:
    client, order = member(world), world.order()
    assert "请先勾选" in said(ask(client, []))
    assert "没有这种纸张" in said(ask(client, [order], paper="../a3"))
    assert not Printing.objects.exists()


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", ""])
def test_the_way_back_never_leads_elsewhere(world: Any, back: str) -> None:
    client, order = member(world), world.order()
    assert QueryDict(ask(client, [order], back=back).url.partition("?")[2])["back"] == "/"
    assert ask(client, [], back=back).url == "/"


def test_the_paper_printed_on_last_is_offered_first(world: Any) -> None:
    client, order = member(world), world.order()
    assert '<option value="100x150" selected>' in page(client.get("/"))
    client.get(ask(client, [order], paper="a4").url)
    assert '<option value="a4" selected>' in page(client.get("/"))
    assert 'name="paper" value="a4"' in page(client.get(f"/orders/{order.order_id}/"))


def test_a_held_order_prints_and_says_that_it_must_not_leave(world: Any) -> None:
    client, order = member(world), world.order()
    hold_order(order=order, user=None, reason="等补货", until=timezone.now() + timedelta(hours=3))
    assert '<p class="slip-stop">暂不发货：等补货' in slips_of(client, order)


def test_an_order_that_waits_for_no_parcel_says_what_it_is(world: Any) -> None:
    client, order = member(world), world.order(status=200)
    assert '<p class="slip-stop">已退款</p>' in slips_of(client, order)


def test_an_aftersale_stands_in_a_black_box(world: Any) -> None:
    aftersale = {"aftersale_order_list": [{"aftersale_order_id": "1"}], "on_aftersale_order_cnt": 1}
    client, order = member(world), world.order(aftersale_detail=aftersale)
    assert '<span class="slip-red">售后中</span>' in slips_of(client, order)


def test_a_slip_shows_notes_goods_codes_and_what_is_left(world: Any, pump: Any) -> None:
    red = {"sku_attrs": [{"attr_key": "颜色", "attr_value": "朱红"}], "sku_code": "MS-01-RD"}
    lines = [build.line("1001", "2001", 3, **red), build.line("1001", "2001", 2)]
    client = member(world)
    order = world.order(lines, customer_notes="不要放驿站", merchant_notes="多放一张卡")
    assert "共 5 件" in slips_of(client, order)
    client.post(f"/orders/{order.order_id}/ship/", fields(order, **{"p0-cnt-0": "4"}))
    pump()
    shown = slips_of(client, order)
    for words in ("测试店", "林**", "海珠区", "不要放驿站", "多放一张卡", "朱红", "MS-01-RD"):
        assert words in shown
    assert re.findall(r"<s>×(\d)</s><br>剩 (\d)", shown) == [("3", "0"), ("2", "1")]
    assert "共 1 件" in shown
    assert "下单 5 件" in shown


def test_a_gift_is_marked_below_the_goods_it_comes_with(world: Any) -> None:
    main = {"main_product_list": [{"product_id": "1001"}]}
    gift = build.line("1009", "2009", 1, title="赠品袋", is_free_gift=1, free_gift_info=main)
    lines = [build.line("1001", "2001", 1, title="主品"), build.line("1002", "2002", 1, title="另一件"), gift]
    client, order = member(world), world.order(lines)
    shown = slips_of(client, order)
    titles = re.findall(r"(主品|另一件|赠品</b> 赠品袋)</div>", shown)
    assert titles == ["主品", "赠品</b> 赠品袋", "另一件"]
    assert shown.count('<tr class="gift">') == 1


def test_the_list_prints_without_javascript_and_holds_no_form_in_a_form(world: Any) -> None:
    client, order = member(world), world.order()
    shown = page(client.get("/"))
    form = re.search(r'<form method="post" action="/slips/">.*?</form>', shown, re.S)
    assert form
    assert form[0].count("<form") == 1
    assert f'name="order" value="{order.order_id}"' in form[0]
    assert f'aria-label="选择订单 {order.order_id}"' in form[0]


# --- the barcode --------------------------------------------------------------------------------------

START_B, START_C, TO_B, TO_C = 104, 105, 100, 99


def scan(svg: bytes) -> str:
    """Reads a Code 128 picture as a scanner would: bars and gaps, symbols, the check symbol, the text."""
    bars = re.findall(rb'<rect x="([\d.]+)mm" y="[\d.]+mm" width="([\d.]+)mm"', svg)
    edges = [(round(float(x) / 0.375), round(float(width) / 0.375)) for x, width in bars]
    modules = "".join(
        "1" * width + "0" * (after - at - width)
        for (at, width), (after, _) in zip(edges, [*edges[1:], (edges[-1][0] + edges[-1][1], 0)], strict=True)
    )
    assert modules.endswith("1100011101011")  # the stop symbol
    *symbols, check = [CODES.index(modules[at : at + 11]) for at in range(0, len(modules) - 13, 11)]
    assert check == (symbols[0] + sum(n * symbol for n, symbol in enumerate(symbols))) % 103
    return _text(symbols)


def _text(symbols: list[int]) -> str:
    text, code = "", symbols[0]
    for symbol in symbols[1:]:
        if symbol in (TO_B, TO_C) and (code == START_B or symbol == TO_B):
            code = START_B if symbol == TO_B else START_C
        else:
            text += f"{symbol:02d}" if code == START_C else chr(symbol + 32)
    return text


@pytest.mark.parametrize("order_id", ["3727450396614893740", "37274503966148937", "42", "7", "30" * 16])
def test_a_scanner_reads_the_order_id(order_id: str) -> None:
    assert scan(code128_svg(order_id)) == order_id


def test_the_barcode_on_the_page_is_the_orders(world: Any) -> None:
    client, order = member(world), world.order()
    found = re.search('src="data:image/svg\\+xml;base64,([^"]+)"', slips_of(client, order))
    assert found
    assert scan(base64.b64decode(found[1])) == order.order_id
