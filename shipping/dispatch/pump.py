"""The pump: one main thread that owns the database, LANES threads that only speak HTTP."""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from merchants import lines
from merchants.lines import Line
from merchants.logs import about
from merchants.models import Merchant
from merchants.once import asking_once, forget
from merchants.tokens import Kept, Wanted
from shipping import states
from shipping.models import Attempt, Order
from shipping.pauses import CALLS, is_stopped
from shipping.storing import take_up
from wechat.endpoints import ORDER_GET, Endpoint
from wechat.outcomes import read_outcome
from wechat.payload import order_get_body
from wechat.replies import Reply, ReplyKind

from .backlog import Backlog
from .claiming import claim_some, whole_or_nothing
from .pausing import pause_for_token
from .recording import note_token_refused, read_again, record, see_who_is_over
from .runs import Run
from .sending import ENDPOINTS, let_go, look_ahead, needs_read, prepare, put_back, take_facts
from .settling import settle, take_due
from .stopping import StopSignals
from .sweeping import sweep
from .waiting import next_due

log = logging.getLogger(__name__)
HORIZON, SOON = timedelta(minutes=10), timedelta(seconds=1)
# The main thread is needed for every answer: what it looks for in between, it looks for so often, in seconds.
SWEEP_EVERY, READS_EVERY = 1.0, 0.2
# A store's line is looked up once in so many seconds.
LINE_LASTS = 1.0
# One call waits for a lane for every so many lanes: none is idle while this thread writes answers down.
LANES_A_SPARE = 2
# Who is told to stop while all lanes are busy hears it within so many seconds.
AWAKE_EVERY = 0.2

T = TypeVar("T")
Step = Callable[[Reply], None]
WithLine = Callable[[Line | None], None]


class Landing(NamedTuple):
    """What is done with a call's answer; of a read with its order, of a send with its attempt."""

    step: Step
    read: Order | None = None
    sent: Attempt | None = None


class Waiter(NamedTuple):
    """An attempt that goes on once its merchant's line stands."""

    attempt: Attempt
    go_on: WithLine


