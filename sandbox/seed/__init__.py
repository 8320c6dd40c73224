"""What a fresh state starts with."""

import sqlite3
from collections.abc import Callable

from sandbox.seed import codes, shops


def _empty(db: sqlite3.Connection, now: float) -> None:
    """Nothing: tests bring their own stores and orders."""


def _demo(db: sqlite3.Connection, now: float) -> None:
    """Two ordinary shops and two that show the document's error codes; times are relative to ``now``."""
    shops.plant(db, now)
    codes.plant(db, now)


SEEDS: dict[str, Callable[[sqlite3.Connection, float], None]] = {"empty": _empty, "demo": _demo}
"""name -> planter, called once on a state without stores."""
