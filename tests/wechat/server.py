"""A raw socket server: answers with exactly the bytes, pauses and breaks a test asks for."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

Answer = Callable[[socket.socket], None]


class RawServer:
    """Reads one whole request per connection, keeps its bytes, then runs `answer` on the socket."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answer, self._tls = answer, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> "RawServer":
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(conn,), daemon=True).start()

    def _talk(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError):
            line = self._tls.wrap_socket(conn, server_side=True) if self._tls else conn
            with line:
                self.requests.append(read_request(line))
                self._answer(line)


def read_request(conn: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _more(conn)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += _more(conn)
    return head + b"\r\n\r\n" + body


def _more(conn: socket.socket) -> bytes:
    data = conn.recv(65536)
    if not data:
        raise OSError("the client went away")
    return data


def http(body: bytes, *, status: str = "200 OK", extra: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{extra}\r\n".encode() + body


def says(raw: bytes) -> Answer:
    return lambda conn: conn.sendall(raw)


def resets(raw: bytes = b"") -> Answer:
    """Sends `raw`, then a TCP reset instead of an end."""

    def answer(conn: socket.socket) -> None:
        conn.sendall(raw)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return answer


def drips(raw: bytes, then: bytes, every: float = 0.05) -> Answer:
    """Sends `raw`, then `then` again and again, always faster than a read timeout."""

    def answer(conn: socket.socket) -> None:
        conn.sendall(raw)
        pause = threading.Event()
        while not pause.wait(every):
            conn.sendall(then)

    return answer


def silent(conn: socket.socket) -> None:
    conn.recv(1)
