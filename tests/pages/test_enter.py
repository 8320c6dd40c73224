"""Orders of a store that nobody may read: entered on the page, shipped, in doubt, and read after all."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from merchants.services import resume_merchant
from sandbox import build
from shipping.models import Order, Package
from tests.conftest import APPID, SECRET
from tests.pages.test_desk import fields, member, page, run_tasks

pytestmark = pytest.mark.django_db(transaction=True)
GET = "order/get"
LINES = [build.line("1001", "2001", 2), build.line("1002", "2002", 1)]


@pytest.fixture
def unread(world: Any) -> str:
    """An order on the platform, which its store's account may not read."""
    world.remote.merchant(APPID, SECRET, denied=[GET, "order/list/get"])
    return str(world.remote.order(APPID, LINES)["order_id"])


def typed(order_id: str, *lines: tuple[str, ...], **more: str) -> dict[str, str]:
    names = ("product_id", "sku_id", "product_cnt", "title")
    goods = {
        f"l{n}-{name}": text for n, line in enumerate(lines) for name, text in zip(names, line, strict=True)
    }
    return {"order_id": order_id, "lines": str(len(lines)), **goods, **more}


BOTH = (("1001", "2001", "2", "口红"), ("1002", "2002", "1", ""))


def test_an_entered_order_is_shipped_in_parts_and_its_status_moves_on(
    world: Any, unread: str, pump: Any
) -> None:
    client = member(world)
    answer = client.post("/orders/enter/", typed(unread, *BOTH))
    assert answer.url == f"/orders/{unread}/ship/"
    shown = page(client.get(answer.url))
    assert "没有和微信核对过" in shown
    assert "口红" in shown
    order = Order.objects.get(order_id=unread)
    assert order.order_id in page(client.get("/?tab=todo"))
    sent = fields(order, **{"p0-cnt-0": "2", "p0-cnt-1": "0"})
    assert "人工录入" in page(client.post(answer.url, sent)), "what cannot be known warns"
    client.post(answer.url, sent | {"confirm": "1"})
    pump()
    order.refresh_from_db()
    assert (Package.objects.get().status, order.status) == ("shipped", 21)
    rest = fields(order, "SF3100000000002", confirm="1", form_key="2", **{"p0-cnt-0": "0", "p0-cnt-1": "1"})
    client.post(answer.url, rest)
    pump()
    order.refresh_from_db()
    assert (order.status, order.read_at) == (30, None)
    assert order.order_id in page(client.get("/?tab=shipped"))
    assert [len(row["accepted"]) for row in world.sends(order)] == [1, 1]


def test_more_than_was_entered_only_warns(world: Any, unread: str, pump: Any) -> None:
    client = member(world)
    client.post("/orders/enter/", typed(unread, ("1001", "2001", "1", "")))
    order = Order.objects.get(order_id=unread)
    client.post(f"/orders/{unread}/ship/", fields(order, confirm="1", **{"p0-cnt-0": "2"}))
    pump()
    assert Package.objects.get().status == "shipped"


def test_a_doubt_is_a_managers_case_in_clear_words_and_is_never_sent_again(
    world: Any, unread: str, pump: Any
) -> None:
    client, manager = member(world), member(world, "manager")
    client.post("/orders/enter/", typed(unread, *BOTH))
    order = Order.objects.get(order_id=unread)
    world.remote.fault("reset_after")
    client.post(f"/orders/{unread}/ship/", fields(order, confirm="1", **{"p0-cnt-0": "2", "p0-cnt-1": "1"}))
    pump()
    package = Package.objects.get()
    assert (package.status, package.slug, len(world.sends(order))) == (
        "conflict",
        "orders_not_ours_to_read",
        1,
    )
    assert "系统没法自己核对，也不会重发" in page(manager.get(f"/orders/{unread}/"))
    manager.post(f"/packages/{package.pk}/settle/", {"target": "shipped", "reason": "后台有这个单号"})
    order.refresh_from_db()
    assert order.status == 30


