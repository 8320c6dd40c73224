"""Every code's page and card: who acts, the button that does the next step, the field; own words; the report."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from merchants.models import Audit, User
from merchants.services import set_membership
from shipping import wording
from shipping.drafts import Draft, PackageDraft
from shipping.models import Attempt, CodeText, Order, Package, UnknownCode
from shipping.services import queue_shipment
from shipping.strange import unexplained_codes
from shipping.support import version
from tests.pages.access import Store, make_store
from tests.pages.people import colleague
from tests.pages.test_desk import member, page
from wechat.errcodes import CODES

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTED = {code: row for code, row in CODES.items() if row.documented}
# What a packer reads beside a rejected package: who must act, and the word on the first button.
YOU, MANAGER, ADMIN, WECHAT = "您自己", "您的主管", "您的管理员", "微信"
FIX, CALL, REREAD, AGAIN = "改正后重发", "请主管处理", "重新读取订单", "再发一次"
FIRST = {
    47001: ("本系统的开发者", FIX),
    100002: (YOU, REREAD),
    100003: (WECHAT, AGAIN),
    101100: (YOU, REREAD),
    10020115: (YOU, "去答复买家"),
    10020276: (YOU, "去答复买家"),
    268545009: (WECHAT, AGAIN),
    606049: (WECHAT, "打开微信小店后台"),
    48001: (ADMIN, "请管理员处理"),
    606003: (ADMIN, "请管理员处理"),
    **dict.fromkeys(
        (108009, 109001, 109205, 606034, 606045, 606046, 606048, 268545004, 268545014), (MANAGER, CALL)
    ),
}
FIELDS = {
    "waybill_id": (606005, 6060479, 268545001, 268545002),
    "delivery_id": (606004, 606061, 268545000),
    "sn_code": (606060, 268545008, 268545010, 268545011, 268545013, 268545015),
    "imei1": (268545012,),
}


@pytest.fixture
def store(transactional_db: None) -> Store:
    store = make_store(1)
    Order.objects.update(is_subsidy=True)
    return store


def client_of(store: Store, role: str) -> Client:
    user = User.objects.create_user(role, password="x")
    set_membership(user=user, merchant=store.merchant, role=role)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def refuse(store: Store, code: int) -> None:
    """As if WeChat had answered with the code; a store that stopped keeps its parcels in the queue."""
    status = "queued" if CODES[code].then == "pause_merchant" else "rejected"
    Package.objects.filter(pk=store.package.pk).update(status=status, errcode=code)
    Order.objects.filter(pk=store.order.pk).update(
        address_under_review=code == 10020115, sku_change_waiting=code == 10020276
    )


def card(client: Client, store: Store) -> str:
    return unescape(page(client.get(f"/packages/{store.package.pk}/status/")))


def buttons(shown: str) -> list[tuple[str, str]]:
    """(word, where it leads) of each button of a card, in order; a form's is its action."""
    import re

    found = re.findall(
        r'<form method="post" action="([^"]+)">.*?<button[^>]*>([^<]+)|<a class="btn btn-sm ?[^"]*" href="([^"]+)"[^>]*>([^<]+)',
        shown[shown.index('class="actions"') :],
    )
    return [(a[1] or a[3], a[0] or a[2]) for a in found]


def test_each_code_says_who_acts_and_offers_the_next_step(store: Store) -> None:
    staff = client_of(store, "staff")
    for code, row in DOCUMENTED.items():
        refuse(store, code)
        shown = card(staff, store)
        for words in (row.zh, row.means_zh, row.do_zh, str(code)):
            assert words in shown, f"{code}: {words}"
        who, word = FIRST.get(code, (YOU, FIX))
        assert f"<dd><strong>{who}</strong></dd>" in shown, code
        assert buttons(shown)[0][0] == word, code
        # The sentence names the button by the word on it, unless a colleague has to be called first.
        if who == YOU or word in (FIX, AGAIN):
            assert f"「{word}」" in row.do_zh, code


def test_whoever_may_do_it_is_not_sent_to_a_colleague(store: Store) -> None:
    manager, admin = client_of(store, "manager"), client_of(store, "admin")
    for code in (606034, 268545004):
        refuse(store, code)
        shown = card(manager, store)
        assert f"<dd><strong>{YOU}</strong></dd>" in shown
        assert buttons(shown)[0] == ("打开微信小店后台", "https://store.weixin.qq.com/")
    refuse(store, 48001)
    assert buttons(card(manager, store))[0][0] == "请管理员处理"
    assert buttons(card(admin, store))[0] == ("去恢复发货", "/todo/")


