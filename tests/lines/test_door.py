"""The push door: what is not from WeChat leaves no row, what comes ten times counts once."""

import base64
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.test import Client
from django.utils import timezone

from merchants import events
from merchants.models import Platform, PushedEvent
from sandbox import pushing
from shipping import tasks
from tests.faults.test_leaks import database
from tests.lines.conftest import DOOR, PLATFORM, Provider
from tests.pages.test_desk import run_tasks
from wechat.envelope import open_sealed, read_xml

pytestmark = pytest.mark.django_db(transaction=True)


def sealed(provider: Provider, event: str = "component_verify_ticket", **more: Any) -> dict[str, str]:
    pushed: dict[str, str] = provider.world.remote.push(PLATFORM, event, **more)
    return pushed


def post(push: dict[str, str], **query: str) -> Any:
    asked = {name: values[-1] for name, values in parse_qs(push["query"]).items()} | query
    client = Client(enforce_csrf_checks=True)
    return client.post(f"{DOOR}?{urlencode(asked)}", push["body"], content_type="text/xml")


def test_ten_replays_are_one_row_and_one_effect(provider: Provider) -> None:
    push = sealed(provider)
    began = time.monotonic()
    answers = [post(push) for _ in range(10)]
    assert time.monotonic() - began < 5
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"success")}
    assert PushedEvent.objects.count() == 1
    run_tasks()
    event = PushedEvent.objects.get()
    assert event.handled_at is not None
    assert provider.platform.verify_ticket in event.body
    Platform.objects.update(verify_ticket="", ticket_at=None)
    events.handle(event.pk)
    assert provider.platform.verify_ticket == "", "worked off once"


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_bent_query_is_403_and_no_row(provider: Provider, name: str) -> None:
    push = sealed(provider)
    assert post(push, **{name: "0" * 40}).status_code == 403
    assert post(push, **{name: ""}).status_code == 403
    assert post(push, **{name: "签"}).status_code == 403
    assert not PushedEvent.objects.exists()
    assert post(push).status_code == 200


def test_another_accounts_push_is_403_though_its_signature_is_right(provider: Provider) -> None:
    assert post(sealed(provider, inner_appid="wxsomebodyelse")).status_code == 403
    assert not PushedEvent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no xml",
        "<xml><Encrypt>!</Encrypt></xml>",
        "<xml></xml>",
        '<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
        "<xml>" + "<a>x</a>" * 10_000 + "</xml>",
    ],
)
def test_what_is_no_push_is_403_and_no_row(provider: Provider, body: str) -> None:
    assert post({**sealed(provider), "body": body}).status_code == 403
    assert not PushedEvent.objects.exists()


def test_a_get_is_not_for_this_door(provider: Provider) -> None:
    assert Client().get(DOOR).status_code == 405


def test_without_a_platform_the_door_is_shut(provider: Provider) -> None:
    push = sealed(provider)
    Platform.objects.update(push_token="")
    assert post(push).status_code == 403
    Platform.objects.all().delete()
    assert post(push).status_code == 403


def test_a_worker_that_was_down_picks_the_event_up_later(provider: Provider) -> None:
    post(sealed(provider))
    assert provider.platform.verify_ticket == ""
    tasks.renew_tokens.func()
    assert provider.platform.verify_ticket.startswith("ticket@@@")


def test_an_event_nobody_knows_is_kept_and_does_no_harm(provider: Provider, monkeypatch: Any) -> None:
    monkeypatch.setattr(pushing, "EVENTS", (*pushing.EVENTS, "notify_of_tomorrow"))
    assert post(sealed(provider, "notify_of_tomorrow", appid="wx9")).status_code == 200
    run_tasks()
    assert PushedEvent.objects.get().handled_at is not None


def test_the_ticket_is_nowhere_in_the_database_file(provider: Provider) -> None:
    push = sealed(provider)
    post(push)
    run_tasks()
    ticket = provider.platform.verify_ticket
    encrypted = read_xml(push["body"].encode())["Encrypt"]
    assert ticket.encode() in open_sealed(encrypted, provider.platform.aes_key, PLATFORM)
    for canary in (ticket, encrypted, base64.b64encode(ticket.encode()).decode()):
        assert canary.encode() not in database()


def test_events_go_after_a_month(provider: Provider) -> None:
    post(sealed(provider))
    post(sealed(provider))
    old = PushedEvent.objects.order_by("id")[0]
    PushedEvent.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=31))
    events.forget_old()
    assert PushedEvent.objects.count() == 1
