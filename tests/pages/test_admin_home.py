"""The admin's home: each own store in one line, what stands still with the button that ends it, sections by use."""

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from merchants.models import Merchant, Pause, User
from merchants.services import add_merchant, pause_merchant, set_membership
from shipping.models import UnknownCode
from tests.pages.people import colleague, second_store
from tests.pages.test_desk import fields, page

pytestmark = pytest.mark.django_db(transaction=True)
SECTIONS = ["店铺与凭证", "成员", "暂停", "错误说明", "历史（只能看）"]


@pytest.fixture
def admin(world: Any) -> Client:
    client = colleague(world, "boss", "admin")
    client.force_login(User.objects.get(username="boss"))
    return client


def home(client: Client) -> str:
    return unescape(page(client.get("/admin/")))


def test_a_store_is_told_in_one_line(world: Any, admin: Client, pump: Any) -> None:
    order = world.order()
    admin.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    UnknownCode.objects.create(merchant=world.merchant, errcode=987654)
    pause_merchant(merchant=world.merchant, errcode=606003)
    shown = home(admin)
    row = shown[shown.index("<tr class=") : shown.index("</tbody>")]
    for words in ("测试店", "自有店铺", "有效到", "还没设默认退货地址 606003", "恢复：测试店"):
        assert words in row, words
    sent = row[row.index('data-label="上次发货成功"') :]
    assert "—" not in sent[: sent.index("</td>")]
    assert "/admin/shipping/unknowncode/?merchant__id__exact=" in row


def test_a_pause_is_ended_from_the_home(world: Any, admin: Client) -> None:
    pause = pause_merchant(merchant=world.merchant, errcode=48001)
    shown = home(admin)
    found = next(part for part in shown.split('action="')[1:] if str(pause.pk) in part.partition('"')[0])
    action = found.partition('"')[0]
    answer = admin.post(action, {"back": "/admin/"})
    assert (answer.status_code, answer.url) == (302, "/admin/")
    assert not Pause.objects.filter(ended_at=None).exists()
    assert admin.post(action, {"back": "https://elsewhere.example/"}).status_code == 404


def test_pauses_are_ended_from_their_list_at_own_stores_only(world: Any, admin: Client) -> None:
    theirs = pause_merchant(merchant=second_store(world), errcode=48001)
    mine = pause_merchant(merchant=world.merchant, errcode=48001)
    chosen = {"action": "resume", "_selected_action": [mine.pk, theirs.pk]}
    admin.post("/admin/merchants/pause/", chosen)
    assert list(Pause.objects.filter(ended_at=None)) == [theirs]


def test_an_admin_sees_own_stores_and_a_superuser_all(world: Any, admin: Client) -> None:
    second_store(world)
    assert "第二家店" not in home(admin)
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert "第二家店" in home(root)
    assert "测试店" in home(root)
    staff = colleague(world, "clerk")
    assert staff.get("/admin/").status_code == 404


def test_the_sections_stand_in_working_order(world: Any, admin: Client) -> None:
    shown = home(admin)
    places = [shown.index(f">{word}</a>", shown.index('class="sections"')) for word in SECTIONS[:3]]
    assert places == sorted(places)
    assert "第三方平台" not in shown.partition('class="sections"')[2]
    assert "推送事件" not in shown
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    told = home(root)
    places = [told.index(f">{word}</a>", told.index('class="sections"')) for word in SECTIONS]
    assert places == sorted(places)
    User.objects.filter(username="root").update(language="en")
    assert ">Stores and credentials</a>" in home(root)


def test_the_home_costs_no_more_queries_for_more_stores(world: Any, admin: Client) -> None:
    admin.get("/admin/")
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as few:
            admin.get("/admin/")
        counts.append(len(few))
        for n in range(5):
            store = _store(f"wx{number}{n:015d}")
            set_membership(user=User.objects.get(username="boss"), merchant=store, role="admin")
    assert counts[0] == counts[1]
    assert counts[0] < 30


def _store(appid: str) -> Merchant:
    return add_merchant(appid=appid, name=f"店 {appid}", secret="t" * 32)


def test_no_secret_is_opened_for_the_home(world: Any, admin: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        admin.get("/admin/")
    assert not [query["sql"] for query in asked if "app_secret" in query["sql"]]


def test_a_list_of_history_is_found_by_number_and_counts_little(world: Any, admin: Client, pump: Any) -> None:
    order = world.order()
    admin.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    for model in ("package", "shipment", "attempt", "statuschange"):
        for asked in ({"q": order.order_id}, {"q": order.order_id[:6]}):
            with CaptureQueriesContext(connection) as few:
                shown = page(admin.get(f"/admin/shipping/{model}/", asked))
            assert (order.order_id in shown.partition("<tbody>")[2]) == (asked["q"] == order.order_id), model
            assert not [query["sql"] for query in few if "COUNT(*)" in query["sql"]], model
        assert "SF3100000000001" in page(admin.get("/admin/shipping/package/", {"q": "SF3100000000001"}))
    assert admin.get("/admin/shipping/package/", {"status": "rejected"}).status_code == 200
