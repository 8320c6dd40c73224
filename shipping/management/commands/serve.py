"""Web and worker in one command; what dies is started again."""

import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from shipping.children import start, stop

# More than the worker gives its own children.
PATIENCE = 25.0


class Command(BaseCommand):
    help = (
        "Run the web server and the worker; restart what dies. Stop with Ctrl-C. "
        "Example: PORT=8000 manage.py serve. Exit 0: it was stopped."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        children = {name: start(command) for name, command in commands().items()}
        while not self.stopping:
            time.sleep(0.5)
            for name, child in children.items():
                if child.poll() is not None and not self.stopping:
                    self.stderr.write(f"{name} ended ({child.returncode}), starting it again")
                    children[name] = start(commands()[name])
        stop(children.values(), PATIENCE)

    def _stop(self, *args: object) -> None:
        self.stopping = True


def commands() -> dict[str, list[str]]:
    web = ["gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{settings.PORT}", "--worker-class", "gthread"]
    web += ["--workers", "1", "--threads", "8", "--no-control-socket", "--log-level", "warning"]
    # A print job of 200 orders names them in its address; gunicorn's own limit ends at about 150.
    web += ["--limit-request-line", "8190"]
    # nginx keeps a connection for 60 s, Caddy for 120: closing it first would turn a form that is
    # posted in that moment into a 502.
    web += ["--keep-alive", "130"]
    return {
        "web": [sys.executable, "-m", *web],
        "worker": [sys.executable, sys.argv[0], "work"],
    }
