"""A store's admin sets up where its people are told; a worker says it there, again until it got through."""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext

from merchants import delivering, telling
from merchants.models import Audit, Channel, Errand, Merchant, Message, User
from merchants.services import add_merchant, set_membership
from merchants.telling import Words, notify
from shipping.erasing import erase_merchant
from tests.faults.test_leaks import database
from tests.pages.test_admin import admin
from tests.pages.test_desk import page, run_tasks
from wechat.secrets import redact

from .conftest import SIGN, WEBHOOK, Robots

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin"]  # the fixture
NEW = "/admin/merchants/channel/add/"
HELLO = Words("停了", "测试店：全部发货停着")


def made(robots: Robots, kind: str, merchant: Merchant | None, **more: Any) -> Channel:
    return Channel.objects.create(
        **{"merchant": merchant, "name": kind, "kind": kind, "webhook": robots.url(kind), **more}
    )


def hello() -> Words:
    return HELLO


def filled(kind: str, url: str, merchant: Any, **more: str) -> dict[str, Any]:
    return {"merchant": merchant.pk if merchant else "", "name": "值班群", "kind": kind, "language": "zh-hans",
            "role": "admin", "is_active": "on", "new_webhook": url, "new_sign_secret": "", **more}  # fmt: skip


def test_each_robot_gets_what_its_document_shows(world: Any, robots: Robots) -> None:
    for kind in ("wecom", "feishu", "dingtalk"):
        made(robots, kind, world.merchant)
    assert notify(merchant=world.merchant, compose=hello) == 3
    run_tasks()
    text = "[Fahuo] 停了\n测试店：全部发货停着"
    wecom, feishu, dingtalk = robots.asked
    assert (wecom.path, wecom.query) == ("/cgi-bin/webhook/send", {"key": WEBHOOK})
    assert wecom.body == {"msgtype": "text", "text": {"content": text}}
    assert (feishu.path, feishu.query) == (f"/open-apis/bot/v2/hook/{WEBHOOK}", {})
    assert feishu.body == {"msg_type": "text", "content": {"text": text}}
    assert (dingtalk.path, dingtalk.query) == ("/robot/send", {"access_token": WEBHOOK})
    assert dingtalk.body == {"msgtype": "text", "text": {"content": text}}
    assert not telling.unsaid().exists()
    assert Channel.objects.filter(succeeded_at__isnull=False).count() == 3


