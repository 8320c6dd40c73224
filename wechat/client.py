"""The only place that speaks HTTP: one call, one Reply, nothing raised, nothing leaked.

The token travels in the URL, so no exception, log line or Reply ever carries the URL (document section 1).
"""

import http.client
import json
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from .endpoints import Endpoint
from .replies import Reply, ReplyKind, parse_rid
from .secrets import RedactionFilter, Token, redact
from .sockets import Line, WatchedAdapter

CHUNK = 16 * 1024
BAD_GATEWAY, NOT_LISTED = 502, 85107
LARGEST_CODE = 2**63 - 1  # what a database column of whole numbers holds
# "identity": a compressed bomb cannot pass the cap, and lengths mean what they say.
HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
# urllib3 logs paths with their query; its children inherit the level but not the filter.
for _part in ("", ".connection", ".connectionpool", ".response", ".util.retry"):
    logging.getLogger(f"urllib3{_part}").setLevel(logging.ERROR)
    logging.getLogger(f"urllib3{_part}").addFilter(RedactionFilter())


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, between two bytes, and for the whole call."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 15.0


class _Slow(Exception):
    """The whole call took longer than its deadline."""


class _TooBig(Exception):
    """The answer is larger than any honest one."""


class Client:
    """Calls one platform base URL. In the cloud a sidecar adds the credential, and no token goes out."""

    def __init__(self, base_url: str, timeouts: Timeouts | None = None, *, is_cloud: bool = False) -> None:
        self._base = base_url.rstrip("/")
        self.timeouts = timeouts or Timeouts()
        self._is_cloud = is_cloud

    def call(self, endpoint: Endpoint, body: Mapping[str, Any], *, token: Token | None = None) -> Reply:
        """POST `body`, read the answer. Raises ValueError only, for a missing token or an unwritable body."""
        if self._is_cloud and token is not None:
            raise ValueError(f"{endpoint.name}: no token goes over the cloud's plain http") from None
        if endpoint.needs_token and token is None and not self._is_cloud:
            raise ValueError(f"{endpoint.name} needs a token") from None
        raw = _encoded(endpoint, body)
        line = Line(self.timeouts.total)
        reply = _guarded(line, lambda: self._exchange(endpoint, raw, token, line))
        errmsg = _without_secrets(reply.errmsg, token, body)
        return replace(reply, errmsg=errmsg, elapsed_ms=int(line.elapsed * 1000))

    def _exchange(self, endpoint: Endpoint, raw: bytes, token: Token | None, line: Line) -> Reply:
        # A fresh connection each time: a pooled idle one may be dead and make a send's outcome unknown.
        with line.running(), _session(line) as session, self._post(session, endpoint, raw, token) as response:
            return _read(endpoint, response, line, self._is_cloud)

    def _post(
        self, session: requests.Session, endpoint: Endpoint, raw: bytes, token: Token | None
    ) -> requests.Response:
        return session.post(
            self._base + endpoint.path,
            params={endpoint.query_name: token.reveal()} if token else None,
            data=raw,
            headers=HEADERS,
            timeout=(self.timeouts.connect, min(self.timeouts.read, self.timeouts.total)),
            allow_redirects=False,
            stream=True,
        )


def _without_secrets(errmsg: str, token: Token | None, body: Mapping[str, Any]) -> str:
    """An answer may quote what it was sent, and its words are stored and shown."""
    for value in (token.reveal() if token else "", body.get("secret")):
        errmsg = errmsg.replace(value, "***") if value else errmsg
    return redact(errmsg)


def _session(line: Line) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, WatchedAdapter(line))
    return session


def _encoded(endpoint: Endpoint, body: Mapping[str, Any]) -> bytes:
    """Raw UTF-8, no \\uXXXX (store-api section 6)."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):  # its text would quote the body, which may hold the secret
        raise ValueError(f"the body of {endpoint.name} cannot be written as JSON") from None


def _read(endpoint: Endpoint, response: requests.Response, line: Line, is_cloud: bool) -> Reply:
    status = response.status_code
    if status == BAD_GATEWAY and is_cloud:
        return _gateway(endpoint, response, line)
    if status != 200:
        slug = "redirected" if 300 <= status < 400 else "http_error"
        return Reply(ReplyKind.NO_ANSWER, slug=slug, http_status=status)
    return _answered(endpoint, response, line)


def _gateway(endpoint: Endpoint, response: requests.Response, line: Line) -> Reply:
    """The sidecar refuses a path that is not on the console's list, at times as HTTP 502 (store-api 3.4)."""
    reply = _answered(endpoint, response, line)
    if reply.errcode == NOT_LISTED:
        return reply
    return Reply(ReplyKind.NO_ANSWER, slug="http_error", http_status=BAD_GATEWAY)


