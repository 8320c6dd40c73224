"""What a fresh state starts with."""

import sqlite3
from collections.abc import Callable

from sandbox.seed import codes, past, shops, ways


def _empty(db: sqlite3.Connection, now: float) -> None:
    """Nothing: tests bring their own stores and orders."""


def _demo(db: sqlite3.Connection, now: float) -> None:
    """Two ordinary shops, two that show the document's error codes, and one for each other way of calling.

    Times are relative to ``now``.
    """
    shops.plant(db, now)
    past.plant(db, now)
    codes.plant(db, now)
    ways.plant(db, now)


SEEDS: dict[str, Callable[[sqlite3.Connection, float], None]] = {"empty": _empty, "demo": _demo}
"""name -> planter, called once on a state without stores."""


def complete(db: sqlite3.Connection, name: str, now: float) -> None:
    """Add to a demonstration of an earlier version what it lacks."""
    if name == "demo" and not ways.is_planted(db):
        ways.plant(db, now)
