"""A small server in the place of the three robots: it answers as it is told and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

TAKEN = {"wecom": {"errcode": 0, "errmsg": "ok"}, "dingtalk": {"errcode": 0, "errmsg": "ok"},
         "feishu": {"code": 0, "msg": "success", "data": {}}}  # fmt: skip
WEBHOOK, SIGN = "CANARY-webhook-0123456789", "CANARY-sign-secret-0123456789"
PATHS = {
    "wecom": f"/cgi-bin/webhook/send?key={WEBHOOK}",
    "feishu": f"/open-apis/bot/v2/hook/{WEBHOOK}",
    "dingtalk": f"/robot/send?access_token={WEBHOOK}",
}


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    body: Any


@dataclass
class Robots:
    """`answers`: what is answered next, (status, body, headers); the last one stays."""

    netloc: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)

    def url(self, kind: str) -> str:
        return f"http://{self.netloc}{PATHS[kind]}"

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        self.answers.append((status, body, headers))

    def take(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        self.asked.append(asked)
        if not self.answers:
            kind = next(kind for kind, path in PATHS.items() if asked.path in path)
            return 200, TAKEN[kind], {}
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def texts(self) -> list[str]:
        return [
            asked.body["content"]["text"] if "content" in asked.body else asked.body["text"]["content"]
            for asked in self.asked
        ]


@pytest.fixture
def robots(settings: Any) -> Iterator[Robots]:
    told = Robots()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, answer, headers = told.take(Asked(parts.path, query, body))
            if answer is None:
                told.silent.wait(10)
                return
            raw = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.netloc = f"127.0.0.1:{server.server_address[1]}"
    settings.ALERT_HOSTS = [told.netloc]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield told
    told.silent.set()
    server.shutdown()
    server.server_close()
