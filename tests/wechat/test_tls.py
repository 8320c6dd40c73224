"""TLS: an error in the handshake sent nothing, the same error while reading may have shipped."""

import datetime
import ipaddress
import socket
import ssl
import threading
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wechat import client
from wechat.client import Timeouts
from wechat.replies import ReplyKind
from wechat.sockets import Line

from .server import RawServer, drips, http, says
from .test_client import OK, call

# A handshake on a busy machine takes longer than most tests wait for a whole call.
PATIENT = Timeouts(5, 5, 10)


@pytest.fixture(scope="module")
def cert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate for 127.0.0.1 in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "raw server")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(pem + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(cert: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert)
    return context


@pytest.fixture
def _trusted(monkeypatch: pytest.MonkeyPatch, cert: Path) -> None:
    session = client._session

    def trusting(line: Line) -> requests.Session:
        made = session(line)
        made.verify = str(cert)
        return made

    monkeypatch.setattr(client, "_session", trusting)


def test_an_unknown_certificate_sends_nothing(tls: ssl.SSLContext) -> None:
    with RawServer(says(http(OK)), tls) as server:
        reply = call(server.url, timeouts=PATIENT)
    assert (reply.kind, reply.slug, server.requests) == (ReplyKind.NOT_SENT, "tls_error", [])


@pytest.mark.usefixtures("_trusted")
def test_an_answer_over_tls_is_read(tls: ssl.SSLContext) -> None:
    with RawServer(says(http(OK)), tls) as server:
        assert call(server.url, timeouts=PATIENT).ok


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("first", [b"", http(b"{", length=99)])
def test_a_tls_error_after_the_request_is_not_called_unsent(tls: ssl.SSLContext, first: bytes) -> None:
    def breaks(conn: socket.socket) -> None:
        conn.sendall(first)
        socket.socket.send(socket.socket(fileno=conn.detach()), b"\x17\x03\x03\x00\x20" + b"x" * 32)

    with RawServer(breaks, tls) as server:
        reply = call(server.url)
    assert (reply.kind, len(server.requests)) == (ReplyKind.NO_ANSWER, 1)


@pytest.mark.usefixtures("_trusted")
def test_dripping_headers_over_tls_are_cut(tls: ssl.SSLContext) -> None:
    with RawServer(drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), tls) as server:
        reply = call(server.url)
    assert (reply.kind, reply.slug, len(server.requests)) == (ReplyKind.NO_ANSWER, "answer_too_slow", 1)
    assert reply.elapsed_ms < 1000


def test_a_handshake_that_never_ends_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        reply = call(f"https://127.0.0.1:{mute.getsockname()[1]}")
    assert (reply.kind, reply.slug) == (ReplyKind.NOT_SENT, "connect_timeout")


def test_no_clock_outlives_its_call() -> None:
    with RawServer(says(http(OK))) as server:
        call(server.url)
    assert not [
        t for t in threading.enumerate() if isinstance(t, threading.Timer) and not t.finished.is_set()
    ]


def test_a_handshake_that_our_own_clock_cuts_off_is_no_broken_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        reply = call(f"https://127.0.0.1:{mute.getsockname()[1]}", timeouts=Timeouts(5, 5, 0.3))
    assert (reply.kind, reply.slug) == (ReplyKind.NOT_SENT, "connect_timeout")
