"""A person who chose English reads English on every page; Chinese is only what others wrote."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from merchants.credentials import save_platform
from merchants.models import Audit, Credential, Errand, Merchant, Mode, Platform, User
from merchants.services import pause_merchant
from sandbox import build
from shipping.models import Courier, Order, Package
from shipping.services import hold_order
from shipping.states import CONFLICT, SHIPPED
from tests.pages.test_desk import fields, member, page
from tests.test_words import CHINESE
from wechat.errcodes import CODES

pytestmark = pytest.mark.django_db(transaction=True)

# What WeChat says, as it says it; and a language is called by its own name.
NOT_OURS = sorted((code.zh for code in CODES.values() if code.zh), key=len, reverse=True)
OWN_NAMES = ("简体中文", "中文")
# The buyer reads Chinese, whoever answers.
TO_THE_BUYER = r'<textarea[^>]*id="reply".*?</textarea>'
WHOLE = "3700000000000000099"


def reader(world: Any, role: str = "manager") -> Client:
    """A member who reads English, at a store whose own words are English too."""
    Merchant.objects.update(name="Mug shop")
    Courier.objects.update(delivery_name=F("delivery_id"))
    client = member(world, role)
    User.objects.update(language="en")
    return client


def english_order(world: Any, count: int = 1, **more: Any) -> Order:
    mug = build.line(
        "1001", "2001", count, title="Mug", sku_attrs=[{"attr_key": "Colour", "attr_value": "Red"}]
    )
    words = {"customer_notes": "Please hurry", "merchant_notes": "Regular"}
    place = build.address("L**", "Guangdong Guangzhou Haizhu")
    made: Order = world.order([mug], address_info=place, **words, **more)
    return made


def chinese_in(answer: Any) -> list[str]:
    """The lines of a page with Chinese that is ours."""
    text = re.sub(TO_THE_BUYER, "", unescape(page(answer)), flags=re.DOTALL)
    for words in (*NOT_OURS, *OWN_NAMES):
        text = text.replace(words, "")
    return [line.strip() for line in text.splitlines() if CHINESE.search(line)]


def assert_english(client: Client, *paths: str) -> None:
    for path in paths:
        answer = client.get(path)
        assert (answer.status_code, chinese_in(answer)) == (200, []), path


def test_lists_search_codes_and_settings(world: Any) -> None:
    client = reader(world)
    assert_english(client, "/", "/search/?q=nothing", f"/search/?q={WHOLE}", "/search/", "/me/", "/history/")
    assert_english(client, "/errors/", "/errors/?q=nothing")
    orders = [english_order(world), english_order(world, 3, deliver_method=1)]
    hold_order(order=orders[0], user=None, reason="out of stock")
    tabs = ("todo", "partly", "due", "held", "trouble", "intercept", "shipped", "all", "mine")
    assert_english(client, *(f"/?tab={tab}" for tab in tabs), "/?kind=gift", "/search/?q=Mug", "/counts/")


def test_an_order_from_its_form_to_its_reply(world: Any, pump: Any) -> None:
    client, order = reader(world), english_order(world, 2)
    ship = f"/orders/{order.order_id}/ship/"
    assert_english(client, ship, f"/orders/{order.order_id}/")
    for more in ({"preview": "1"}, {"add": "1"}, {"review": "1"}, {"p0-cnt-0": "9"}, {"p0-delivery_id": ""}):
        assert chinese_in(client.post(ship, fields(order, **more))) == [], more
    assert chinese_in(client.post(ship, fields(order, "7835#1122", **{"p0-cnt-0": "x"}))) == []
    assert_english(client, ship)
    assert chinese_in(client.post(ship, fields(order), follow=True)) == []
    pump()
    assert_english(
        client,
        f"/orders/{order.order_id}/",
        "/history/",
        "/history/?show=calls",
        "/errors/606005/",
        "/exports/",
        "/?tab=all",
        "/trouble/?seen=0",
    )


def test_what_went_wrong_and_how_it_is_decided(world: Any, pump: Any) -> None:
    client, order = reader(world), english_order(world)
    world.remote.fault("code", errcode=606005, order_id=order.order_id)
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pump()
    package = Package.objects.get()
    shown = f"/orders/{order.order_id}/"
    assert_english(client, shown, f"{shown}ship/?fix={package.pk}", "/?tab=trouble", "/trouble/?seen=0")
    Package.objects.update(status=CONFLICT)
    assert_english(client, shown)
    settle = f"/packages/{package.pk}/settle/"
    for typed in ({"target": SHIPPED}, {"target": SHIPPED, "reason": "seen in the back office"}):
        assert chinese_in(client.post(settle, typed, follow=True)) == [], typed


def test_an_order_is_held_printed_withdrawn_and_intercepted(world: Any, pump: Any) -> None:
    client, order = reader(world), english_order(world)
    shown = f"/orders/{order.order_id}/"
    for typed in (
        {},
        {"reason": "wait", "until": "yesterday"},
        {"reason": "wait", "until": "2099-01-01 09:00"},
    ):
        assert chinese_in(client.post(f"{shown}hold/", typed, follow=True)) == [], typed
    for paper in ("", "100x150", "a4", "a4"):
        assert (
            chinese_in(client.post("/slips/", {"order": order.order_id, "paper": paper}, follow=True)) == []
        )
    assert chinese_in(client.post(f"{shown}release/", follow=True)) == []
    Merchant.objects.update(undo_seconds=60)
    assert chinese_in(client.post(f"{shown}ship/", fields(order), follow=True)) == []
    shipment = Package.objects.get().shipment_id
    for _ in range(2):
        assert chinese_in(client.post(f"/shipments/{shipment}/cancel/", follow=True)) == []
    Package.objects.update(status=SHIPPED)
    Order.objects.update(alarm_at=timezone.now())
    assert_english(client, shown, "/?tab=intercept")
    assert chinese_in(client.post(f"{shown}intercepted/", follow=True)) == []


def test_a_paused_store_and_a_colleague_at_the_same_order(world: Any) -> None:
    staff, client, order = reader(world, "staff"), reader(world), english_order(world)
    pause_merchant(merchant=world.merchant, errcode=48001, errmsg="api unauthorized", until=None)
    ship = f"/orders/{order.order_id}/ship/"
    assert_english(client, ship)
    staff.post(ship, fields(order))
    since = "2026-01-01T00:00:00Z"
    assert_english(client, f"/orders/{order.order_id}/presence/?since={since}", "/")


def test_the_login_speaks_as_the_page_before_it(world: Any) -> None:
    client, order = reader(world), english_order(world)
    assert "Orders" in page(client.get("/"))
    client.post("/logout/")
    dialog = client.get("/login/", headers={"HX-Request": "true"})
    assert "Username" in page(dialog)
    assert chinese_in(dialog) == []
    assert_english(client, "/login/")
    assert chinese_in(client.post(f"/orders/{order.order_id}/ship/", fields(order))) == []
    assert chinese_in(client.post("/login/", {"username": "manager", "password": "wrong"})) == []
    assert chinese_in(client.post("/login/", {"username": "manager", "password": "x"}, follow=True)) == []


def test_a_visitor_reads_chinese_until_english_is_asked_for(world: Any) -> None:
    client = Client()
    assert "用户名" in page(client.get("/login/"))
    assert "Username" in page(client.get("/login/?language=en"))
    assert "Username" in page(client.get("/login/"))
    assert "用户名" in page(client.get("/login/?language=zh-hans"))
    assert "用户名" in page(client.get("/login/?language=xx"))


def test_what_a_person_chose_goes_before_what_the_browser_showed(world: Any) -> None:
    client = member(world)
    client.cookies["django_language"] = "en"
    assert "同步订单" in page(client.get("/"))
    client.post("/me/", {"language": "en", "theme": ""})
    assert "Sync orders" in page(client.get("/"))
    client.post("/me/", {"language": "", "theme": ""})
    assert "同步订单" in page(client.get("/"))


def test_errors_of_the_desk_itself(world: Any, monkeypatch: Any) -> None:
    client = reader(world)
    missing = client.get("/orders/1/")
    assert (missing.status_code, chinese_in(missing)) == (404, [])
    assert 'lang="en"' in page(missing)
    monkeypatch.setattr("shipping.views.explain.CODES", None)
    client.raise_request_exception = False
    broken = client.get("/errors/")
    assert (broken.status_code, chinese_in(broken)) == (500, [])
    assert "safe" in page(broken)


def test_the_admin_pages(world: Any) -> None:
    client = reader(world, "admin")
    User.objects.update(is_superuser=True)
    lists = ("merchants/merchant", "merchants/membership", "merchants/credential", "merchants/pause",
             "merchants/user", "shipping/shipment", "shipping/package", "shipping/attempt")  # fmt: skip
    assert_english(client, "/admin/", *(f"/admin/{name}/" for name in lists))
    assert_english(
        client, "/admin/merchants/membership/add/", f"/admin/merchants/merchant/{world.merchant.pk}/change/"
    )


def test_the_ways_of_calling_and_what_is_asked_of_wechat(world: Any, settings: Any) -> None:
    client = reader(world, "admin")
    User.objects.update(is_superuser=True)
    user = User.objects.get()
    secrets = {"app_secret": "s" * 32, "push_token": "t" * 32, "aes_key": "k" * 43}
    save_platform(appid="wxplatform", secrets=secrets, by=user)
    rows, card = (
        Credential.objects.all(),
        f"/admin/merchants/credential/{Credential.objects.get().pk}/change/",
    )
    rows.update(died_early_at=timezone.now(), token_fetched_at=timezone.now())
    for mode in Mode.values:
        rows.update(mode=mode)
        assert_english(client, card)
        for typed in ({"new_token": "x"}, {"minutes": "999"}):
            assert chinese_in(client.post(card, {"mode": mode, "new_secret": "", **typed}, follow=True)) == []
    rows.update(mode="component", permission_sets=[17, 130], authorized_at=timezone.now())
    assert_english(client, card)
    rows.update(mode="own", app_secret="s" * 32)
    for _ in range(2):
        assert chinese_in(client.post(card, {"mode": "own", "_force": "1"}, follow=True)) == []
    for kind in Errand.Kind.values:
        for status in Errand.Status.values:
            errand = Errand.objects.create(
                kind=kind, status=status, merchant=world.merchant, slug="errand_failed", result="https://x/"
            )
            assert_english(client, f"/errands/{errand.pk}/", f"/errands/{errand.pk}/status/")
    assert_english(client, "/admin/merchants/errand/", "/admin/merchants/pushedevent/")
    assert_english(client, "/admin/merchants/platform/", "/admin/merchants/platform/1/change/")
    assert "43 letters" in page(
        client.post("/admin/merchants/platform/1/change/", {"appid": "x", "new_aes_key": "k"})
    )
    Platform.objects.all().delete()
    assert_english(client, "/admin/merchants/platform/add/")
    assert Audit.objects.exists()
    assert_english(client, "/admin/merchants/audit/")


def test_members_the_second_factor_and_what_stands_still(world: Any) -> None:
    client = reader(world, "admin")
    member(world)
    invite = {"merchant": world.merchant.appid, "name": "Li", "role": "staff"}
    invited = client.post("/members/invite/", invite)
    assert chinese_in(invited) == []
    [link] = re.findall(r"/join/[^\"<]+", page(invited))[:1]
    assert_english(client, "/members/", "/me/second-factor/", "/me/password/", "/me/", "/todo/", link)
    assert_english(Client(), f"{link}?language=en")
    pause_merchant(merchant=world.merchant, errcode=40164, errmsg="invalid ip 203.0.113.7")
    order = english_order(world)
    Order.objects.update(deadline_at=timezone.now() + timedelta(hours=5))
    client.post(f"/orders/{order.order_id}/ship/", fields(order))
    pause_merchant(merchant=world.merchant, call="order/list/get", errcode=48001)
    pause_merchant(
        merchant=world.merchant, call="order/get", errcode=45009, until=timezone.now() + timedelta(hours=2)
    )
    assert "Packages waiting: 1</strong>, the first to ship by" in page(client.get("/"))
    assert_english(client, "/", "/todo/")
