"""What was measured, beside whom, against which goal."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Size(StrEnum):
    """Short forms show that a race runs; only long ones give figures that count."""

    SHORT = "short"
    LONG = "long"

    def pick(self, short: T, long: T) -> T:
        return short if self is Size.SHORT else long


@dataclass(frozen=True)
class Figure:
    """One row of docs/PERFORMANCE.md; `ratio` says how many times better than the peer, 1 is a draw."""

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    goal: str
    met: bool | None
    unit: str
    note: str = ""


def at_most(name: str, ours: float, limit: float, unit: str, note: str = "") -> Figure:
    return Figure(name, ours, None, None, f"≤ {limit:g} {unit}", ours <= limit, unit, note)


def at_least(name: str, ours: float, limit: float, unit: str, note: str = "") -> Figure:
    return Figure(name, ours, None, None, f"≥ {limit:g} {unit}", ours >= limit, unit, note)


def told(name: str, ours: float, unit: str, note: str = "") -> Figure:
    """A figure without a goal."""
    return Figure(name, ours, None, None, "", None, unit, note)


def faster(name: str, ours: float, peer: float, goal: float | None, unit: str, note: str = "") -> Figure:
    """Times beside each other, less is better; `goal`: how many times faster, None for no goal."""
    ratio = peer / ours
    met = None if goal is None else ratio >= goal
    return Figure(name, ours, peer, ratio, "" if goal is None else f"≥ {goal:g} ×", met, unit, note)


def in_turn(times: int, *racers: Callable[[], float]) -> list[float]:
    """Let the racers run A B A B …; the median of each."""
    runs = [[racer() for racer in racers] for _ in range(times)]
    return [statistics.median(lane) for lane in zip(*runs, strict=True)]


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
