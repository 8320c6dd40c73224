"""Kill and stop real workers while a real platform misbehaves, then ask the ledger what came of it."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from merchants.models import Pause
from merchants.services import add_merchant
from sandbox import build
from shipping import states
from shipping.drafts import Item
from shipping.models import Attempt, Package
from shipping.syncing import read_order
from tests.flows.test_dispatch import parcel, ship
from tests.history import History

# 35 of a hundred sends, and some of the reads that follow.
FAULTY, FAULTY_READS = 0.35, 0.15
FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "timeout_accepted", "seconds": 0.5},
    {"fault": "timeout_not_accepted", "seconds": 0.5},
    {"fault": "late_accept", "seconds": 1.0},
    {"fault": "reset_before"},
    {"fault": "reset_after"},
    {"fault": "http500_before"},
    {"fault": "http500_after"},
    {"fault": "html_200"},
    {"fault": "truncated_json"},
    {"fault": "empty"},
    {"fault": "busy_before"},
    {"fault": "busy_after"},
    {"fault": "code", "errcode": 100003},
    {"fault": "token_dead"},
    {"fault": "code", "errcode": 109001, "accepted": True},
)
READ_FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "reset_before"},
    {"fault": "http502_html"},
    {"fault": "empty"},
)
# What the clock of the settings becomes: late acceptance takes 1 s, so the grace is twice that.
SCALED = {"WECHAT_TIMEOUT": "0.5,0.4,0.8", "LANES": "4"}
STORES = 4
# An order is called once a second at most: so many parcels are so many orders that something can be done for.
WAITING = 200


@dataclass
class Plan:
    """How much is to happen: packages sent, workers killed and stopped, seconds between two such blows."""

    packages: int
    kills: int
    stops: int = 0
    workers: int = 3
    between: float = 0.25
    stopped_for: tuple[float, float] = (0.5, 4.0)
    # They leave one after the other: what is sent again waits behind the others of its order.
    parcels_per_order: int = 5
    # Of all blows, so many fall on a worker with a call open.
    aimed: float = 0.5
    planted: str = ""
    seed: int = 1
    faults: tuple[dict[str, Any], ...] = FAULTS
    grace: float = 2.0
    # How long what is open may take to settle after the last blow.
    rest: float = 90.0


@dataclass
class Result:
    """What came of it; `wrong` holds one sentence per violation of I1 to I10."""

    packages: int = 0
    kills: int = 0
    in_call: int = 0
    stops: int = 0
    calls: int = 0
    faulty: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    # Seconds that packages stayed in these states: the median, the 99th of a hundred, the longest.
    stayed: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Nursery:
    """The process that forks workers; `env` names database, platform and clock."""

    def __init__(self, env: dict[str, str], planted: str) -> None:
        command = [sys.executable, "-m", "tests.soak.workers", "--planted", planted]
        self.process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def fork(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("fork\n")
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Soak:
    """One run over one database and one sandbox."""

    def __init__(self, remote: Any, env: dict[str, str], plan: Plan) -> None:
        self.remote, self.plan, self.dice = remote, plan, random.Random(plan.seed)
        own = {"DJANGO_SETTINGS_MODULE": "config.settings", "SETTLE_GRACE": str(plan.grace)}
        self.env = os.environ | SCALED | own | env
        self.result = Result()
        self.workers: list[int] = []
        self.stopped: dict[int, threading.Timer] = {}
        self.merchants = [self._merchant(number) for number in range(STORES)]
        self.order: Any = None
        self.room = 0
        # Of a run before this one.
        self.there = Package.objects.count()

    def _merchant(self, number: int) -> Any:
        appid = f"wx{self.plan.seed:08x}{number:08x}"
        self.remote.merchant(appid, "m" * 32)
        return add_merchant(appid=appid, name=f"soak {number}", secret="m" * 32)

    def run(self) -> Result:
        """Until every blow was dealt and every package is settled."""
        began = time.monotonic()
        self.remote.switch(order_pace=False, answer_delay=0.05)
        nursery = Nursery(self.env, self.plan.planted)
        try:
            self.workers = [nursery.fork() for _ in range(self.plan.workers)]
            while not self._is_over():
                self._place()
                self._strike(nursery)
            self._come_to_rest()
        finally:
            for pid in self.workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            nursery.close()
        self.result.seconds = time.monotonic() - began
        return self._judged()

    def _is_over(self) -> bool:
        dealt = self.result.kills >= self.plan.kills and self.result.stops >= self.plan.stops
        return dealt and self.result.packages >= self.plan.packages

    # --- what people and the platform do --------------------------------------------------------------

    def _place(self) -> None:
        """Before each blow its share: of what is placed all at once nothing is left when it falls."""
        left = self.plan.packages - self.result.packages
        _end_pauses()
        waiting = Package.objects.filter(status=states.QUEUED).count()
        share = self.plan.packages // max(1, self.plan.kills + self.plan.stops) + 1
        for _ in range(min(left, share, max(0, WAITING - waiting))):
            self._ship_one()

    def _ship_one(self) -> None:
        number = self.result.packages
        if self.room == 0:
            self.order, self.room = self._order(), self.plan.parcels_per_order
        ship(self.order, parcel(f"SF3{self.plan.seed % 100:02}{number:010}", (Item("1", "2", 1),)))
        self.room -= 1
        self.result.packages += 1

    def _order(self) -> Any:
        """Twice as many pieces as parcels: a call made twice would be accepted twice."""
        merchant = self.dice.choice(self.merchants)
        made = self.remote.order(merchant.appid, [build.line("1", "2", 2 * self.plan.parcels_per_order)])
        for _ in range(self.plan.parcels_per_order):
            # Parcels that are sent again dilute them: of all calls it is some 35 in a hundred.
            if self.plan.faults and self.dice.random() < FAULTY * 1.3:
                self.remote.fault(order_id=made["order_id"], **self.dice.choice(self.plan.faults))
        if self.dice.random() < FAULTY_READS:
            self.remote.fault(call="order/get", order_id=made["order_id"], **self.dice.choice(READ_FAULTS))
        order, reply = read_order(merchant, made["order_id"])
        return order or self._read_again(merchant, made["order_id"], reply)

    def _read_again(self, merchant: Any, order_id: str, reply: Any) -> Any:
        order, again = read_order(merchant, order_id)
        assert order is not None, (reply, again)
        return order

    # --- the blows ------------------------------------------------------------------------------------

    def _strike(self, nursery: Nursery) -> None:
        time.sleep(self.plan.between * self.dice.uniform(0.5, 1.5))
        stops, kills = self.plan.stops - self.result.stops, self.plan.kills - self.result.kills
        # All along, and not so often that no worker gets anything done.
        blows, done = self.plan.stops + self.plan.kills, self.result.packages / self.plan.packages
        if blows - stops - kills > done * blows:
            return
        if self.dice.random() * (stops + kills) < stops:
            self._stop()
        elif kills:
            self._kill(nursery)

    def _awake(self) -> list[int]:
        return [pid for pid in self.workers if pid not in self.stopped]

    def _aimed_at(self, workers: list[int]) -> int:
        """One with a call open, if there is one, for a blow that is aimed; the rest fall wherever the dice say."""
        is_aimed = self.dice.random() < self.plan.aimed
        busy = [pid for pid in workers if is_aimed and _has_open_call(pid)]
        return self.dice.choice(busy or workers)

    def _kill(self, nursery: Nursery) -> None:
        pid = self._aimed_at(self.workers)
        os.kill(pid, signal.SIGKILL)
        self.result.in_call += _has_open_call(pid)
        if timer := self.stopped.pop(pid, None):
            timer.cancel()
        self.workers[self.workers.index(pid)] = nursery.fork()
        self.result.kills += 1

    def _stop(self) -> None:
        """A stopped process may hold the database, and this one wait for it: a clock of its own wakes it.

        One stays awake, or nobody would take what the stopped ones hold.
        """
        if len(self._awake()) > 1:
            pid = self._aimed_at(self._awake())
            os.kill(pid, signal.SIGSTOP)
            self.stopped[pid] = threading.Timer(self.dice.uniform(*self.plan.stopped_for), self._wake, [pid])
            self.stopped[pid].start()
            self.result.stops += 1

    def _wake(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self.stopped.pop(pid, None)

    # --- the end --------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        """No more blows: what is open settles."""
        for timer in list(self.stopped.values()):
            timer.join()
        end = time.monotonic() + self.plan.rest
        moving = Package.objects.filter(status__in=states.MOVING)
        while moving.exists() and time.monotonic() < end:
            _end_pauses()
            time.sleep(0.3)
        # A call whose worker was taken for dead may still be on its way.
        time.sleep(1.5)
        connection.close()

    def _judged(self) -> Result:
        history = History(self.remote)
        self.result.wrong = history.violations(packages=self.there + self.result.packages)
        self.result.calls = len(history.sends)
        self.result.faulty = sum(1 for row in history.sends if row["fault"])
        for package in history.packages:
            self.result.statuses[package.status] = self.result.statuses.get(package.status, 0) + 1
        self.result.stayed = {status: history.stayed(status) for status in (states.SENDING, states.UNKNOWN)}
        return self.result


def _has_open_call(pid: int) -> bool:
    return Attempt.objects.filter(run__startswith=f"{pid}-", ended_at=None, sent_at__isnull=False).exists()


def _end_pauses() -> None:
    """As a person would: the faults refuse a fresh token now and then, and a store that waits takes nothing more."""
    Pause.objects.filter(ended_at=None).update(ended_at=timezone.now())
