"""When something needs a person, people are told: once, again while it lasts, and when it is over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchants.models import Channel, Merchant, Message, Pause, User
from merchants.services import add_merchant, pause_merchant, resume_merchant
from shipping import health, states
from shipping.alerts import causes
from shipping.alerts.watch import QUIET, watch
from shipping.models import Alert, Allowance, Attempt, Hold, Order, Package, Schedule, Shipment, SyncCursor
from tests.conftest import APPID, SECRET
from tests.faults.test_leaks import database
from tests.flows.test_dispatch import ship
from tests.pages.test_admin import admin
from tests.pages.test_desk import page, run_tasks
from tests.telling.conftest import WEBHOOK, Robots, robots

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin", "robots"]  # the fixtures


@pytest.fixture
def told(world: Any) -> Callable[[], list[str]]:
    """The titles of what the store's channel was told since last asked."""
    Channel.objects.create(merchant=world.merchant, name="群", kind="mail")

    def titles() -> list[str]:
        rows = list(Message.objects.filter(channel__name="群").order_by("pk").values_list("title", flat=True))
        Message.objects.all().delete()
        return rows

    return titles


def text_of(channel: str = "群") -> str:
    return Message.objects.filter(channel__name=channel).latest("pk").text


def later(by: timedelta) -> None:
    """As if so much time had passed since all alerts were seen and told."""
    for alert in Alert.objects.all():
        Alert.objects.filter(pk=alert.pk).update(
            began_at=alert.began_at - by, seen_at=alert.seen_at - by, told_at=alert.told_at - by
        )


def test_a_paused_store_is_told_once_again_after_hours_and_when_it_is_over(
    world: Any, told: Any, settings: Any
) -> None:
    pause_merchant(merchant=world.merchant, errcode=40164, errmsg="invalid ip 203.0.113.7, not in whitelist")
    for _ in range(3):
        watch()
    assert "203.0.113.7" in text_of()
    assert f"{settings.PUBLIC_URL}/todo/" in text_of()
    [first] = told()
    assert first.startswith("测试店：")
    later(timedelta(hours=settings.ALERT_REPEAT_HOURS, minutes=1))
    watch()
    watch()
    assert told() == [f"还没有解决 · {first}"]
    resume_merchant(merchant=world.merchant)
    watch()
    assert told() == [], "it may come back at once"
    later(QUIET)
    watch()
    assert "从 " in text_of()
    assert told() == [f"已解决 · {first}"]
    watch()
    assert told() == []
    assert Alert.objects.get().ended_at is not None


def test_what_comes_back_at_once_is_the_same_trouble(world: Any, told: Any) -> None:
    pause_merchant(merchant=world.merchant, errcode=48001)
    watch()
    resume_merchant(merchant=world.merchant)
    watch()
    pause_merchant(merchant=world.merchant, errcode=48001)
    later(QUIET)
    watch()
    assert len(told()) == 1
    assert Alert.objects.count() == 1


def test_the_operator_hears_of_every_store_and_a_store_of_no_other(world: Any, told: Any) -> None:
    other = add_merchant(appid="wx00000000000000bb", name="别家")
    Channel.objects.create(merchant=None, name="运营", kind="mail")
    Channel.objects.create(merchant=other, name="别家群", kind="mail")
    pause_merchant(merchant=world.merchant, errcode=48001)
    watch()
    heard = dict(Message.objects.values_list("channel__name", "title"))
    assert set(heard) == {"群", "运营"}
    assert heard["运营"].startswith("测试店：")


def test_two_timekeepers_tell_it_once(world: Any, told: Any, monkeypatch: Any) -> None:
    pause_merchant(merchant=world.merchant, errcode=48001)
    [cause] = causes.paused()
    from shipping.alerts.watch import _begin

    _begin(cause)
    _begin(cause)
    assert len(told()) == 1
    assert Alert.objects.count() == 1


def test_a_store_that_never_could_read_is_no_trouble(world: Any, told: Any) -> None:
    Merchant.objects.update(orders_read_at=None)
    pause_merchant(merchant=world.merchant, call="order/get", errcode=48001)
    pause_merchant(merchant=world.merchant, call="order/list/get", errcode=45011,
                   until=timezone.now() + timedelta(minutes=1))  # fmt: skip
    watch()
    assert told() == []


