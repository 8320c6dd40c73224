"""The worker: a supervisor of two task workers and the timekeeper, or one pass until nothing is left."""

import logging
import signal
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections, connections

from shipping.children import Child, start, stop
from shipping.dispatch import Pump
from shipping.timekeeper import tick

FOREVER = 10 * 365 * 86400.0
PACE = 1.0
# A call may take its whole time-out; a long sync that is killed loses nothing.
PATIENCE = 20.0
log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Send what is queued, settle what is unknown, keep tokens fresh. Runs until stopped. "
        "Example: manage.py work --until-idle. Exit 0: stopped, or nothing is left; 1: stopped before that."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until-idle",
            action="store_true",
            help="work through delays and return 0 when every package is final, waits for a person or a "
            "paused merchant, or is due more than ten minutes ahead",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["until_idle"]:
            Supervisor().run()
            return
        pump = Pump()
        pump.run(FOREVER, until_idle=True)
        if pump.stopping:
            sys.exit(1)


class Supervisor:
    """Keeps one task worker per queue alive and ticks the schedule."""

    def __init__(self) -> None:
        self.children: dict[str, Child] = {}
        self.stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            while not self.stopping:
                self._revive()
                self._tick()
                time.sleep(PACE)
        finally:
            stop(self.children.values(), PATIENCE)

    def _stop(self, *args: object) -> None:
        self.stopping = True

    def _tick(self) -> None:
        """A database that is locked or gone for a moment must not end the workers."""
        try:
            tick()
        except Exception:
            log.exception("the schedule failed")
            connections.close_all()
        close_old_connections()

    def _revive(self) -> None:
        # A long reading must not keep back what a person waits for: a worker for each queue.
        for queue in settings.QUEUES:
            child = self.children.get(queue)
            if child is None or child.poll() is not None:
                self.children[queue] = _start(queue)


def _start(queue: str) -> Child:
    """The engine's own worker for one queue, as the settings say."""
    words = settings.TASK_WORKER.split()
    return start([sys.executable, *(word.format(manage=sys.argv[0], queue=queue) for word in words)])