def digest(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def test_feishu_and_dingtalk_are_signed_each_in_its_own_way(world: Any, robots: Robots) -> None:
    for kind in ("feishu", "dingtalk"):
        made(robots, kind, world.merchant, sign_secret=SIGN)
    notify(merchant=world.merchant, compose=hello)
    run_tasks()
    feishu, dingtalk = robots.asked
    stamp = feishu.body["timestamp"]
    assert feishu.body["sign"] == digest(f"{stamp}\n{SIGN}", "")
    assert len(stamp) == 10, "seconds"
    stamp = dingtalk.query["timestamp"]
    assert dingtalk.query["sign"] == digest(SIGN, f"{stamp}\n{SIGN}")
    assert len(stamp) == 13, "milliseconds"
    assert dingtalk.query["access_token"] == WEBHOOK


def test_a_long_text_fits_the_robot_that_takes_the_least(world: Any, robots: Robots) -> None:
    made(robots, "wecom", world.merchant)
    notify(merchant=world.merchant, compose=lambda: Words("发货台", "包" * 2000))
    run_tasks()
    [text] = robots.texts
    assert 2000 < len(text.encode()) <= 2048
    assert text.endswith("包……")


def test_a_message_is_written_in_the_channels_language(world: Any, robots: Robots) -> None:
    made(robots, "wecom", world.merchant, language="en")
    notify(merchant=world.merchant, compose=lambda: Words(gettext("订单号"), ""))
    run_tasks()
    assert robots.texts == ["[Fahuo] Order number"]


REFUSALS = {
    "wecom": ({"errcode": 93000, "errmsg": "invalid webhook url"}, "93000 invalid webhook url"),
    "feishu": (
        {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"},
        "19021 sign match",
    ),
    "dingtalk": ({"errcode": 310000, "errmsg": "keywords not in content"}, "310000 keywords not in content"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_robot_that_refuses_is_tried_again_later_and_shows(
    world: Any, robots: Robots, admin: Client, kind: str
) -> None:
    channel, (answer, words) = made(robots, kind, world.merchant), REFUSALS[kind]
    robots.answer(answer)
    notify(merchant=world.merchant, compose=hello)
    run_tasks()
    message = Message.objects.get()
    assert message.said_at is None
    assert message.failure.startswith(words)
    assert message.due_at is not None
    assert message.due_at > timezone.now() + timedelta(seconds=20)
    assert words in page(admin.get("/admin/merchants/message/"))
    assert words in page(admin.get(f"/admin/merchants/channel/{channel.pk}/change/"))
    robots.answers.clear()
    Message.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    delivering.hand_out()
    run_tasks()
    message.refresh_from_db()
    assert (message.due_at, message.failure, message.tries) == (None, "", 2)
    assert not Channel.objects.get().is_failing


def test_the_wait_grows_and_ends(world: Any, robots: Robots) -> None:
    assert [delivering.wait(tries).total_seconds() for tries in (1, 2, 3, 20)] == [30, 60, 120, 3600]
    made(robots, "wecom", world.merchant)
    robots.answer({"errcode": 93000, "errmsg": "no"})
    notify(merchant=world.merchant, compose=hello)
    Message.objects.update(tries=delivering.MOST_TRIES - 1)
    run_tasks()
    assert Message.objects.get().due_at is None
    assert Message.objects.get().said_at is None


def test_a_robot_that_redirects_is_not_followed(world: Any, robots: Robots) -> None:
    made(robots, "wecom", world.merchant)
    robots.answer({}, 307, Location=f"http://{robots.netloc}/cgi-bin/webhook/send?key=elsewhere")
    notify(merchant=world.merchant, compose=hello)
    run_tasks()
    assert len(robots.asked) == 1
    assert Message.objects.get().failure == "redirected 307"


def test_a_robot_that_says_nothing_holds_nobody_up(world: Any, robots: Robots, settings: Any) -> None:
    settings.WECHAT_TIMEOUT = (0.2, 0.2, 0.4)
    made(robots, "wecom", world.merchant)
    robots.answer(None)
    notify(merchant=world.merchant, compose=hello)
    run_tasks()
    assert Message.objects.get().failure in ("read_timeout", "answer_too_slow")


def test_what_is_no_yes_is_a_no(world: Any, robots: Robots) -> None:
    channel = made(robots, "feishu", world.merchant)
    answers: list[Any] = [{"StatusCode": 0}, {"code": True}, {"code": "0"}, {"msg": "success"}, [], "ok"]
    for body in answers:
        robots.answers.clear()
        robots.answer(body)
        assert delivering.tell(channel, HELLO), body
    robots.answers.clear()
    assert delivering.tell(channel, HELLO) == ""


def test_two_workers_say_it_once(world: Any, robots: Robots) -> None:
    made(robots, "wecom", world.merchant)
    notify(merchant=world.merchant, compose=hello)
    pk = Message.objects.get().pk
    delivering.deliver(pk)
    delivering.deliver(pk)
    assert len(robots.asked) == 1


def test_where_no_worker_takes_it_the_timekeeper_says_it(world: Any, robots: Robots) -> None:
    made(robots, "wecom", world.merchant)
    notify(merchant=world.merchant, compose=hello)
    delivering.hand_out()
    assert robots.asked == []
    Message.objects.update(due_at=timezone.now() - 2 * delivering.NOBODY_TAKES_IT)
    delivering.hand_out()
    assert len(robots.asked) == 1


def test_a_store_is_told_of_itself_and_the_operator_of_all(world: Any, robots: Robots) -> None:
    other = add_merchant(appid="wx00000000000000bb", name="别家")
    for name, store in (("own", world.merchant), ("others", other), ("operator", None)):
        made(robots, "wecom", store, name=name)
    made(robots, "wecom", world.merchant, name="off", is_active=False)

    def told() -> set[str]:
        return set(Message.objects.values_list("channel__name", flat=True))

    notify(merchant=world.merchant, compose=hello)
    assert told() == {"own"}
    notify(merchant=None, compose=hello)
    assert told() == {"own", "operator"}
    Message.objects.all().delete()
    notify(merchant=world.merchant, compose=hello, operator_too=True)
    assert told() == {"own", "operator"}


def test_a_mail_goes_to_members_of_the_role_who_have_an_address(world: Any) -> None:
    for name, role in (("chef", "admin"), ("lead", "manager"), ("clerk", "staff"), ("gone", "admin")):
        person = User.objects.create_user(name, email=f"{name}@example.com")
        set_membership(user=person, merchant=world.merchant, role=role, is_active=name != "gone")
    User.objects.create_superuser("root", email="root@example.com")
    Channel.objects.create(merchant=world.merchant, name="邮件", kind="mail", role="manager")
    Channel.objects.create(merchant=None, name="运营", kind="mail")
    notify(merchant=world.merchant, compose=hello, operator_too=True)
    run_tasks()
    store, operator = sorted(mail.outbox, key=lambda sent: sent.recipients())
    assert (store.subject, store.to, store.bcc) == (
        "[Fahuo] 停了",
        [],
        ["chef@example.com", "lead@example.com"],
    )
    assert operator.recipients() == ["root@example.com"]


def test_a_mail_to_nobody_shows_as_not_told(world: Any) -> None:
    Channel.objects.create(merchant=world.merchant, name="邮件", kind="mail")
    notify(merchant=world.merchant, compose=hello)
    run_tasks()
    assert Message.objects.get().failure == "no_address"


def test_an_admin_adds_a_channel_and_its_secrets_go_in_only(
    world: Any, robots: Robots, admin: Client, caplog: Any
) -> None:
    done = admin.post(NEW, filled("feishu", robots.url("feishu"), world.merchant, new_sign_secret=SIGN))
    assert done.status_code == 302, page(done)
    row = Channel.objects.get()
    assert (row.webhook, row.sign_secret) == (robots.url("feishu"), SIGN)
    url = f"/admin/merchants/channel/{row.pk}/change/"
    shown = page(admin.get(url)) + page(admin.get("/admin/merchants/channel/"))
    assert "…6789" in shown
    audit = Audit.objects.get(kind="channel")
    assert (audit.action, str(audit.by), audit.merchant) == ("added", "boss", world.merchant)
    assert {"webhook", "sign_secret"} <= set(audit.fields)
    # Empty fields keep what is stored.
    admin.post(url, filled("feishu", "", world.merchant, name="夜班群"))
    row.refresh_from_db()
    assert (row.name, row.sign_secret) == ("夜班群", SIGN)
    raw = database()
    assert WEBHOOK.encode() not in raw
    assert SIGN.encode() not in raw
    assert not [canary for canary in (WEBHOOK, SIGN) if canary in shown + caplog.text]


def test_a_test_message_is_a_task_whose_page_tells_the_end(world: Any, robots: Robots, admin: Client) -> None:
    channel = made(robots, "dingtalk", world.merchant)
    url = f"/admin/merchants/channel/{channel.pk}/change/"
    landed = admin.post(url, filled("dingtalk", "", world.merchant) | {"_try": "1"})
    assert robots.asked == [], "the web calls nobody"
    assert landed.url == f"/errands/{Errand.objects.get().pk}/"
    run_tasks()
    assert robots.texts == ["[Fahuo] 测试消息\n测试店 的通知会发到这里。\n127.0.0.1:8000"]
    assert "已送到" in page(admin.get(landed.url))
    robots.answer({"errcode": 310000, "errmsg": f"sign not match {WEBHOOK}"})
    landed = admin.post(url, filled("dingtalk", "", world.merchant) | {"_try": "1"})
    run_tasks()
    shown = page(admin.get(landed.url))
    assert "310000 sign not match ***" in shown
    assert "通知没有送到" in shown
    assert WEBHOOK not in shown


HOSTILE = {
    "a host inside": "https://169.254.169.254/cgi-bin/webhook/send?key=1",
    "the demo's own host": "http://127.0.0.1:8000/cgi-bin/webhook/send?key=1",
    "no https": "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
    "a name before": "https://qyapi.weixin.qq.com@evil.example/cgi-bin/webhook/send?key=1",
    "a name behind": "https://evil.example@qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
    "another port": "https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=1",
    "a longer host": "https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=1",
    "another robot": "https://oapi.dingtalk.com/robot/send?access_token=1",
    "another path": "https://qyapi.weixin.qq.com/cgi-bin/gettoken?key=1",
    "a climbing path": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send/../../x?key=1",
    "no key": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
    "a file": "file:///etc/passwd",
    "no address": "http://[",
}


def test_only_the_official_address_is_taken_and_called(world: Any, robots: Robots, admin: Client) -> None:
    channel = made(robots, "wecom", world.merchant)
    for why, url in HOSTILE.items():
        shown = page(admin.post(NEW, filled("wecom", url, world.merchant)))
        assert "这不是所选机器人的官方地址。" in shown, why
        # Nor is what came into the row past the form.
        channel.webhook = url
        assert delivering.tell(channel, HELLO) == "not_a_robot", why
    assert Channel.objects.count() == 1


def test_the_official_addresses_are_taken(world: Any, admin: Client) -> None:
    for kind, url in {
        "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx",
        "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/693a91f6-7xxx",
        "dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=693a91f6",
    }.items():
        assert admin.post(NEW, filled(kind, url, world.merchant)).status_code == 302
    assert Channel.objects.count() == 3


def test_an_admin_sees_own_channels_only_and_adds_none_for_others(
    world: Any, robots: Robots, admin: Client
) -> None:
    other = add_merchant(appid="wx00000000000000bb", name="别家")
    rows = [made(robots, "wecom", other, name="theirs"), made(robots, "wecom", None, name="operators")]
    for row in rows:
        notify(merchant=row.merchant, compose=hello)
        assert admin.get(f"/admin/merchants/channel/{row.pk}/change/").status_code == 404
        url = f"/admin/merchants/message/{Message.objects.get(channel=row).pk}/change/"
        assert admin.get(url).status_code == 404
    assert "theirs" not in page(admin.get("/admin/merchants/channel/"))
    for store in (other, None):
        shown = admin.post(NEW, filled("wecom", robots.url("wecom"), store))
        assert shown.status_code == 200, "refused"
    assert Channel.objects.count() == 2


def test_a_superuser_adds_the_operators_channel(world: Any, robots: Robots) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert root.post(NEW, filled("wecom", robots.url("wecom"), None)).status_code == 302
    assert Channel.objects.get().merchant is None


def test_a_closed_store_forgets_where_it_was_told(world: Any, robots: Robots) -> None:
    channel = made(robots, "wecom", world.merchant)
    notify(merchant=world.merchant, compose=hello)
    erase_merchant(world.merchant)
    channel.refresh_from_db()
    assert (channel.webhook, channel.is_active) == ("", False)
    run_tasks()
    assert robots.asked == []
    assert Message.objects.get().due_at is None


def test_old_messages_go_and_waiting_ones_stay(world: Any, robots: Robots) -> None:
    made(robots, "wecom", world.merchant)
    for _ in range(2):
        notify(merchant=world.merchant, compose=hello)
    Message.objects.update(created_at=timezone.now() - timedelta(days=31))
    Message.objects.filter(pk=Message.objects.all()[0].pk).update(due_at=None)
    assert delivering.forget_old() == 1


@pytest.mark.parametrize("kind", ["wecom", "feishu", "dingtalk"])
def test_an_address_is_cut_out_of_any_text(kind: str) -> None:
    hosts = {"wecom": "qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "feishu": "open.feishu.cn/open-apis/bot/v2/hook/",
             "dingtalk": "oapi.dingtalk.com/robot/send?access_token="}  # fmt: skip
    assert "abcdef" not in redact(f"POST https://{hosts[kind]}abcdef-0123 failed")
