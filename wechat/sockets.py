"""What one call does on its socket: whether a byte may have left, and the clock that cuts it off.

Exceptions alone cannot tell these apart: a TLS error comes from the handshake (nothing sent) or from reading
the answer (perhaps shipped). So the connection itself notes when it stood.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util import Retry

# Measured: the only setting that retries refused connections and never posts twice.
RETRY = Retry(total=None, connect=2, read=0, redirect=0, status=0, other=0, backoff_factor=0.1)


class Line:
    """One call's line. `stood`: connected, TLS included, so the request may have left this machine."""

    def __init__(self, total: float) -> None:
        self.began = time.monotonic()
        self.stood = False
        self._total = total
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []

    @property
    def expired(self) -> bool:
        return self.elapsed >= self._total

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self.began

    @contextmanager
    def running(self) -> Iterator[Self]:
        """A read timeout starts again with every byte; this clock does not, so no drip outlives it."""
        clock = threading.Timer(self._total, self._cut)
        clock.daemon = True
        clock.start()
        try:
            yield self
        finally:
            clock.cancel()
            self._close()

    def watch(self, sock: socket.socket) -> None:
        """Keep a second handle: TLS takes the first one away, and the clock needs one that stays."""
        with self._lock:
            self._handles.append(sock.dup())
        self.check()

    def check(self) -> None:
        """Before anything is sent: too late is too late."""
        if self.expired:
            raise ConnectTimeoutError("no time left to connect")

    def _cut(self) -> None:
        with self._lock:
            for handle in self._handles:
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        with self._lock:
            while self._handles:
                self._handles.pop().close()


class _Plain(HTTPConnection):
    def __init__(self, line: Line, *args: Any, **kwargs: Any) -> None:
        self._line = line
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        self._line.check()
        sock = super()._new_conn()
        self._line.watch(sock)
        return sock

    def connect(self) -> None:
        super().connect()
        self._line.check()
        self._line.stood = True


class _Secure(_Plain, HTTPSConnection):
    """The same on TLS: `super()` in _Plain is HTTPSConnection here."""


class WatchedAdapter(HTTPAdapter):
    """Opens every connection of one call on its Line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        super().__init__(max_retries=RETRY)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = partial(_Secure if pool.scheme == "https" else _Plain, self._line)
        return pool
