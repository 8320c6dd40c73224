"""The worker: a supervisor of two task workers and the timekeeper, or one pass until nothing is left."""

import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from shipping.dispatch import Pump
from shipping.timekeeper import tick

QUEUES = ("send", "rest")
FOREVER = 10 * 365 * 86400.0


class Command(BaseCommand):
    help = "Send what is queued, settle what is unknown, keep tokens fresh. Runs until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until-idle",
            action="store_true",
            help="work through delays and return 0 when every package is final, waits for a person or a "
            "paused merchant, or is due more than ten minutes ahead",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["until_idle"]:
            Pump().run(FOREVER, until_idle=True)
            return
        Supervisor().run()


class Supervisor:
    """Keeps one task worker per queue alive and ticks the schedule."""

    def __init__(self) -> None:
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            self._revive()
            tick()
            close_old_connections()
            time.sleep(1)
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            child.wait()

    def _stop(self, *args: object) -> None:
        self.stopping = True

    def _revive(self) -> None:
        for queue in QUEUES:
            child = self.children.get(queue)
            if child is None or child.poll() is not None:
                self.children[queue] = _start(queue)


def _start(queue: str) -> "subprocess.Popen[bytes]":
    options = ["--queue-name", queue, "--interval", "0.2", "--no-reload", "--no-startup-delay"]
    return subprocess.Popen([sys.executable, sys.argv[0], "db_worker", *options])  # noqa: S603 - our own command