def _answered(endpoint: Endpoint, response: requests.Response, line: Line) -> Reply:
    try:
        reply = _parse(_body(response, endpoint.body_cap, line), endpoint)
    except Exception as error:
        reply = _lost(error, line)
    return replace(reply, http_status=response.status_code)


def _body(response: requests.Response, cap: int, line: Line) -> bytes:
    raw = bytearray()
    for chunk in iter(lambda: response.raw.read1(CHUNK, decode_content=True), b""):
        raw += chunk
        if line.expired:
            raise _Slow
        if len(raw) > cap:
            raise _TooBig
    if line.expired:  # cut by the clock, this looks like an honest end
        raise _Slow
    return bytes(raw)


def _guarded(line: Line, exchange: Callable[[], Reply]) -> Reply:
    try:
        return exchange()
    except Exception as error:  # everything is an outcome here; its text may hold the URL
        return _lost(error, line)


# The most specific first.
_Table = tuple[tuple[type[BaseException], str], ...]
_BEFORE: _Table = (
    (NameResolutionError, "unresolved_host"),
    (socket.gaierror, "unresolved_host"),
    (LocationParseError, "unresolved_host"),
    (requests.exceptions.InvalidURL, "unresolved_host"),
    (NewConnectionError, "refused_connection"),  # before the next: some urllib3 derive it from that
    (ConnectTimeoutError, "connect_timeout"),
    (ReadTimeoutError, "connect_timeout"),  # a TLS handshake that stalls
)
# Said only in time: a handshake that our own clock cut off looks the same.
_IN_TIME: _Table = (*_BEFORE, (SSLError, "tls_error"))
_AFTER: _Table = (
    (_Slow, "answer_too_slow"),
    (_TooBig, "answer_too_big"),
    (http.client.IncompleteRead, "answer_truncated"),
    (ReadTimeoutError, "read_timeout"),
    (TimeoutError, "read_timeout"),
)


def _lost(error: Exception, line: Line) -> Reply:
    """No answer. Only a line that never stood proves that nothing was sent."""
    causes = _causes(error)
    if not line.stood:
        table, slug = (_BEFORE, "connect_timeout") if line.expired else (_IN_TIME, "refused_connection")
        return Reply(ReplyKind.NOT_SENT, slug=_named(causes, table, slug))
    if line.expired and not isinstance(error, _TooBig):
        return Reply(ReplyKind.NO_ANSWER, slug="answer_too_slow")
    return Reply(ReplyKind.NO_ANSWER, slug=_named(causes, _AFTER, "connection_reset"))


def _named(causes: list[BaseException], table: _Table, default: str) -> str:
    found = (slug for kind, slug in table if any(isinstance(cause, kind) for cause in causes))
    return next(found, default)


def _causes(error: BaseException) -> list[BaseException]:
    """The exception and what it wraps, outermost first; not __context__, which may be the caller's own."""
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        current = queue.pop(0)
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            queue += [getattr(current, "reason", None), current.__cause__, *current.args]
    return found


def _parse(raw: bytes, endpoint: Endpoint) -> Reply:
    """Answers may hold control characters and broken UTF-8 (store-api section 6)."""
    if not raw.strip():
        return Reply(ReplyKind.NO_ANSWER, slug="answer_empty")
    try:
        data = _storable(json.loads(raw.decode(errors="ignore"), strict=False))
    except (ValueError, RecursionError):
        return Reply(ReplyKind.NO_ANSWER, slug="not_json")
    if not isinstance(data, dict):
        return Reply(ReplyKind.NO_ANSWER, slug="not_json")
    return _answer(data, endpoint)


def _storable(value: Any) -> Any:
    """Escapes can write NUL and half an emoji (a note cut in two), 1e999 is infinite: databases refuse it."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="ignore").decode()
    if isinstance(value, list):
        return [_storable(part) for part in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(part) for name, part in value.items()}
    return value


def _answer(data: dict[str, Any], endpoint: Endpoint) -> Reply:
    # Token calls and some reads leave errcode out on success; a send without one proves nothing.
    errcode = data.get("errcode", 0 if endpoint.holds in data else None)
    # A number in quotes is a number to read by; for a send only the document's form is proof.
    if not endpoint.is_send and isinstance(errcode, str) and errcode.isascii() and errcode.isdigit():
        errcode = int(errcode)
    if not isinstance(errcode, int) or isinstance(errcode, bool) or abs(errcode) > LARGEST_CODE:
        return Reply(ReplyKind.NO_ANSWER, slug="answer_without_errcode")
    errmsg = str(data.get("errmsg") or "")
    return Reply(ReplyKind.ANSWERED, errcode=errcode, errmsg=errmsg, rid=parse_rid(errmsg), data=data)
