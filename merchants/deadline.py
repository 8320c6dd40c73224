"""Until when somebody was promised an answer, and how long a call may take so that the promise is kept."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

from wechat.client import Timeouts

SHORTEST = 0.05
_end: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def until(end: float) -> Iterator[None]:
    """No call made inside outlives `end` of the monotonic clock: someone was promised an answer by then."""
    before = _end.set(end)
    try:
        yield
    finally:
        _end.reset(before)


def seconds_left() -> float:
    end = _end.get()
    return float("inf") if end is None else end - time.monotonic()


def timeouts() -> Timeouts:
    """The operator's WECHAT_TIMEOUT, shortened to what is left; other threads know nothing of the promise."""
    left = max(SHORTEST, seconds_left())
    return Timeouts(*(min(part, left) for part in settings.WECHAT_TIMEOUT))