# --- each thing that needs a person ---------------------------------------------------------------------


def unknown(world: Any) -> None:
    shipment = ship(world.order())
    Package.objects.filter(shipment=shipment).update(
        status=states.UNKNOWN, status_at=timezone.now() - timedelta(minutes=31)
    )


def conflict(world: Any) -> None:
    Package.objects.filter(shipment=ship(world.order())).update(status=states.CONFLICT)


def quota(world: Any) -> None:
    Allowance.objects.create(merchant=world.merchant, call="order/get", day_limit=1000, day_left=99)


def used_up(world: Any) -> None:
    until = timezone.now() + timedelta(hours=5)
    pause_merchant(merchant=world.merchant, call="order/get", errcode=45009, until=until)


def code(errcode: int) -> Callable[[Any], None]:
    def make(world: Any) -> None:
        shipment, now = ship(world.order()), timezone.now()
        Attempt.objects.create(
            merchant=world.merchant, order=shipment.order, shipment=shipment, run="1", errcode=errcode,
            errmsg="who knows", rid="6-7-8", started_at=now, ended_at=now, closed_at=now, then="ask",
        )  # fmt: skip

    return make


def stopped_reading(world: Any) -> None:
    long_ago = timezone.now() - timedelta(hours=2)
    SyncCursor.objects.create(merchant=world.merchant, succeeded_at=long_ago, lease_until=long_ago,
                              error="read_timeout")  # fmt: skip


def expired(world: Any) -> None:
    pause_merchant(merchant=world.merchant, slug="pasted_token_over")


