"""Every way a call can end, over real sockets. The canary token must never show, no POST may arrive twice."""

import gzip
import json
import logging
import socket
import time
from collections.abc import Iterator

import pytest

from wechat.client import Client, Timeouts, _parse
from wechat.endpoints import (
    ADDRESS_GET,
    ADDRESS_LIST,
    COURIERS_NEW,
    COURIERS_OLD,
    DELIVERY_SEND,
    ORDER_GET,
    ORDER_LIST,
    STABLE_TOKEN,
    Endpoint,
)
from wechat.payload import ItemWire, PackageWire, send_body
from wechat.replies import Reply, ReplyKind
from wechat.secrets import Token

from .server import Answer, RawServer, drips, http, resets, says, silent

CANARY = "CANARY0123456789abcdef_TOKEN"
FAST = Timeouts(connect=0.2, read=0.2, total=0.4)
BODY = send_body("123456", [PackageWire(1, "YD", "23424324253", (ItemWire("12345", "678910", 1),))])
OK = b'{"errcode": 0, "errmsg": "ok"}'


@pytest.fixture(autouse=True)
def _no_canary(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens, with every logger at its loudest, the token stays out of the log."""
    for name in (None, "urllib3", "urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    assert CANARY not in caplog.text


def call(url: str, endpoint: Endpoint = DELIVERY_SEND, timeouts: Timeouts = FAST) -> Reply:
    reply = Client(url, timeouts).call(endpoint, BODY, token=Token(CANARY))
    assert CANARY not in repr(reply)
    assert "127.0.0.1" not in repr(reply)
    return reply


def ask(answer: Answer, endpoint: Endpoint = DELIVERY_SEND, timeouts: Timeouts = FAST) -> Reply:
    with RawServer(answer) as server:
        reply = call(server.url, endpoint, timeouts)
        time.sleep(0.02)
        assert len(server.requests) == 1  # never posted twice
    return reply


def test_what_goes_on_the_wire() -> None:
    body = {"order_id": "1", "note": "中文"}
    with RawServer(says(http(OK))) as server:
        reply = Client(server.url + "/").call(DELIVERY_SEND, body, token=Token("a&b"))
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert reply.ok
    assert reply.http_status == 200
    assert head.startswith(b"POST /channels/ec/order/delivery/send?access_token=a%26b HTTP/1.1")
    assert b"content-type: application/json\r\n" in head.lower() + b"\r\n"
    assert sent == json.dumps(body, ensure_ascii=False).encode()


def test_an_error_answer_keeps_the_words_and_the_rid() -> None:
    reply = ask(says(http('{"errcode":109000,"errmsg":"商品 rid: 6a-7b-8c"}'.encode())))
    assert (reply.kind, reply.errcode, reply.rid, reply.ok) == (ReplyKind.ANSWERED, 109000, "6a-7b-8c", False)
    assert reply.errmsg == "商品 rid: 6a-7b-8c"


def test_control_characters_and_broken_utf8_are_read() -> None:
    reply = ask(says(http(b'{"errcode":0,"errmsg":"a\x01\xff\nb"}')))
    assert reply.ok
    assert reply.errmsg == "a\x01\nb"


def test_a_compressed_answer_is_read() -> None:
    assert ask(says(http(gzip.compress(OK), extra="Content-Encoding: gzip\r\n"))).ok


def test_a_chunked_answer_is_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(OK), OK)
    assert ask(says(chunked)).ok


BIG = b'{"errcode":0,"errmsg":"' + b"x" * 70_000 + b'"}'
HEAD = b"HTTP/1.1 200 OK\r\n"
FAULTS = {
    "silent": (silent, "read_timeout"),
    "reset": (resets(), "connection_reset"),
    "closed": (says(b""), "connection_reset"),
    "garbage": (says(b"\x00\x01not http\r\n\r\n"), "connection_reset"),
    "reset inside": (resets(http(b'{"err', length=99)), "connection_reset"),
    "500": (says(http(OK, status="500 Oops")), "http_error"),
    "502 empty": (says(http(b"", status="502 Bad Gateway")), "http_error"),
    "503 retry-after": (says(http(OK, status="503 Busy", extra="Retry-After: 0\r\n")), "http_error"),
    "302": (says(http(OK, status="302 Found", extra="Location: /elsewhere\r\n")), "redirected"),
    "307": (says(http(OK, status="307 Again", extra="Location: /elsewhere\r\n")), "redirected"),
    "html": (says(http(b"<html>sorry</html>")), "not_json"),
    "list": (says(http(b"[0]")), "not_json"),
    "deep": (says(http(b"[" * 60_000)), "not_json"),
    "empty": (says(http(b"")), "answer_empty"),
    "blank": (says(http(b" \r\n")), "answer_empty"),
    "truncated": (says(http(OK, length=len(OK) + 9)), "answer_truncated"),
    "truncated chunk": (says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{}"), "answer_truncated"),
    "too big": (says(http(BIG)), "answer_too_big"),
    "no errcode": (says(http(b'{"errmsg":"ok"}')), "answer_without_errcode"),
    "bool errcode": (says(http(b'{"errcode":false}')), "answer_without_errcode"),
    "text errcode": (says(http(b'{"errcode":"0"}')), "answer_without_errcode"),
    "null errcode": (says(http(b'{"errcode":null}')), "answer_without_errcode"),
    "dripping body": (drips(http(b"", length=9999), b" "), "answer_too_slow"),
    "dripping endless body": (drips(HEAD + b"\r\n" + OK, b" "), "answer_too_slow"),
    "dripping headers": (drips(HEAD, b"X-A: b\r\n"), "answer_too_slow"),
    "dripping status": (drips(b"", b"H"), "answer_too_slow"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_after_the_connection_nobody_knows(name: str) -> None:
    answer, slug = FAULTS[name]
    reply = ask(answer)
    assert (reply.kind, reply.slug, reply.errcode) == (ReplyKind.NO_ANSWER, slug, None)
    assert reply.elapsed_ms < 1000


def test_reads_may_leave_errcode_out_and_are_larger() -> None:
    assert ask(says(http(b'{"order":{}}')), ORDER_GET).ok
    assert ask(says(http(BIG)), ORDER_GET).ok
    assert ask(says(http(b'{"errcode":true}')), ORDER_GET).slug == "answer_without_errcode"


READS = {
    ORDER_GET: b'{"order":{}}',
    ORDER_LIST: b'{"order_id_list":[]}',
    COURIERS_NEW: b'{"company_list":[]}',
    COURIERS_OLD: b'{"company_list":[]}',
    ADDRESS_LIST: b'{"address_id_list":[]}',
    ADDRESS_GET: b'{"address_detail":{}}',
    STABLE_TOKEN: b'{"access_token":"a"}',
}


@pytest.mark.parametrize("endpoint", READS, ids=lambda endpoint: endpoint.name)
def test_without_an_errcode_only_the_expected_data_is_a_success(endpoint: Endpoint) -> None:
    """A gateway's own JSON must not read as "no orders"."""
    assert _parse(READS[endpoint], endpoint).ok
    for body in (b"{}", b'{"message":"no such route"}'):
        assert _parse(body, endpoint).slug == "answer_without_errcode"
    assert _parse(b'{"errcode":0}', endpoint).ok


def test_an_answer_holds_no_text_a_database_refuses() -> None:
    """Half an emoji and NUL can be written in JSON, and neither SQLite nor PostgreSQL takes both."""
    reply = ask(
        says(http(rb'{"errcode":109000,"errmsg":"a\ud83d\u0000b \ud83d\ude00","x":[{"\ud83dk":"\u0000v"}]}'))
    )
    assert reply.errmsg == "ab \U0001f600"
    assert reply.data["x"] == [{"k": "v"}]


def test_an_errcode_no_column_holds_is_no_answer() -> None:
    assert ask(says(http(b'{"errcode":9223372036854775808}'))).slug == "answer_without_errcode"
    assert ask(says(http(b'{"errcode":9223372036854775807}'))).errcode == 2**63 - 1


def test_a_refused_connection_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    reply = call(f"http://127.0.0.1:{port}", timeouts=Timeouts())
    assert (reply.kind, reply.slug) == (ReplyKind.NOT_SENT, "refused_connection")


def test_an_unresolved_host_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    reply = call("http://store.invalid", timeouts=Timeouts())
    assert (reply.kind, reply.slug) == (ReplyKind.NOT_SENT, "unresolved_host")


def test_a_full_queue_is_a_connect_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        reply = call(f"http://127.0.0.1:{full.getsockname()[1]}", timeouts=Timeouts(0.1, 0.2, 2))
        for filler in fillers:
            filler.close()
    assert (reply.kind, reply.slug) == (ReplyKind.NOT_SENT, "connect_timeout")


@pytest.mark.parametrize("url", ["http://[broken", "store.invalid", "ftp://127.0.0.1"])
def test_an_unusable_address_sent_nothing(url: str) -> None:
    assert call(url).kind is ReplyKind.NOT_SENT


def test_a_fault_inside_an_except_block_is_judged_alone() -> None:
    """The caller's own exception hangs on as __context__ and must not decide."""
    try:
        raise TimeoutError("the caller's")
    except TimeoutError:
        reply = ask(resets())
    assert reply.slug == "connection_reset"


def test_a_missing_token_is_a_bug_and_is_raised() -> None:
    with pytest.raises(ValueError, match="order/get needs a token"):
        Client("http://127.0.0.1:1").call(ORDER_GET, {})


def test_a_token_never_goes_into_the_cloud() -> None:
    with RawServer(says(http(OK))) as server:
        in_the_cloud = Client(server.url, FAST, is_cloud=True)
        with pytest.raises(ValueError, match="no token goes"):
            in_the_cloud.call(DELIVERY_SEND, BODY, token=Token(CANARY))
        assert in_the_cloud.call(DELIVERY_SEND, BODY).ok
    assert server.requests[0].startswith(b"POST /channels/ec/order/delivery/send HTTP/1.1")


def test_an_unwritable_body_is_raised_without_its_text() -> None:
    with pytest.raises(ValueError) as caught:
        Client("http://127.0.0.1:1").call(STABLE_TOKEN, {"secret": "S3CRET\ud800"})
    assert "S3CRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_fresh_token_stays_out_of_the_repr() -> None:
    with RawServer(says(http(json.dumps({"access_token": CANARY, "expires_in": 7200}).encode()))) as server:
        reply = Client(server.url, FAST).call(STABLE_TOKEN, {})
    assert reply.ok
    assert reply.data["access_token"] == CANARY
    assert CANARY not in repr(reply) + str(reply)
    assert b"access_token" not in server.requests[0]


def test_the_environment_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ask(says(http(OK))).ok