def test_a_reading_takes_the_place_of_what_was_entered(world: Any, unread: str, pump: Any) -> None:
    client = member(world)
    client.post("/orders/enter/", typed(unread, ("1001", "2001", "9", "口红"), ("7", "8", "1", "")))
    order = Order.objects.get(order_id=unread)
    client.post(f"/orders/{unread}/ship/", fields(order, confirm="1", **{"p0-cnt-0": "2", "p0-cnt-1": "0"}))
    world.remote.merchant(APPID, SECRET)
    resume_merchant(merchant=world.merchant)
    pump()
    order.refresh_from_db()
    assert not order.is_entered
    assert [(line.product_id, line.sku_cnt) for line in order.lines.all()] == [("1001", 2), ("1002", 1)]
    assert Package.objects.get().status == "shipped", "other goods entered is no change of the order"
    assert "以微信为准，没有改动" in page(client.post("/orders/enter/", typed(unread, *BOTH), follow=True))
    assert order.lines.count() == 2


def test_an_order_that_can_be_read_is_read_at_once(world: Any) -> None:
    made = world.remote.order(APPID, LINES)
    member(world).post("/orders/enter/", typed(made["order_id"], ("1", "2", "1", "")))
    run_tasks()
    order = Order.objects.get()
    assert order.read_at
    assert order.lines.count() == 2


def test_what_is_wrong_is_named_at_its_field_and_nothing_typed_is_lost(world: Any) -> None:
    client = member(world)
    shown = page(client.post("/orders/enter/", typed("3.7E+18", ("1001", "", "0", "口红"))))
    for words in ("订单号要是一串数字", "缺少 sku_id", "件数要是 1 到", 'value="口红"', 'value="3.7E+18"'):
        assert words in shown, words
    assert "还没有商品" in page(client.post("/orders/enter/", typed("3700000000000000001")))
    assert 'name="l2-product_id"' in page(client.post("/orders/enter/", typed("1", *BOTH, add="1")))
    assert not Order.objects.exists()


def test_a_file_enters_its_good_orders_and_names_the_others(world: Any, unread: str) -> None:
    rows = (
        f"order_id,product_id,sku_id,product_cnt,title\n{unread},1001,2001,2,口红\n,1002,2002,1,\n37,1,2,x,\n"
    )
    client = member(world)

    def sent(raw: str) -> str:
        file = SimpleUploadedFile("orders.csv", raw.encode())
        return page(client.post("/orders/enter/", {"import": "1", "file": file}))

    shown = sent(rows)
    assert "第 4 行 product_cnt" in shown
    assert Order.objects.get().lines.count() == 2
    assert "没有变化" in sent(rows)
    assert "不认识的列" in sent("order,goods\n1,2\n")
    assert "还没有选文件" in page(client.post("/orders/enter/", {"import": "1"}))


def test_a_store_that_may_not_read_is_told_calmly(world: Any, unread: str) -> None:
    from shipping.following import follow

    client = member(world)
    follow(world.merchant)
    shown = page(client.get("/"))
    assert "没有读取订单的权限，发货照常" in shown
    assert "text-red" not in page(client.get("/orders/sync/state/"))
    assert "48001" not in shown
    client.post("/orders/enter/", typed(unread, *BOTH))
    run_tasks()
    assert {pause.call for pause in world.merchant.pauses.all()} == {GET, "order/list/get"}
    assert "暂停读取" not in page(client.get("/")), "nothing stands still that ever went"
    type(world.merchant).objects.update(orders_read_at=timezone.now())
    assert "没有读取订单的权限" in page(client.get("/errors/"))


def test_a_strangers_store_is_not_there(world: Any) -> None:
    from merchants.models import Merchant

    Merchant.objects.create(appid="wx0", name="别家")
    client = member(world)
    assert client.post("/orders/enter/", typed("37", *BOTH, merchant="wx0")).status_code == 404
    assert client.get("/orders/enter/?merchant=wx0").status_code == 404