TROUBLES: dict[str, tuple[Callable[[Any], None], str]] = {
    "unknown": (unknown, "1 个包裹半小时没有核对出结果"),
    "conflict": (conflict, "1 个包裹要主管裁定"),
    "quota": (quota, "order/get 的次数快用完了"),
    "used up": (used_up, "order/get 的次数快用完了"),
    "code of our own": (code(47001), "微信回了错误码 47001，要开发者看"),
    "unlisted code": (code(999123), "微信回了错误码 999123，要开发者看"),
    "sync": (stopped_reading, "读不到新订单"),
    "pasted token": (expired, ""),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_is_told_in_words_in_both_languages(
    world: Any, told: Any, settings: Any, trouble: str
) -> None:
    settings.SYNC_EVERY = 120
    Channel.objects.create(merchant=world.merchant, name="english", kind="mail", language="en")
    watch()
    assert told() == []
    make, words = TROUBLES[trouble]
    make(world)
    watch()
    english = Message.objects.get(channel__name="english")
    assert not [
        letter for letter in english.title.replace("测试店", "") + english.text if "一" <= letter <= "龥"
    ]
    [title] = told()
    assert title.startswith(f"测试店：{words}")
    watch()
    assert told() == []


def test_other_answers_are_no_news(world: Any, told: Any) -> None:
    for errcode in (0, 606005, 100002):
        code(errcode)(world)
    watch()
    assert told() == []


def test_young_unknowns_and_a_first_reading_under_way_are_no_news(
    world: Any, told: Any, settings: Any
) -> None:
    settings.SYNC_EVERY = 120
    Package.objects.filter(shipment=ship(world.order())).update(status=states.UNKNOWN)
    SyncCursor.objects.create(merchant=world.merchant)
    watch()
    assert told() == []


def test_a_store_that_stands_still_is_not_told_of_its_reading_too(
    world: Any, told: Any, settings: Any
) -> None:
    settings.SYNC_EVERY = 120
    stopped_reading(world)
    pause_merchant(merchant=world.merchant, errcode=40164)
    watch()
    assert len(told()) == 1


@pytest.fixture
def noon(monkeypatch: Any) -> datetime:
    """It is noon, in whatever zone: late in the day other rules hold."""
    real = timezone.now
    now = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    shift = now - real()
    monkeypatch.setattr("shipping.alerts.causes.timezone.now", lambda: real() + shift)
    return now


def stuck(world: Any, now: datetime, due: timedelta) -> Shipment:
    shipment = ship(world.order())
    Shipment.objects.filter(pk=shipment.pk).update(created_at=now - timedelta(minutes=20))
    Order.objects.filter(pk=shipment.order_id).update(deadline_at=now + due)
    return shipment


def test_what_must_leave_before_midnight_and_does_not_move(world: Any, told: Any, noon: datetime) -> None:
    shipment = stuck(world, noon, timedelta(hours=3))
    stuck(world, noon, timedelta(hours=20))
    watch()
    assert shipment.order.order_id in text_of()
    assert told() == ["测试店：1 个包裹今天午夜前要发，却停着"]


def test_what_somebody_holds_back_or_is_on_its_way_is_not_stuck(
    world: Any, told: Any, noon: datetime
) -> None:
    Hold.objects.create(order=stuck(world, noon, timedelta(hours=3)).order, reason="缺货")
    watch()
    assert told() == []
    stuck(world, noon, timedelta(hours=3))
    sent = ship(world.order())
    Attempt.objects.create(
        merchant=world.merchant, order=sent.order, shipment=sent, run="1", started_at=noon, ended_at=noon,
        closed_at=noon, then="accepted", errcode=0,
    )  # fmt: skip
    watch()
    assert told() == [], "the store is shipping"


def test_a_queue_that_nobody_works_off_is_the_operators_news(world: Any, told: Any, settings: Any) -> None:
    Channel.objects.create(merchant=None, name="运营", kind="mail")
    health.ask_for_life()
    watch()
    assert not Message.objects.exists(), "just asked"
    long_ago = timezone.now() - timedelta(seconds=settings.WORKER_SEEN_SECONDS + 1)
    Schedule.objects.update(last_run_at=long_ago)
    health.show_life("rest")
    health.show_life("sync")
    watch()
    message = Message.objects.get()
    assert (message.channel.name, message.title) == ("运营", "整个系统：后台任务没有人做（send）")


def test_one_kind_that_cannot_be_looked_for_ends_nothing_and_stops_no_other(
    world: Any, told: Any, monkeypatch: Any
) -> None:
    pause_merchant(merchant=world.merchant, errcode=48001)
    watch()
    assert len(told()) == 1

    def broken() -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setitem(causes.FINDERS, "paused", broken)
    conflict(world)
    later(QUIET)
    watch()
    assert told() == ["测试店：1 个包裹要主管裁定"]
    assert Alert.objects.filter(ended_at=None).count() == 2


# --- to the group, and on the admin's pages -------------------------------------------------------------


def test_from_a_refused_send_to_the_words_in_the_group(
    world: Any, robots: Robots, pump: Any, admin: Client
) -> None:
    Channel.objects.create(
        merchant=world.merchant,
        name="群",
        kind="feishu",
        webhook=robots.url("feishu"),
        sign_secret="CANARY-sign-0123",
    )
    ship(world.order())
    world.remote.merchant(APPID, SECRET, denied=["order/delivery/send"])
    pump(1)
    assert Pause.objects.get().errcode == 48001
    watch()
    run_tasks()
    [text] = robots.texts
    assert text.startswith("[Fahuo] 测试店：店铺没给发货权限\n")
    shown = page(admin.get("/admin/shipping/alert/"))
    assert "店铺没给发货权限" in shown
    change = page(admin.get(f"/admin/shipping/alert/{Alert.objects.get().pk}/change/"))
    assert "恢复发货" in change
    shown += change + page(admin.get("/admin/merchants/message/"))
    assert WEBHOOK not in shown
    assert WEBHOOK.encode() not in database()


def test_an_admin_sees_the_own_stores_alerts_only(world: Any, admin: Client) -> None:
    other = add_merchant(appid="wx00000000000000bb", name="别家")
    pause_merchant(merchant=other, errcode=48001)
    health.ask_for_life()
    watch()
    url = f"/admin/shipping/alert/{Alert.objects.get(merchant=other).pk}/change/"
    assert admin.get(url).status_code == 404
    admin.force_login(User.objects.create_superuser("root"))
    assert admin.get(url).status_code == 200