@pytest.mark.parametrize("codes", [{c[0] for c in FIELDS.values()} | {10020115, 606034, 48001, 268545013}])
def test_each_button_leads_where_the_person_may_go(store: Store, codes: set[int]) -> None:
    follow_all(store, codes)


@pytest.mark.long
def test_each_button_of_each_code_leads_where_the_person_may_go(store: Store) -> None:
    follow_all(store, set(DOCUMENTED))


def follow_all(store: Store, codes: set[int]) -> None:
    for role in ("staff", "manager", "admin"):
        client = client_of(store, role)
        for code in codes:
            refuse(store, code)
            for word, url in buttons(card(client, store)):
                if url.startswith("/") and word not in ("撤回", REREAD):
                    assert client.get(url).status_code == 200, (role, code, word)


def test_the_form_opens_at_the_very_field(store: Store) -> None:
    staff = client_of(store, "staff")
    for name, codes in FIELDS.items():
        for code in codes[:1]:
            refuse(store, code)
            shown = page(staff.get(f"/orders/{store.order.order_id}/ship/?fix={store.package.pk}"))
            at = shown.index(f'id="p0-{name}"')
            field = shown[at : shown.index(">", at)]
            assert "autofocus" in field, code
            assert 'aria-invalid="true"' in field, code
            assert store.package.waybill_id in shown, "what was typed is there"


def test_a_colleague_is_called_with_all_he_needs(store: Store) -> None:
    client_of(store, "manager")
    refuse(store, 606034)
    shown = unescape(page(client_of(store, "staff").get(f"/packages/{store.package.pk}/call/")))
    for words in (
        "manager",
        "boss1",
        store.order.order_id,
        "要先送质检 606034",
        f"/orders/{store.order.order_id}/",
    ):
        assert words in shown, words


def test_the_cases_of_the_own_store_are_told_beside_the_package(world: Any, pump: Any) -> None:
    waiting = [world.order() for _ in range(2)]
    for n, order in enumerate(waiting):
        world.remote.fault("code", errcode=606034, errmsg=CODES[606034].zh, order_id=order.order_id, times=0)
        draft = Draft(order.order_id, (PackageDraft(1, "SF", f"SF310000000070{n}"),))
        queue_shipment(order=order, draft=draft, user=None)
    pump()
    client = member(world)
    shown = page(client.get(f"/orders/{waiting[0].order_id}/"))
    assert "最近 1 个订单" in shown
    listed = page(client.get("/errors/606034/"))
    assert "现在停在这里的" in listed
    assert listed.count(CALL) == 2


# --- own words --------------------------------------------------------------------------------------------


@pytest.fixture
def root(world: Any) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", display_name="老周"))
    return client


def write(root: Client, code: str, **words: str) -> Any:
    data = {"code": code, "language": "zh-hans", "title": "", "means": "", "do": "", **words}
    return root.post("/admin/shipping/codetext/add/", data)


def test_own_words_are_said_everywhere_until_they_are_taken_back(world: Any, root: Client) -> None:
    client = member(world)
    assert write(root, "606005", do="请把面单拍给小李 {看清楚}。").status_code == 302
    for path in ("/errors/606005/", "/errors/?q=小李"):
        shown = unescape(page(client.get(path)))
        assert "请把面单拍给小李 {看清楚}。" in shown
        assert "这是本系统管理员自己写的说明（老周" in shown
        assert CODES[606005].means_zh in shown, "what was left empty stays as shipped"
    row = CodeText.objects.get()
    change = f"/admin/shipping/codetext/{row.pk}/change/"
    assert CODES[606005].do_zh in unescape(page(root.get(change)))
    root.post(change, {"title": "", "means": "", "do": "请找小李。"})
    assert "请找小李。" in page(client.get("/errors/606005/"))
    newest = CodeText.objects.get(ended_at=None)
    root.post(
        f"/admin/shipping/codetext/{newest.pk}/change/",
        {"title": "", "means": "", "do": "请找小李。", "_reset": "1"},
    )
    assert CODES[606005].do_zh in unescape(page(client.get("/errors/606005/")))
    assert [row.do for row in CodeText.objects.order_by("pk")] == [
        "请把面单拍给小李 {看清楚}。",
        "请找小李。",
    ]
    assert Audit.objects.filter(kind="text", by__username="root").count() == 3


