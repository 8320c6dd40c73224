"""Pushed envelopes: the public vectors open, everything bent by a bit does not."""

import base64
import json
import time
import tracemalloc

import pytest

from sandbox import cipher
from wechat.envelope import Forged, is_signed, key_bytes, open_sealed, read_message, read_xml

# Public example values of the official message-push page and of SKIT's unit test, recomputed.
JSON_MODE = {
    "token": "AAAAA",
    "key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "appid": "wxba5fad812f8e6fb9",
    "timestamp": "1714112445",
    "nonce": "415670741",
    "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    "encrypt": "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=",
}
XML_MODE = {
    "token": "QDG6eK",
    "key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    "appid": "wx5823bf96d3bd56c7",
    "timestamp": "1409659813",
    "nonce": "1372623149",
    "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "encrypt": "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==",
}
VECTORS = [JSON_MODE, XML_MODE]


def signed(vector: dict[str, str], **bent: str) -> bool:
    v = {**vector, **bent}
    return is_signed(v["msg_signature"], v["token"], v["timestamp"], v["nonce"], v["encrypt"])


@pytest.mark.parametrize("vector", VECTORS)
def test_the_public_vectors_are_signed_and_open(vector: dict[str, str]) -> None:
    assert signed(vector)
    message = open_sealed(vector["encrypt"], vector["key"], vector["appid"])
    if vector is JSON_MODE:
        assert json.loads(message)["debug_str"] == "hello world"
    else:
        assert read_xml(message)["Content"] == "hello"


@pytest.mark.parametrize("name", ["token", "timestamp", "nonce", "encrypt", "msg_signature"])
def test_whatever_is_bent_breaks_the_signature(name: str) -> None:
    assert not signed(XML_MODE, **{name: XML_MODE[name] + "1"})
    assert not signed(XML_MODE, **{name: "签名"})


def test_another_accounts_message_is_forged() -> None:
    with pytest.raises(Forged, match="appid"):
        open_sealed(XML_MODE["encrypt"], XML_MODE["key"], "wx0000000000000000")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Forged):
        open_sealed(XML_MODE["encrypt"], JSON_MODE["key"], XML_MODE["appid"])


@pytest.mark.parametrize("text", ["", "=", "not base64!", "AAAA", XML_MODE["encrypt"][:-4]])
def test_what_is_no_cipher_text_is_forged(text: str) -> None:
    with pytest.raises(Forged):
        open_sealed(text, XML_MODE["key"], XML_MODE["appid"])


def test_every_bit_of_the_cipher_text_counts() -> None:
    """A bent bit garbles its block: the random bytes apart, none of them passes as another message."""
    raw = base64.b64decode(cipher.seal("<xml/>", XML_MODE["key"], XML_MODE["appid"]))
    for place in range(16, len(raw)):
        bent = bytearray(raw)
        bent[place] ^= 1
        try:
            message = open_sealed(base64.b64encode(bytes(bent)).decode(), XML_MODE["key"], XML_MODE["appid"])
        except Forged:
            continue
        pytest.fail(f"byte {place} did not matter: {message!r}")


@pytest.mark.parametrize("length", range(0, 70))
def test_every_length_comes_through_whole(length: int) -> None:
    message = "字" * (length // 3) + "x" * (length % 3)
    sealed = cipher.seal(message, XML_MODE["key"], XML_MODE["appid"])
    assert open_sealed(sealed, XML_MODE["key"], XML_MODE["appid"]).decode() == message


@pytest.mark.parametrize("key", ["", "short", "x" * 42, "x" * 44, "!" * 43])
def test_what_is_no_key_is_told_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="43"):
        key_bytes(key)


def test_xml_is_read_by_path() -> None:
    found = read_xml(
        b"<xml><AppId><![CDATA[wx<1>]]></AppId><order_info><order_id>3&amp;4</order_id></order_info></xml>"
    )
    assert found == {"AppId": "wx<1>", "order_info.order_id": "3&4"}


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><A>&b;</A></xml>'


@pytest.mark.parametrize(
    "raw", [BOMB, b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>', b"<xml>", b"", b"{}", b"<a></b>"]
)
def test_what_is_no_plain_xml_is_forged(raw: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(Forged):
        read_xml(raw)
    assert time.monotonic() - began < 0.5


def test_deeply_nested_xml_at_a_door_costs_nothing() -> None:
    raw = b"<a>x" * (64 * 1024 // 4)
    tracemalloc.start()
    with pytest.raises(Forged):
        read_message(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
