"""Four bugs that a shipping desk has had somewhere; planted into the product while a test runs, never in it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import transaction

from shipping import states
from shipping.dispatch import recording, settling
from shipping.dispatch.sending import prepare, put_back
from shipping.models import Attempt
from shipping.services import move

Plant = Callable[[Any], None]


def retry_on_timeout(monkeypatch: Any) -> None:
    """A call without an answer is simply made again (WxJava on -1)."""

    def back_to_the_queue(attempt: Attempt, then: str, reply: Any) -> None:
        put_back(attempt, slug="read_timeout", reply=reply)

    monkeypatch.setattr(recording, "to_unknown", back_to_the_queue)


def trust_109001(monkeypatch: Any) -> None:
    """ "Already shipped" is taken for: by us."""
    true = recording.record

    def believing(attempt: Attempt, outcome: Any) -> None:
        is_said = outcome.reply.errcode == 109001
        true(attempt, replace(outcome, then="accepted") if is_said else outcome)

    monkeypatch.setattr("shipping.dispatch.pump.record", believing)


def mark_before_send(monkeypatch: Any) -> None:
    """Shipped is written first, so that a crash loses the parcel instead of sending it twice."""

    @transaction.atomic
    def marking(attempt: Attempt) -> dict[str, object] | None:
        body = prepare(attempt)
        for package in attempt.packages.filter(status=states.SENDING) if body else ():
            move(package, states.SHIPPED, who=states.WORKER, attempt=attempt)
        return body

    monkeypatch.setattr("shipping.dispatch.pump.prepare", marking)


def hasty_resend(monkeypatch: Any) -> None:
    """The first read that lacks our parcel is proof enough, however soon it comes."""

    def at_once(attempt: Attempt, began: Any) -> None:
        attempt.misses = 2

    monkeypatch.setattr(settling, "_count_miss", at_once)


BUGS: dict[str, Plant] = {
    bug.__name__: bug for bug in (retry_on_timeout, trust_109001, mark_before_send, hasty_resend)
}