def test_another_process_says_new_words_within_seconds(world: Any, monkeypatch: Any) -> None:
    client, writer = member(world), User.objects.create_superuser("root")
    wording.forget()
    client.get("/errors/606005/")
    CodeText.objects.create(code="606005", language="zh-hans", do="请找小李。", written_by=writer)
    monkeypatch.setattr(wording, "FRESH_FOR", 0.0)
    assert "请找小李。" in page(client.get("/errors/606005/"))


def test_only_the_operator_writes_and_nothing_a_worker_reads(world: Any, root: Client) -> None:
    boss = colleague(world, "boss", "admin")
    assert boss.get("/admin/shipping/codetext/").status_code == 403
    assert write(boss, "606005", do="x").status_code == 403
    assert write(root, "606005", do="请找小李。", then="later", fixed_by="buyer").status_code == 302
    assert (CODES[606005].then, CODES[606005].fixed_by) == ("rejected", "staff")
    assert "没有这样的错误码" in page(write(root, "nonsense", do="x"))
    assert "至少写一句" in page(write(root, "606005"))
    assert "改这份说明" not in page(boss.get("/errors/606005/"))
    assert "改这份说明" in page(root.get("/errors/606005/"))


# --- codes outside the table --------------------------------------------------------------------------------

STRANGE = 987654


def test_an_unknown_code_is_collected_and_explained_by_the_operator(
    world: Any, root: Client, pump: Any, settings: Any
) -> None:
    settings.SETTLE_GRACE = 0.1
    for n in range(2):
        order = world.order()
        words = f"odd tel_number: 13800138000 rid: 65f0-{n}"
        world.remote.fault("code", errcode=STRANGE, errmsg=words, order_id=order.order_id, times=0)
        draft = Draft(order.order_id, (PackageDraft(1, "SF", f"SF310000000080{n}"),))
        queue_shipment(order=order, draft=draft, user=None)
        pump()
    row = UnknownCode.objects.get()
    assert (row.errcode, row.count, row.merchant) == (STRANGE, 2, world.merchant)
    assert row.first_seen_at < row.last_seen_at
    assert "13800138000" not in row.errmsg
    assert "odd" in row.errmsg
    assert list(unexplained_codes()) == [row]
    boss, stranger = colleague(world, "boss", "admin"), client_of(make_store(7), "admin")
    assert str(STRANGE) in page(boss.get("/admin/shipping/unknowncode/"))
    assert str(STRANGE) not in page(stranger.get("/admin/shipping/unknowncode/"))
    assert f"/admin/shipping/codetext/add/?code={STRANGE}" in page(root.get("/admin/shipping/unknowncode/"))
    write(root, str(STRANGE), title="仓库在盘点", means="微信说仓库在盘点。", do="请明天再发。")
    shown = page(boss.get(f"/orders/{order.order_id}/"))
    for words in ("仓库在盘点", "请明天再发。", "这是本系统管理员自己写的说明"):
        assert words in shown
    assert str(STRANGE) in page(boss.get("/errors/"))
    assert row not in unexplained_codes()


# --- the report ---------------------------------------------------------------------------------------------

CANARIES = ("13800138000", "0755-26700000", "王小明", "广东省深圳市南山区科技园1号楼", "word-that-opens-1")


def test_the_report_holds_all_that_support_needs_and_nothing_of_the_buyer(
    store: Store, settings: Any
) -> None:
    tel, line, name, place, token = CANARIES
    said = (
        f'invalid body {{"user_name":"{name}","tel_number":"{tel}","detail_info":"{place}"}} '
        f"{name} {line} {place} access_token={token} rid: 65f0-1-2"
    )
    Order.objects.filter(pk=store.order.pk).update(receiver=name)
    made = Attempt.objects.create(
        merchant=store.merchant, order=store.order, shipment=store.package.shipment, run="2", errcode=40097,
        errmsg=said, rid="65f0-1-2", elapsed_ms=120, sent_at=Attempt.objects.first().sent_at,
        request={"order_id": int(store.order.order_id), "delivery_list": [{"waybill_id": "SF3100000000011",
                 "receiver": name, "note": f"{tel} {place}"}]},
    )  # fmt: skip
    shown = unescape(page(client_of(store, "staff").get(f"/attempts/{made.pk}/report/")))
    report = shown[shown.index('id="report"') : shown.index("</textarea>")]
    assert not [canary for canary in CANARIES if canary in report]
    for words in ("POST /channels/ec/order/delivery/send", "40097", "rid：65f0-1-2 · ", "+0800", version(),
                  store.order.order_id, "SF3100000000011", "delivery_list", "invalid body"):  # fmt: skip
        assert words in report, words
