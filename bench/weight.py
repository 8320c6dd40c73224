"""What a browser loads: the first visit of the list, compressed, and what an open page polls."""

import gzip
import re
import socket
import urllib.request
from typing import Any

from bench import place, rows
from bench.figures import Figure, Size, at_most, told

FIRST_LOAD, POLL = 200.0, 5.0
ASSET = re.compile(r'(?:src|href)="(/static/[^"]+)"')
# What no browser fetches before it needs it.
LATER = re.compile(r'rel="(?:icon|apple-touch-icon|manifest|alternate)[^"]*"')


def run(size: Size) -> list[Figure]:
    """Bytes on the wire from gunicorn as `manage.py serve` starts it, to a browser that takes br and gzip."""
    place.static_files()
    rows.database(size.pick(2_000, 100_000))
    cookie = _session()
    with gunicorn() as url:
        get = Wire(url, cookie)
        page, html = get.fetch("/?tab=todo&merchant=")
        assets = sorted(set(ASSET.findall(re.sub(r"<link[^>]*" + LATER.pattern + "[^>]*>", "", html))))
        weights = {path: get.fetch(path)[0] for path in assets}
        poll, _ = get.fetch("/counts/?tab=todo&merchant=")
        trouble, _ = get.fetch("/trouble/")
    biggest = sorted(weights.items(), key=lambda item: -item[1])[:4]
    note = ", ".join(f"{path.rpartition('/')[2].split('.')[0]} {size / 1000:.0f}" for path, size in biggest)
    # Nothing compresses pages: HTML next to secrets is not compressed (BREACH), a proxy may do it.
    return [
        at_most(
            "first load: page and its files", (page + sum(weights.values())) / 1000, FIRST_LOAD, "kB", note
        ),
        told(
            "first load: the page itself",
            page / 1000,
            "kB",
            f"{len(gzip.compress(html.encode())) / 1000:.1f} kB gzipped",
        ),
        at_most("poll of the list (counts)", poll / 1000, POLL, "kB"),
        at_most("poll of the header (own trouble)", trouble / 1000, POLL, "kB"),
    ]


class Wire:
    """Fetches as a browser does that takes br and gzip, and counts what came over the wire."""

    def __init__(self, url: str, cookie: str) -> None:
        self._url, self._cookie = url, cookie

    def fetch(self, path: str) -> tuple[int, str]:
        headers = {"Accept-Encoding": "br, gzip", "Cookie": self._cookie}
        request = urllib.request.Request(self._url + path, headers=headers)  # noqa: S310 - our own loopback
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            raw = reply.read()
            packed = reply.headers.get("Content-Encoding")
        if packed == "gzip":
            return len(raw), gzip.decompress(raw).decode()
        return len(raw), "" if packed else raw.decode(errors="replace")


def _session() -> str:
    """A cookie of somebody who is logged in."""
    from bench.peers.pages import client

    cookies = client(rows.MANAGER).cookies
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())


def gunicorn(processes: int = 1) -> Any:
    """The product's web process on a free port, or several as the units start them; yields its address."""
    from contextlib import contextmanager

    from sandbox.demo import await_answer
    from shipping.management.commands.serve import commands

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = commands()["web"][1:]
    words[words.index("--bind") + 1] = f"127.0.0.1:{port}"
    words[words.index("--workers") + 1] = str(processes)

    @contextmanager
    def served() -> Any:
        with place.process(*words):
            await_answer(f"http://127.0.0.1:{port}/login/")
            yield f"http://127.0.0.1:{port}"

    return served()
