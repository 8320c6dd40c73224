"""`sync_orders` against answers the documents allow but our sandbox does not give: junk, gaps, refusals."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from merchants import lines
from merchants.fields import _box
from merchants.models import Credential, Merchant
from merchants.services import add_merchant
from shipping.models import Courier, Order, OrderLine
from tests.conftest import APPID, SECRET
from tests.wechat.server import RawServer

pytestmark = pytest.mark.django_db(transaction=True)
Answers = dict[str, Any]
Platform = Callable[[Answers], RawServer]
ORDER = {"order_id": 500, "status": 20, "order_detail": {"product_infos": [{"product_id": 1, "sku_id": 2}]}}


@pytest.fixture
def platform(settings: Any) -> Iterator[Platform]:
    """A platform that gives each call, by the end of its path, one fixed answer."""
    servers: list[RawServer] = []

    def start(answers: Answers) -> RawServer:
        server = RawServer(lambda conn: conn.sendall(_answer(servers[0].requests[-1], answers)))
        servers.append(server)
        settings.WECHAT_API_URL, settings.WECHAT_API_HOST = server.url, "127.0.0.1"
        add_merchant(appid=APPID, name="店", secret=SECRET)
        return server

    yield start
    for server in servers:
        server.__exit__()


def _answer(request: bytes, answers: Answers) -> bytes:
    path = request.split(b" ", 2)[1].split(b"?")[0].decode()
    known = {"stable_token": {"access_token": "t" * 40, "expires_in": 7200}, "order/list/get": _page("500")}
    wanted = known | {"order/get": {"errcode": 0, "order": ORDER}} | answers
    body = next((wanted[end] for end in wanted if path.endswith(end)), {"errcode": 48001})
    return b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(body).encode()


def _page(*ids: Any, **more: Any) -> Answers:
    return {"errcode": 0, "order_id_list": list(ids), "has_more": False} | more


def sync(*options: str) -> tuple[int, list[dict[str, Any]]]:
    out, code = StringIO(), 0
    try:
        call_command("sync_orders", "--json", *options, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_ids_as_numbers_and_missing_facts_are_read(platform: Platform) -> None:
    platform({})
    assert sync() == (0, [{"merchant": APPID, "read": 1, "changed": 1, "failed": 0, "error": ""}])
    assert Order.objects.get().order_id == "500"


def test_numbers_that_no_column_holds_do_not_end_the_sync(platform: Platform) -> None:
    line = {"product_id": "1", "sku_id": "2", "sku_cnt": 10**30, "sale_price": 10**30}
    detail = {"product_infos": [line], "delivery_info": {"deliver_method": 10**20}}
    platform({"order/get": {"errcode": 0, "order": ORDER | {"order_detail": detail}}})
    assert sync()[0] == 0
    assert OrderLine.objects.get().sale_price is None


def test_a_status_that_is_no_number_is_one_order_failed(platform: Platform) -> None:
    platform({"order/get": {"errcode": 0, "order": ORDER | {"status": 10**30}}})
    code, lines = sync()
    assert (code, lines[0]["failed"], lines[0]["error"]) == (1, 1, "facts_unreadable")


def test_odd_rows_of_the_courier_list_are_passed_over(platform: Platform) -> None:
    rows = [None, "SF", {"delivery_id": None}, {"delivery_id": "SF", "delivery_name": None}]
    platform({"order/deliverycompanylist/get": {"errcode": 0, "company_list": rows}})
    assert sync()[0] == 0
    assert Courier.objects.get().delivery_id == "SF"


@pytest.mark.parametrize(("value", "has"), [(1, True), ("true", True), (True, True), (0, False), ("", False)])
def test_the_default_return_address_is_known_by_any_word_for_yes(
    platform: Platform, value: Any, has: bool
) -> None:
    listed = {"errcode": 0, "address_id_list": [7]}
    platform({"address/list": listed, "address/get": {"address_detail": {"default_recv": value}}})
    assert sync()[0] == 0
    assert Merchant.objects.get().has_return_address is has


def test_a_list_cut_short_is_told(platform: Platform) -> None:
    platform({"order/list/get": _page("500", has_more=True)})
    code, lines = sync()
    assert (code, lines[0]["read"], lines[0]["error"]) == (1, 1, "has_more without a next_key")


def test_a_number_in_quotes_is_read(platform: Platform) -> None:
    platform({"order/get": {"errcode": "0", "order": ORDER}})
    assert sync()[0] == 0


@pytest.mark.parametrize("errcode", [45011, 48001])
def test_a_refusal_of_the_merchant_is_not_asked_for_again(platform: Platform, errcode: int) -> None:
    server = platform(
        {"order/list/get": _page(*range(500, 520)), "order/get": {"errcode": errcode, "errmsg": "no"}}
    )
    code, lines = sync()
    assert (code, lines[0]["error"]) == (1, f"{errcode} no")
    assert sum(b"/order/get" in request for request in server.requests) == 1


def test_a_wrong_secret_is_named(platform: Platform) -> None:
    platform({"stable_token": {"errcode": 40125, "errmsg": f"invalid appsecret {SECRET}"}})
    code, lines = sync()
    assert (code, lines[0]["error"]) == (1, "no_token 40125 invalid appsecret ***")


@pytest.mark.parametrize("lifetime", [0, 10, "7200", 10**30, None])
def test_a_token_lives_as_long_as_the_platform_takes_it(platform: Platform, lifetime: Any) -> None:
    platform({"stable_token": {"access_token": "t" * 40, "expires_in": lifetime}})
    assert sync()[0] == 0


def test_a_token_call_that_got_no_answer_is_made_again(world: Any) -> None:
    Credential.objects.update(access_token="", token_expires_at=None)
    world.remote.fault("http500_before", call="cgi-bin/stable_token")
    assert sync()[0] == 0


def test_a_secret_that_no_key_opens_fails_its_merchant_only(world: Any, settings: Any) -> None:
    old = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    add_merchant(appid="wx0", name="二店", secret=SECRET)
    settings.CREDENTIAL_KEYS = old
    _box.cache_clear()
    code, lines = sync()
    assert (code, {line["merchant"]: line["error"] for line in lines}[APPID]) == (1, "")
    assert {line["merchant"] for line in lines} == {APPID, "wx0"}


@pytest.mark.parametrize("days", ["0", "-3", "x", "99999999"])
def test_days_out_of_range_end_before_any_call(days: str) -> None:
    with pytest.raises(CommandError):
        call_command("sync_orders", "--days", days)


def test_a_second_process_waits_for_the_first_ones_token(platform: Platform) -> None:
    def hang(conn: socket.socket) -> None:
        time.sleep(0.3)
        conn.sendall(_answer(b"POST /stable_token HTTP/1.0", {}))

    server = platform({})
    server._answer = hang

    def fetch() -> bool:
        line = lines.ensure(Merchant.objects.get())
        connection.close()
        return line is not None

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: fetch(), range(3))) == [True, True, True]
    assert len(server.requests) == 1
