"""Calls end when an answer was promised, whichever way a store is called; a second process waits for the first."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from merchants import component, deadline, lines, tokens
from merchants.models import Credential, Merchant, Platform
from shipping.dispatch import pump_until_settled
from shipping.syncing import read_order
from tests.conftest import SECRET
from tests.flows.test_dispatch import ship
from tests.lines.conftest import PLATFORM, Provider
from wechat.endpoints import ORDER_GET
from wechat.payload import order_get_body
from wechat.replies import Reply, ReplyKind

pytestmark = pytest.mark.django_db(transaction=True)
REFRESH, LISTED, OWN_TOKEN = "api_authorizer_token", "api_get_authorizer_list", "api_component_token"


@pytest.fixture(params=["own", "cloud", "component"])
def world_of(request: Any, authorized: Provider, settings: Any) -> Any:
    """The store with a living line, called each way in turn."""
    world = authorized.world
    if request.param == "own":
        Credential.objects.update(mode="own", app_secret=SECRET, token_expires_at=None)
        assert lines.ensure(world.merchant) is not None
    elif request.param == "cloud":
        settings.WECHAT_CLOUD_API_URL = world.remote.cloud(world.merchant.appid)
        Credential.objects.update(mode="cloud", app_secret="", access_token="")
    return world


def in_a_lane(call: Callable[[], Reply]) -> tuple[Reply, float]:
    """Made in a thread that knows of no promise."""
    began = time.monotonic()
    with ThreadPoolExecutor(1) as lane:
        reply = lane.submit(call).result()
    return reply, time.monotonic() - began


def test_a_line_takes_the_promise_into_the_lane(world_of: Any) -> None:
    order = world_of.order()
    world_of.remote.fault("timeout_not_accepted", call="order/get", times=0, seconds=6)
    with deadline.until(time.monotonic() + 1):
        line = lines.current(world_of.merchant)
        assert line is not None
        time.sleep(0.5)
        ready = line.in_time()
    reply, seconds = in_a_lane(lambda: ready.call(ORDER_GET, order_get_body(order.order_id)))
    assert reply.kind == ReplyKind.NO_ANSWER
    assert seconds < 0.9, "what was left when the call was made, not when the line was"


@pytest.mark.parametrize("call", ["order/get", "order/delivery/send"])
def test_a_pump_ends_in_time(world_of: Any, call: str) -> None:
    shipment = ship(world_of.order())
    world_of.remote.fault("timeout_not_accepted", call=call, times=0, seconds=6)
    began = time.monotonic()
    with deadline.until(began + 0.7):
        pump_until_settled({shipment.pk}, 0.7)
    assert time.monotonic() - began < 1.7


@pytest.mark.parametrize("call", [OWN_TOKEN, REFRESH, LISTED])
def test_fetching_for_a_third_party_ends_in_time(authorized: Provider, call: str) -> None:
    """In the pump's lanes, too: also the list that is paged through for a lost refresh token."""
    world = authorized.world
    shipment = ship(world.order())
    Credential.objects.update(token_expires_at=None, lease_until=timezone.now())
    if call == LISTED:
        Credential.objects.update(refresh_token="")
    if call == OWN_TOKEN:
        Platform.objects.update(token_expires_at=None)
    world.remote.fault("timeout_not_accepted", call=call, times=0, seconds=6)
    began = time.monotonic()
    with deadline.until(began + 1):
        pump_until_settled({shipment.pk}, 1)
    assert time.monotonic() - began < 2.2


def test_other_threads_know_nothing_of_a_promise(world: Any, settings: Any) -> None:
    with deadline.until(time.monotonic() + 0.5), ThreadPoolExecutor(1) as lane:
        assert lane.submit(deadline.timeouts).result().total == settings.WECHAT_TIMEOUT[2]
        assert deadline.timeouts().total <= 0.5
    assert deadline.seconds_left() == float("inf")


# --- a token that another process is fetching -----------------------------------------------------------


@pytest.mark.parametrize("whose", ["store", "platform"])
def test_a_second_process_waits_for_whoever_fetches_for_a_third_party(
    authorized: Provider, whose: str
) -> None:
    merchant = authorized.world.merchant
    Credential.objects.update(token_expires_at=None)
    if whose == "platform":
        Platform.objects.update(token_expires_at=None)
    authorized.world.remote.ask("DELETE", "/_sandbox/ledger")
    other = lines.ask(merchant)
    assert other is not None

    def fetch() -> None:
        time.sleep(0.3)
        other.keep(other.fetch())
        connection.close()

    thread = threading.Thread(target=fetch)
    thread.start()
    assert lines.ensure(Merchant.objects.get()) is not None
    thread.join()
    assert len(authorized.calls(OWN_TOKEN)) == (whose == "platform")
    assert len(authorized.calls(REFRESH)) == 1


def test_a_process_that_died_fetching_is_waited_for_once(world: Any, settings: Any) -> None:
    settings.WECHAT_TIMEOUT = (0.4, 0.4, 0.4)
    Credential.objects.update(token_expires_at=None)
    assert lines.ask(world.merchant) is not None
    began = time.monotonic()
    assert lines.ensure(world.merchant) is None
    assert 0.4 <= time.monotonic() - began < 1.2


# --- reads ----------------------------------------------------------------------------------------------


def test_a_read_names_why_the_platform_has_no_token(authorized: Provider) -> None:
    merchant = authorized.world.merchant
    Credential.objects.update(token_expires_at=None)
    Platform.objects.update(token_expires_at=None)
    authorized.world.remote.fault("code", call=OWN_TOKEN, errcode=61006, errmsg="ticket gone", times=0)
    authorized.world.remote.ask("DELETE", "/_sandbox/ledger")
    _, reply = read_order(merchant, "1")
    assert (reply.slug, reply.errmsg.startswith("61006 ")) == ("no_token", True)
    assert len(authorized.calls(OWN_TOKEN)) == 1, "asking again changes nothing"


def test_a_platform_that_does_not_answer_is_asked_again(authorized: Provider) -> None:
    merchant = authorized.world.merchant
    order = authorized.world.order()
    Credential.objects.update(token_expires_at=None)
    Platform.objects.update(token_expires_at=None)
    authorized.world.remote.fault("http500_before", call=OWN_TOKEN)
    found, reply = read_order(merchant, order.order_id)
    assert found is not None, reply


def test_a_last_failure_opens_no_secret(authorized: Provider, settings: Any) -> None:
    """Its words must come also where no key opens the secrets any more."""
    Credential.objects.update(failed_at=timezone.now(), failed_errcode=40125)
    Platform.objects.update(failed_at=timezone.now(), failed_errcode=61006)
    settings.CREDENTIAL_KEYS = ["A" * 43 + "="]
    row, platform = lines.last_failure(authorized.world.merchant), component.last_failure()
    assert row is not None
    assert platform is not None
    assert (row.failed_errcode, platform.failed_errcode) == (40125, 61006)
    assert tokens.was_refused(40125)
    assert not tokens.was_refused(-1)
    assert platform.appid == PLATFORM
