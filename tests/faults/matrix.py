"""What the fault matrix is made of: places to die at, faults to meet there, and one run over all of them.

A crash is an exception that no handler catches, so nothing of the dying run is put right; the next run has to do it.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection
from django.utils import timezone
from urllib3.connection import HTTPConnection

from merchants.models import Pause
from merchants.services import add_merchant
from sandbox import build
from shipping import states
from shipping.dispatch import Pump, claiming, pump, readiness, settling
from shipping.models import Order, Package, Shipment, Tempo
from shipping.syncing import read_order
from tests.flows.test_dispatch import parcel, ship
from tests.history import History
from wechat.client import Client

POINTS = {
    "C0": "before the claim",
    "C1": "claimed",
    "C2": "connected",
    "C3": "bytes sent",
    "C4": "accepted, no answer read",
    "C5": "answered, nothing written",
    "C6": "written",
}
TURNS = ("first", "retry")
# What the platform does, by the sandbox's word for it.
PLATFORM: dict[str, dict[str, Any]] = {
    "timeout_accepted": {"fault": "timeout_accepted", "seconds": 1},
    "timeout_not_accepted": {"fault": "timeout_not_accepted", "seconds": 1},
    "late_accept": {"fault": "late_accept", "seconds": 0.1},
    "reset_before": {"fault": "reset_before"},
    "reset_after": {"fault": "reset_after"},
    "5xx_before": {"fault": "http500_before"},
    "5xx_after": {"fault": "http500_after"},
    "html_200": {"fault": "html_200"},
    "truncated_json": {"fault": "truncated_json"},
    "empty": {"fault": "empty"},
    "drip": {"fault": "drip", "seconds": 1},
    "busy_before": {"fault": "busy_before"},
    "busy_after": {"fault": "busy_after"},
    "locked_order_100003": {"fault": "code", "errcode": 100003},
    "quota_45009": {"fault": "code", "errcode": 45009},
    "too_fast_45011": {"fault": "code", "errcode": 45011},
    "dead_token_40001": {"fault": "token_dead"},
    "old_token_42001": {"fault": "code", "errcode": 42001},
    "109001_ours": {"fault": "code", "errcode": 109001, "accepted": True},
    "109001_not_ours": {"fault": "code", "errcode": 109001},
    "unlisted_code": {"fault": "code", "errcode": 987654},
}
# What happens on our own side, once, to the call in question.
OWN = ("refused", "tls_error", "locked_at_claim", "disk_full", "locked_at_record", "locked_at_settle")
# Something to settle needs a lost answer, a second record a call that did not arrive.
LEADS_TO = {"locked_at_settle": {"fault": "reset_after"}, "locked_at_record": {"fault": "reset_before"}}
FAULTS = (*PLATFORM, *OWN)
# An answer that was read says that it was refused; lost, it is settled by reads and sent again.
REFUSALS = ("109001_not_ours", "unlisted_code")
LOSES_ANSWER = ("C3", "C4", "C5")


class Crash(BaseException):
    """The process is gone."""


def expected(point: str, fault: str) -> str:
    """How a cell ends once everything has come to rest."""
    is_read = fault in REFUSALS and point not in LOSES_ANSWER
    return states.REJECTED if is_read else states.SHIPPED


@dataclass
class Cell:
    """One order of a store of its own, with the crash and the fault it will meet."""

    fault: str
    shipment: Shipment
    order_id: str
    sends: int = 0
    crashed: bool = False
    struck: set[str] = field(default_factory=set)


class Batch:
    """All faults at one crash point and one turn, in one database and one sandbox."""

    def __init__(self, world: Any, point: str, turn: str) -> None:
        self.world, self.point, self.wanted = world, point, TURNS.index(turn)
        self.cells = {cell.order_id: cell for cell in map(self._cell, range(len(FAULTS)))}
        self.calling: Cell | None = None
        self.is_doomed = False

    def _cell(self, number: int) -> Cell:
        fault, appid, remote = FAULTS[number], f"wx{number:016x}", self.world.remote
        remote.merchant(appid, "m" * 32)
        merchant = add_merchant(appid=appid, name=fault, secret="m" * 32)
        order, _ = read_order(merchant, remote.order(appid, [build.line("1", "2", 1)])["order_id"])
        assert order is not None
        if self.wanted:
            remote.fault("code", order_id=order.order_id, errcode=100003)
        if strikes := PLATFORM.get(fault) or LEADS_TO.get(fault):
            remote.fault(order_id=order.order_id, **strikes)
        return Cell(fault, ship(order, parcel(f"SF31000000{number:05}")), order.order_id)

    # --- where it happens -----------------------------------------------------------------------------

    def crash(self, cell: Cell | None, point: str) -> None:
        """Die here, once, if this is the cell's place and turn."""
        if cell is not None and self._is_due(cell, point):
            cell.crashed = True
            raise Crash

    def doom(self, cell: Cell, point: str) -> None:
        """As `crash`, but once all that is written together is committed."""
        if self._is_due(cell, point):
            cell.crashed = True
            self.is_doomed = True

    def end_the_doomed(self) -> None:
        if self.is_doomed:
            self.is_doomed = False
            raise Crash

    def _is_due(self, cell: Cell, point: str) -> bool:
        return point == self.point and not cell.crashed and self._is_turn(cell)

    def strikes(self, cell: Cell, fault: str) -> bool:
        """Whether this fault of our own happens now; once."""
        strikes = cell.fault == fault and fault not in cell.struck and self._is_turn(cell)
        cell.struck |= {fault} if strikes else set()
        return strikes

    def _is_turn(self, cell: Cell) -> bool:
        return cell.sends >= self.wanted

    def of(self, order: Order) -> Cell:
        return self.cells[order.order_id]

    # --- until everything is at rest ------------------------------------------------------------------

    def work(self) -> None:
        """Start a new run after each death, end the pauses as a person would, until nothing is left."""
        for _ in range(len(FAULTS) * 8):
            with contextlib.suppress(Crash, OperationalError):
                Pump().run(5)
            if not Package.objects.exclude(status__in=states.FINAL).exists():
                return
            Pause.objects.filter(ended_at=None).update(ended_at=timezone.now())
            Tempo.objects.all().delete()

    def verdicts(self) -> dict[str, str]:
        """The status of each fault's package, or what is wrong."""
        wrong = History(self.world.remote).violations(packages=len(FAULTS))
        found = {}
        for cell in self.cells.values():
            own = [sentence for sentence in wrong if cell.order_id in sentence]
            calm = cell.crashed and (cell.fault in PLATFORM or cell.struck)
            found[cell.fault] = "; ".join(own) or (
                cell.shipment.packages.get().status if calm else "never struck"
            )
        return found


