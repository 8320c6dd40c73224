"""SIGTERM and SIGINT ask a pump to stop claiming; whoever listened before, a task worker, hears them too."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

NUMBERS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Listens while the pump runs; the second signal means now and finds the handlers that were there."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in NUMBERS:
                self._before[number] = signal.signal(number, self._heard) or signal.SIG_DFL

    def __exit__(self, *exc: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self._stop()
        before = self._before[number]
        signal.signal(number, before)
        if callable(before) and before is not signal.default_int_handler:
            before(number, frame)
