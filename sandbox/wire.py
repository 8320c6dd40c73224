"""How a reply is put on the wire, or is not: the manners of ``faults.Reply``."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from sandbox.faults import Reply

Manner = Callable[[BaseHTTPRequestHandler, Reply, threading.Event], None]


def _head(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send_response(reply.status)
    handler.send_header("Content-Type", reply.content_type)
    handler.send_header("Content-Length", str(len(reply.body)))
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def _plain(handler: BaseHTTPRequestHandler, reply: Reply, stopping: threading.Event) -> None:
    _head(handler, reply)
    handler.wfile.write(reply.body)


def _hang(handler: BaseHTTPRequestHandler, reply: Reply, stopping: threading.Event) -> None:
    # Silence, then the connection ends without a byte: what a caller sees when a proxy gives up.
    stopping.wait(reply.seconds)
    handler.close_connection = True


def _reset(handler: BaseHTTPRequestHandler, reply: Reply, stopping: threading.Event) -> None:
    # Linger 0 turns the close into an RST.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def _drip(handler: BaseHTTPRequestHandler, reply: Reply, stopping: threading.Event) -> None:
    _head(handler, reply)
    for index in range(len(reply.body)):
        if stopping.wait(reply.seconds / len(reply.body)):
            break
        handler.wfile.write(reply.body[index : index + 1])
        handler.wfile.flush()
    handler.close_connection = True


MANNERS: dict[str, Manner] = {"plain": _plain, "hang": _hang, "reset": _reset, "drip": _drip}


def put(handler: BaseHTTPRequestHandler, reply: Reply, stopping: threading.Event) -> None:
    """Answer in the reply's manner; a caller who has gone away is no error."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        MANNERS[reply.manner](handler, reply, stopping)
        handler.wfile.flush()