def fails(words: str) -> Callable[..., Any]:
    """A database that answers every write with `words`."""

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("UPDATE", "INSERT")):
            raise OperationalError(words)
        return execute(sql, params, many, context)

    return wrapper


@contextlib.contextmanager
def faulty(batch: Batch, fault: str, cell: Cell, words: str) -> Iterator[None]:
    """Let the database refuse to write within, if this fault strikes the cell now."""
    with contextlib.ExitStack() as stack:
        if batch.strikes(cell, fault):
            stack.enter_context(connection.execute_wrapper(fails(words)))
        yield


def plant(batch: Batch, patch: Any) -> None:
    """Put the places to die at and the faults of our own into the engine."""
    _plant_before_the_call(batch, patch)
    _plant_in_the_lane(batch, patch)
    _plant_on_the_wire(batch, patch)
    _plant_after_the_call(batch, patch)


def _plant_before_the_call(batch: Batch, patch: Any) -> None:
    honest_claim, honest_prepare = claiming.claim, pump.prepare

    def claim(shipment: Any, *words: Any) -> Any:
        cell = batch.of(shipment.order)
        batch.crash(cell, "C0")
        with faulty(batch, "locked_at_claim", cell, "database is locked"):
            return honest_claim(shipment, *words)

    def prepare(attempt: Any) -> Any:
        cell = batch.of(attempt.order)
        batch.crash(cell, "C1")
        with faulty(batch, "disk_full", cell, "database or disk is full"):
            return honest_prepare(attempt)

    patch.setattr(claiming, "claim", claim)
    patch.setattr(pump, "prepare", prepare)