class Pump:
    """Claims, sends, records and settles until its time is over or nothing is left within the horizon."""

    def __init__(self, only: Collection[int] | None = None) -> None:
        self.only = None if only is None else list(only)
        self.flying: dict[Future[Reply], Landing] = {}
        # Attempts whose facts are fresh: they leave together, at the end of a commit.
        self.fresh: list[tuple[Attempt, Line]] = []
        # Calls that fly once what they rest on is committed.
        self.ready: list[tuple[Callable[[], Reply], Landing]] = []
        self.asking: dict[int, list[Waiter]] = {}
        self.in_hand: set[int] = set()
        self.backlog = Backlog(self.only)
        self.lines: dict[int, tuple[float, Line]] = {}
        self.looked: dict[object, float] = {}
        self.stopping = False

    def run(self, seconds: float, *, until_idle: bool = False) -> None:
        """Pump for at most `seconds`; with until_idle wait through delays that end within ten minutes."""
        end = time.monotonic() + seconds
        with StopSignals(self.stop), Run() as run, ThreadPoolExecutor(settings.LANES) as self.lanes:
            while True:
                is_over = self.stopping or time.monotonic() >= end or not run.is_held()
                if not is_over:
                    self._start(run.id)
                if self.flying:
                    self._finish_some()
                elif is_over or not self._rest(end, until_idle):
                    return

    def stop(self) -> None:
        """Claim nothing more; what is on its way is finished and recorded."""
        self.stopping = True

    def _start(self, run_id: str) -> None:
        if self._is_time(sweep, SWEEP_EVERY):
            sweep(run_id, self.in_hand)
        due = self._room() and self._is_time(take_due, READS_EVERY)
        reads = take_due(self._room(), self.only) if due else []
        with asking_once():
            claimed = claim_some(run_id, self._room() - len(reads), self.only, self.asking, self.backlog)
        self.in_hand.update(attempt.pk for attempt in claimed)
        if reads or claimed:
            steps = [(self._settle, attempt) for attempt in reads] + [(self._begin, a) for a in claimed]
            with self._together():
                for step, attempt in steps:
                    self._try(attempt, partial(step, attempt))

    def _is_time(self, what: object, seconds: float) -> bool:
        """Whether `what` was not looked for in the last so many seconds; it now is."""
        now = time.monotonic()
        is_time = now - self.looked.get(what, -seconds) >= seconds
        if is_time:
            self.looked[what] = now
        return is_time

    def _room(self) -> int:
        """How many calls more may be under way; none before there is room for a handful."""
        lanes = int(settings.LANES)
        spare = max(1, lanes // LANES_A_SPARE)
        room = lanes + spare - len(self.flying)
        return room if room >= spare else 0

    def _finish_some(self) -> None:
        done, _ = wait(self.flying, timeout=AWAKE_EVERY, return_when=FIRST_COMPLETED)
        if done or self.stopping:
            with self._together():
                landed = [(self.flying.pop(future), future) for future in done]
                _ask_ahead(take_up, [landing.read for landing, _ in landed if landing.read])
                sent = [landing.sent for landing, _ in landed if landing.sent]
                _ask_ahead(see_who_is_over, sent)
                for landing, future in landed:
                    landing.step(_reply_of(future))
                _ask_ahead(read_again, sent)
                self._hold_back()

    def _hold_back(self) -> None:
        """A send that still waits for a lane is not made once its store stands still, or we stop."""
        for future, landing in list(self.flying.items()):
            attempt = landing.sent
            reason = self._why_not(attempt) if attempt and not future.running() else ""
            if attempt and reason and future.cancel():
                del self.flying[future]
                self._try(attempt, partial(let_go, attempt, who=states.WORKER, reason=reason))

    def _why_not(self, attempt: Attempt) -> str:
        if self.stopping:
            return "worker_stopped"
        stands_still = is_stopped(attempt.merchant_id, CALLS[attempt.shipment.kind])
        return "merchant_paused" if stands_still else ""

    @contextmanager
    def _together(self) -> Iterator[None]:
        """One commit for all that is done in it: a disk may take longer over it than we over a parcel.

        Whatever breaks it off leaves nothing of it, neither a row nor a call.
        """
        self.fresh.clear()
        self.ready.clear()
        with asking_once(), whole_or_nothing():
            yield
            self._send_fresh()
        for call, landing in self.ready:
            self.flying[self.lanes.submit(call)] = landing

    def _send_fresh(self) -> None:
        _ask_ahead(look_ahead, [attempt for attempt, _ in self.fresh])
        for attempt, line in self.fresh:
            self._try(attempt, partial(self._send, attempt, line))

    def _rest(self, end: float, until_idle: bool) -> bool:
        """Sleep until something may be due; False when there is nothing worth waiting for."""
        coming, now = next_due(self.only), timezone.now()
        if coming is None or coming > now + (HORIZON if until_idle else SOON):
            return False
        # With nothing on its way there is time to look for everything anew.
        self.looked.pop(take_due, None)
        self.backlog.forget()
        pause = (coming - now).total_seconds()
        time.sleep(max(0.05, min(pause, 0.5, end - time.monotonic())))
        return True

    # --- one attempt ----------------------------------------------------------------------------------

    def _try(self, attempt: Attempt, step: Callable[[], None]) -> None:
        """A shipment we stumble over must not stop the others: out of hand, the sweep takes care of it."""
        ids = {"merchant": attempt.merchant_id, "shipment": attempt.shipment_id, "attempt": attempt.pk}
        with about(**ids):
            made_ready = len(self.ready)
            try:
                with transaction.atomic():
                    step()
            except Exception:
                log.exception("fault of our own")
                forget()
                del self.ready[made_ready:]
                self.in_hand.discard(attempt.pk)
                self.looked.pop(sweep, None)

    def _fly(self, attempt: Attempt, call: Callable[[], Reply], then: Step, **about: Any) -> None:
        self.ready.append((call, Landing(lambda reply: self._try(attempt, lambda: then(reply)), **about)))

    def _with_line(self, attempt: Attempt, go_on: WithLine) -> None:
        """Go on with a usable line. Tokens are fetched in a lane: a slow one holds up its own store only."""
        merchant, waiter = attempt.merchant, Waiter(attempt, go_on)
        known_at, known = self.lines.get(merchant.pk, (0.0, None))
        if known and time.monotonic() - known_at < LINE_LASTS:
            go_on(known)
        elif merchant.pk in self.asking:
            self.asking[merchant.pk].append(waiter)
        else:
            self._look_for_line(merchant, waiter)

    def _look_for_line(self, merchant: Merchant, waiter: Waiter) -> None:
        wanted, line = lines.look(merchant)
        if wanted:
            self.asking[merchant.pk] = [waiter]
            self._fetch(merchant, wanted)
        else:
            waiter.go_on(self._kept(line))

    def _kept(self, line: Line | None) -> Line | None:
        if line is not None:
            self.lines[line.merchant_pk] = time.monotonic(), line
        return line

    def _fetch(self, merchant: Merchant, wanted: Wanted) -> None:
        came = Landing(lambda reply: self._token_came(merchant, wanted, reply))
        self.ready.append((wanted.fetch, came))

    def _token_came(self, merchant: Merchant, wanted: Wanted, reply: Reply) -> None:
        kept = wanted.take_in(reply)
        # The platform's own token comes first, the store's is made with it.
        if kept is Kept.STEP and (further := lines.ask(merchant)):
            self._fetch(merchant, further)
            return
        if kept is Kept.NOTHING:
            pause_for_token(merchant, reply)
        line = self._kept(lines.current(merchant))
        for attempt, go_on in self.asking.pop(merchant.pk):
            self._try(attempt, partial(go_on, line))

    def _begin(self, attempt: Attempt) -> None:
        self._with_line(attempt, lambda line: self._look(attempt, line))

    def _look(self, attempt: Attempt, line: Line | None) -> None:
        if line is None:
            pause_for_token(attempt.merchant)
            put_back(attempt, slug="no_token")
        elif needs_read(attempt):
            began = timezone.now()
            self._read(attempt, line, lambda reply: self._check(attempt, line, reply, began))
        else:
            self.fresh.append((attempt, line))

    def _check(self, attempt: Attempt, line: Line, reply: Reply, began: datetime) -> None:
        if self._drop_refused(line, reply):
            note_token_refused(attempt, reply)
        if _are_taken(attempt, reply, began):
            self.fresh.append((attempt, line))

    def _send(self, attempt: Attempt, line: Line) -> None:
        if self.stopping:
            let_go(attempt, who=states.WORKER, reason="worker_stopped")
            return
        until = time.monotonic() + settings.WECHAT_TIMEOUT[2]
        body = prepare(attempt)
        if body is not None:
            # The line is made ready here: a lane does not know until when this thread has promised an answer.
            endpoint = ENDPOINTS[attempt.shipment.kind]
            call = partial(send_in_time, endpoint, body, line.in_time(), until)
            self._fly(attempt, call, lambda reply: self._record(attempt, line, reply), sent=attempt)

    def _record(self, attempt: Attempt, line: Line, reply: Reply) -> None:
        outcome = read_outcome(reply)
        self._drop_refused(line, reply)
        record(attempt, outcome)
        log.info(
            "answered",
            extra={"then": outcome.then, "errcode": reply.errcode, "ms": reply.elapsed_ms},
        )

    def _settle(self, attempt: Attempt) -> None:
        self._with_line(attempt, lambda line: self._ask(attempt, line))

    def _ask(self, attempt: Attempt, line: Line | None) -> None:
        began = timezone.now()
        if line is None:
            settle(attempt, Reply(ReplyKind.NOT_SENT, slug="no_token"), began)
        else:
            self._read(attempt, line, lambda reply: self._settled(attempt, line, reply, began))

    def _settled(self, attempt: Attempt, line: Line, reply: Reply, began: datetime) -> None:
        self._drop_refused(line, reply)
        try:
            settle(attempt, reply, began)
        except Exception:
            log.exception("a read we could not take in")
            forget()
            settle(attempt, replace(reply, data={}), began)

    def _drop_refused(self, line: Line, reply: Reply) -> bool:
        is_refused = read_outcome(reply).then == "renew_token"
        if is_refused:
            self.lines.pop(line.merchant_pk, None)
            line.drop()
        return is_refused

    def _read(self, attempt: Attempt, line: Line, then: Step) -> None:
        body = order_get_body(attempt.order.order_id)
        self._fly(attempt, partial(line.in_time().call, ORDER_GET, body), then, read=attempt.order)


def _are_taken(attempt: Attempt, reply: Reply, began: datetime) -> bool:
    """`take_facts`; facts that we stumble over are read again later, and the parcel says why it waits."""
    try:
        with transaction.atomic():
            return take_facts(attempt, reply, began)
    except Exception:
        log.exception("a read we could not take in")
        forget()
        # What was moved in memory and rolled back is read anew.
        attempt.claimed = None
        put_back(attempt, slug="facts_unreadable")
        return False


def send_in_time(endpoint: Endpoint, body: dict[str, object], line: Line, until: float) -> Reply:
    """A process that was stopped meanwhile sends nothing on facts that have grown old."""
    if time.monotonic() > until:
        return Reply(ReplyKind.NOT_SENT, slug="connect_timeout")
    return line.call(endpoint, body)


def _ask_ahead(ask: Callable[[Sequence[T]], None], of: Sequence[T]) -> None:
    """What each of these will ask, asked for all at once; where one is in the way, each asks for itself."""
    try:
        if of:
            with transaction.atomic():
                ask(of)
    except Exception:
        log.exception("fault of our own")
        forget()


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
