"""The HTTP server: one thread a connection, one transaction a call."""

import contextlib
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox import cloud, control, events, platform, seed, switches, wire
from sandbox.call import Request
from sandbox.faults import Reply
from sandbox.store import Store

READ_AT_MOST = 4 * 1024 * 1024
OWN_PATHS = ("/_sandbox/", "/img/")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without these two, Nagle and delayed ACK add 40 ms to every call on a kept connection.
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 120
    server: "_Server"

    def _serve(self) -> None:
        request = self._request()
        own = not request.cloud and (request.path == "/" or request.path.startswith(OWN_PATHS))
        reply = self.server.sandbox.control(request) if own else self.server.sandbox.platform(request)
        wire.put(self, reply, self.server.sandbox.stopping)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        host = self.headers.get("Host") or "127.0.0.1"
        path, store = parts.path, ""
        if path.startswith(cloud.PREFIX):
            store, _, path = path.removeprefix(cloud.PREFIX).partition("/")
            path = f"/{path}"
        return Request(self.command, path, query, self._read_body(), host, store)

    def _read_body(self) -> bytes:
        """The body, cut off where it is too long to be judged by anything but its length."""
        told = self.headers.get("Content-Length") or "0"
        length = int(told) if told.isdecimal() else 0
        self.close_connection = self.close_connection or length > READ_AT_MOST
        return self.rfile.read(min(length, READ_AT_MOST))

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the query holds tokens, and the ledger tells more."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], sandbox: "Sandbox") -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        # The polite shutdown sends FIN first, which would turn a wanted RST into an ordinary end.
        if _lingers(request):
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the kept connections, so that no caller goes on talking to a stopped sandbox."""
        with self._open_lock:
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who hangs up half-way is everyday, as is one cut off by the stop; print the rest."""
        gone = isinstance(sys.exc_info()[1], ConnectionError | TimeoutError)
        if not gone and not self.sandbox.stopping.is_set():
            super().handle_error(request, client_address)


def _lingers(connection: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER) == 1
    return False


class Sandbox:
    """A sandbox on 127.0.0.1: ``Sandbox(state=path, seed="demo").start()``, then ``url``, then ``stop()``.

    ``state`` is a file path or ``":memory:"``; ``seed`` is "empty" or "demo" (used on an empty state only);
    ``port`` 0 takes a free one.
    """

    def __init__(
        self, state: str | Path = ":memory:", seed: str = "empty", port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self.stopping = threading.Event()
        self._store = Store(str(state))
        self._plant(seed)
        self._server = _Server((host, port), self)
        self._pusher = events.Pusher(self._store, self.stopping)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://{self._server.server_address[0]!s}:{self._server.server_address[1]}"

    def start(self) -> "Sandbox":
        """Serve in a thread; returns itself."""
        self._thread.start()
        self._pusher.start()
        return self

    def stop(self) -> None:
        """Stop serving, let go of everyone who waits, close the state."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._store.close()

    def wait(self) -> None:
        """Block until stopped."""
        self._thread.join()

    def platform(self, request: Request) -> Reply:
        """Answer a call to the platform."""
        with self._store.transaction() as db:
            pace = switches.read(db)
        self.stopping.wait(pace["latency"])
        with self._store.transaction() as db:
            now = time.time() + pace["clock_offset"]
            platform.settle_late(db, now)
            reply = platform.receive(db, request, now)
        self.stopping.wait(pace["answer_delay"])
        return reply

    def control(self, request: Request) -> Reply:
        """Answer a call to the sandbox itself."""
        with self._store.transaction() as db:
            now = time.time() + switches.read(db)["clock_offset"]
            platform.settle_late(db, now)
            return control.answer(db, request, now)

    def _plant(self, name: str) -> None:
        with self._store.transaction() as db:
            if db.execute("SELECT 1 FROM merchants LIMIT 1").fetchone() is None:
                seed.SEEDS[name](db, time.time())
            seed.complete(db, name, time.time())
