"""The pump: one main thread that owns the database, LANES threads that only speak HTTP."""

import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from merchants import lines, tokens
from shipping.models import Attempt
from wechat.endpoints import DELIVERY_SEND, ORDER_GET
from wechat.outcomes import read_outcome
from wechat.payload import order_get_body
from wechat.replies import Reply, ReplyKind

from .claiming import claim_some
from .pausing import pause_for_token
from .recording import record
from .runs import Run
from .sending import needs_read, prepare, put_back, take_facts
from .settling import settle, take_due
from .sweeping import sweep
from .waiting import next_due

log = logging.getLogger(__name__)
HORIZON, SOON = timedelta(minutes=10), timedelta(seconds=1)


class Pump:
    """Claims, sends, records and settles until its time is over or nothing is left within the horizon."""

    def __init__(self, only: Collection[int] | None = None) -> None:
        self.only = None if only is None else list(only)
        self.flying: dict[Future[Reply], Callable[[Reply], None]] = {}
        self.stopping = False

    def run(self, seconds: float, *, until_idle: bool = False) -> None:
        """Pump for at most `seconds`; with until_idle wait through delays that end within ten minutes."""
        end = time.monotonic() + seconds
        with Run() as run, ThreadPoolExecutor(settings.LANES) as self.lanes:
            while True:
                is_over = self.stopping or time.monotonic() >= end
                if not is_over:
                    self._start(run.id)
                if self.flying:
                    self._finish_some()
                elif is_over or not self._rest(end, until_idle):
                    return

    def _start(self, run_id: str) -> None:
        sweep()
        for attempt in take_due(self._room(), self.only):
            self._settle(attempt)
        for attempt in claim_some(run_id, self._room(), self.only):
            self._begin(attempt)

    def _room(self) -> int:
        return max(0, int(settings.LANES) - len(self.flying))

    def _finish_some(self) -> None:
        done, _ = wait(self.flying, timeout=1, return_when=FIRST_COMPLETED)
        for future in done:
            self.flying.pop(future)(_reply_of(future))

    def _rest(self, end: float, until_idle: bool) -> bool:
        """Sleep until something may be due; False when there is nothing worth waiting for."""
        coming, now = next_due(self.only), timezone.now()
        if coming is None or coming > now + (HORIZON if until_idle else SOON):
            return False
        pause = (coming - now).total_seconds()
        time.sleep(max(0.05, min(pause, 0.5, end - time.monotonic())))
        return True

    # --- one attempt ----------------------------------------------------------------------------------

    def _begin(self, attempt: Attempt) -> None:
        held = tokens.ensure(lines.client(), attempt.merchant)
        if held is None:
            pause_for_token(attempt.merchant)
            put_back(attempt, slug="no_token")
        elif needs_read(attempt):
            began = timezone.now()
            self._read(attempt, held, lambda reply: self._check(attempt, held, reply, began))
        else:
            self._send(attempt, held)

    def _check(self, attempt: Attempt, held: tokens.Held, reply: Reply, began: datetime) -> None:
        if read_outcome(reply).then == "renew_token":
            tokens.discard(attempt.merchant, held.version)
        if take_facts(attempt, reply, began):
            self._send(attempt, held)

    def _send(self, attempt: Attempt, held: tokens.Held) -> None:
        body = prepare(attempt)
        if body is None:
            return
        future = self.lanes.submit(lines.client().call, DELIVERY_SEND, body, token=held.token)
        self.flying[future] = lambda reply: self._record(attempt, held, reply)

    def _record(self, attempt: Attempt, held: tokens.Held, reply: Reply) -> None:
        outcome = read_outcome(reply)
        if outcome.then == "renew_token":
            tokens.discard(attempt.merchant, held.version)
        record(attempt, outcome)
        log.info(
            "merchant=%s shipment=%s attempt=%s then=%s errcode=%s ms=%s",
            *(attempt.merchant_id, attempt.shipment_id, attempt.pk),
            *(outcome.then, reply.errcode, reply.elapsed_ms),
        )

    def _settle(self, attempt: Attempt) -> None:
        held, began = tokens.ensure(lines.client(), attempt.merchant), timezone.now()
        if held is None:
            settle(attempt, Reply(ReplyKind.NOT_SENT, slug="no_token"), began)
            return
        self._read(attempt, held, lambda reply: self._settled(attempt, held, reply, began))

    def _settled(self, attempt: Attempt, held: tokens.Held, reply: Reply, began: datetime) -> None:
        if read_outcome(reply).then == "renew_token":
            tokens.discard(attempt.merchant, held.version)
        settle(attempt, reply, began)

    def _read(self, attempt: Attempt, held: tokens.Held, then: Callable[[Reply], None]) -> None:
        body = order_get_body(attempt.order.order_id)
        self.flying[self.lanes.submit(lines.client().call, ORDER_GET, body, token=held.token)] = then


def _reply_of(future: Future[Reply]) -> Reply:
    """A lane never decides: an exception there means that nobody knows what happened."""
    error = future.exception()
    if error is None:
        return future.result()
    log.error("a lane failed: %s", type(error).__name__)
    return Reply(ReplyKind.NO_ANSWER, slug="lane_failed")


def pump_until_settled(shipments: Collection[int], seconds: float) -> None:
    """Pump these shipments in this process until each is final or waits for a person, or time is over."""
    Pump(only=shipments).run(seconds, until_idle=True)
