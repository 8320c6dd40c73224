"""Web and worker in one command; what dies is started again."""

import signal
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the web server and the worker; restart what dies. Stop with Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        children = {name: _start(command) for name, command in commands().items()}
        while not self.stopping:
            time.sleep(0.5)
            for name, child in children.items():
                if child.poll() is not None and not self.stopping:
                    self.stderr.write(f"{name} ended ({child.returncode}), starting it again")
                    children[name] = _start(commands()[name])
        _stop_all(children)

    def _stop(self, *args: object) -> None:
        self.stopping = True


def commands() -> dict[str, list[str]]:
    web = ["gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{settings.PORT}", "--worker-class", "gthread"]
    web += ["--workers", "1", "--threads", "8", "--no-control-socket", "--log-level", "warning"]
    return {
        "web": [sys.executable, "-m", *web],
        "worker": [sys.executable, sys.argv[0], "work"],
    }


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    # A session of its own: Ctrl-C reaches this supervisor only, which then stops its children in order.
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own commands


def _stop_all(children: dict[str, "subprocess.Popen[bytes]"]) -> None:
    for child in children.values():
        child.terminate()
    for child in children.values():
        try:
            child.wait(timeout=25)
        except subprocess.TimeoutExpired:
            child.kill()