def _plant_in_the_lane(batch: Batch, patch: Any) -> None:
    honest_send, honest_reply = pump.send_in_time, pump._reply_of

    def send(endpoint: Any, body: Any, line: Any, until: float) -> Any:
        cell = batch.calling = batch.cells[body["order_id"]]
        try:
            return honest_send(endpoint, body, _elsewhere(batch, cell, line), until)
        finally:
            cell.sends += 1
            batch.calling = None

    def reply_of(future: Any) -> Any:
        if isinstance(future.exception(), Crash):
            raise Crash
        return honest_reply(future)

    patch.setattr(pump, "send_in_time", send)
    patch.setattr(pump, "_reply_of", reply_of)


def _plant_after_the_call(batch: Batch, patch: Any) -> None:
    honest_record, honest_settle, honest_whole = pump.record, pump.settle, pump.whole_or_nothing

    def record(attempt: Any, outcome: Any) -> None:
        cell = batch.of(attempt.order)
        cell.sends -= 1
        batch.crash(cell, "C5")
        with faulty(batch, "locked_at_record", cell, "database is locked"):
            honest_record(attempt, outcome)
        batch.doom(cell, "C6")
        cell.sends += 1

    @contextlib.contextmanager
    def whole_or_nothing() -> Iterator[None]:
        with honest_whole():
            yield
        # Before another cell's call flies, which would lose its answer by this one's death.
        batch.end_the_doomed()

    def settle(attempt: Any, reply: Any, began: Any) -> None:
        with faulty(batch, "locked_at_settle", batch.of(attempt.order), "database is locked"):
            honest_settle(attempt, reply, began)

    patch.setattr(pump, "record", record)
    patch.setattr(pump, "settle", settle)
    patch.setattr(pump, "whole_or_nothing", whole_or_nothing)


def _elsewhere(batch: Batch, cell: Cell, line: Any) -> Any:
    """A platform that is not there, or does not speak TLS."""
    if batch.strikes(cell, "refused"):
        return replace(line, client=Client("http://127.0.0.1:1"))
    if batch.strikes(cell, "tls_error"):
        return replace(line, client=Client(batch.world.url.replace("http:", "https:")))
    return line


def _plant_on_the_wire(batch: Batch, patch: Any) -> None:
    honest_request, honest_response = HTTPConnection.request, HTTPConnection.getresponse

    def request(self: Any, *args: Any, **kwargs: Any) -> None:
        if batch.calling and batch.point == "C2":
            self.connect()
            batch.crash(batch.calling, "C2")
        honest_request(self, *args, **kwargs)

    def response(self: Any) -> Any:
        batch.crash(batch.calling, "C3")
        try:
            return honest_response(self)
        finally:
            batch.crash(batch.calling, "C4")

    patch.setattr(HTTPConnection, "request", request)
    patch.setattr(HTTPConnection, "getresponse", response)


def scale_the_clock(settings: Any, patch: Any) -> None:
    """Seconds become tenths: time-outs, grace, backoff, waits."""
    settings.LANES, settings.SETTLE_GRACE, settings.WECHAT_TIMEOUT = 1, 0.3, (0.2, 0.25, 0.4)
    # One call at a time: a cell whose answer is lost by another's death does not meet its own.
    patch.setattr(pump.Pump, "_room", lambda self: 0 if self.flying else 1)
    short = timedelta(seconds=0.02)
    patch.setattr(readiness, "BETWEEN_CALLS", short)
    # A read may wait for the lane, and dies with the process that took it.
    patch.setattr(settling, "IN_HAND", timedelta(seconds=1))
    patch.setattr("shipping.dispatch.sending.backoff", lambda count: short)
    patch.setattr("shipping.dispatch.recording.table_wait", lambda code, tries: short)
