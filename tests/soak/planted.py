"""Bugs that people write, planted into a worker, to see that the loops find them. The product has no switch for any.

Each function changes the engine of this process. The names are those of RELIABILITY's table of what was measured.
"""

import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

# A slow machine: between the commit and the first byte there is time to be stopped or killed.
BEFORE_THE_FIRST_BYTE = 0.12


def scale_the_clock() -> None:
    """Backoff and waits in tenths; what the settings scale is in the environment of the worker."""
    from shipping.dispatch import backlog, pump, readiness, recording, sending, settling

    short = timedelta(seconds=0.1)
    readiness.BETWEEN_CALLS = timedelta(seconds=0.05)
    backlog.LOOK_AGAIN, backlog.LOOK_SOON = 0.1, 0.02
    settling.IN_HAND = timedelta(seconds=3)
    sending.backoff = lambda count: short
    recording.table_wait = lambda code, tries: short
    honest = pump.send_in_time

    def send(endpoint: Any, body: Any, line: Any, until: float) -> Any:
        time.sleep(BEFORE_THE_FIRST_BYTE)
        return honest(endpoint, body, line, until)

    pump.send_in_time = send


def naive() -> None:
    """No answer: try again."""
    from shipping.dispatch import pump
    from shipping.dispatch.sending import put_back

    honest = pump.record

    def record(attempt: Any, outcome: Any) -> None:
        if outcome.then == "unclear":
            put_back(attempt, slug="read_timeout", reply=outcome.reply)
        else:
            honest(attempt, outcome)

    pump.record = record


def mark_first() -> None:
    """Write "shipped", then send."""
    from shipping import states
    from shipping.dispatch import pump
    from shipping.dispatch.sending import end, sending
    from shipping.services import move

    honest = pump.prepare

    def prepare(attempt: Any) -> Any:
        body = honest(attempt)
        if body is not None:
            for package in sending(attempt):
                move(package, states.SHIPPED, who=states.WORKER, attempt=attempt)
            end(attempt, then="accepted")
        return body

    pump.prepare = prepare
    pump.record = lambda attempt, outcome: None


def hasty() -> None:
    """One look that shows nothing, at once: send again."""
    from django.conf import settings

    settings.SETTLE_GRACE = 0.0


def lease() -> None:
    """A worker is dead when its lease has run out by the clock, and a woken one goes on where it was."""
    from django.utils import timezone

    from shipping.dispatch import pump, sweeping
    from shipping.models import Attempt

    def is_alive(run_id: str) -> bool:
        young = timezone.now() - timedelta(seconds=1)
        return Attempt.objects.filter(run=run_id, closed_at=None, started_at__gt=young).exists()

    def send(endpoint: Any, body: Any, line: Any, until: float) -> Any:
        time.sleep(3 * BEFORE_THE_FIRST_BYTE)
        return line.call(endpoint, body)

    sweeping.is_alive = is_alive
    # On PostgreSQL a call is given its time besides; a lease alone knows of none.
    sweeping.doubt = lambda: timedelta(0)
    pump.send_in_time = send


def late_row() -> None:
    """The row of the call is written when its answer is there."""
    from shipping.dispatch import pump, sending
    from shipping.models import Attempt

    answered = pump.record

    def record(attempt: Any, outcome: Any) -> None:
        Attempt.objects.filter(pk=attempt.pk).update(sent_at=attempt.sent_at, request=attempt.request)
        answered(attempt, outcome)

    sending._take_off = lambda attempt: True
    pump.record = record


def wrong_token() -> None:
    """One token for everybody."""
    from merchants.models import Merchant
    from shipping.dispatch import pump

    current, look = pump.lines.current, pump.lines.look
    pump.lines.current = lambda merchant: current(Merchant.objects.order_by("pk")[0])
    pump.lines.look = lambda merchant: look(Merchant.objects.order_by("pk")[0])


def _read_as(is_wrong: Callable[[Any], bool], then: str) -> None:
    """An answer of this kind is taken for a clear one."""
    from dataclasses import replace

    from shipping.dispatch import pump

    honest = pump.record

    def record(attempt: Any, outcome: Any) -> None:
        honest(attempt, replace(outcome, then=then) if is_wrong(outcome) else outcome)

    pump.record = record


def trusts_500() -> None:
    """An HTTP 500 is taken for a refusal."""
    _read_as(lambda outcome: (outcome.reply.http_status or 0) >= 500, "rejected")


def trusts_200() -> None:
    """An HTTP 200 is taken for success, whatever stands in it."""
    _read_as(lambda outcome: outcome.then == "unclear" and outcome.reply.http_status == 200, "accepted")


def never_swept() -> None:
    """What a dead worker had in hand is nobody's."""
    from shipping.dispatch import pump

    def nothing(run_id: str = "", in_hand: Collection[int] = ()) -> int:
        return 0

    pump.sweep = nothing


def silent() -> None:
    """A status is changed past its only door."""
    from shipping import states
    from shipping.dispatch import pump
    from shipping.models import Package

    honest = pump.record

    def record(attempt: Any, outcome: Any) -> None:
        honest(attempt, outcome)
        moved = Package.objects.filter(attempt=attempt.pk, status=states.UNKNOWN)
        moved.update(status=states.CONFLICT)

    pump.record = record


def gives_up() -> None:
    """A call without an answer is closed as refused after one look."""
    _read_as(lambda outcome: outcome.then == "unclear", "rejected")


PLANTED: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        naive, mark_first, hasty, lease, late_row, wrong_token, trusts_500, trusts_200, never_swept, silent, gives_up,
    )
}  # fmt: skip
