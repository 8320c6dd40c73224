"""What a test measured, printed when a run is over: the figures of docs/RELIABILITY.md.

figure("G6", "calls refused of a thousand", 1.4)
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Figure = Callable[[str, str, object], None]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Note a figure of a goal; it travels with the test's report, from another process too."""

    def note(goal: str, words: str, value: object) -> None:
        request.node.user_properties.append(("figure", (goal, words, str(value))))

    return note


def _noted(reporter: Any) -> Iterator[tuple[str, str, str]]:
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                yield from (tuple(value) for name, value in report.user_properties if name == "figure")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line a figure, the goals in their order."""
    noted = sorted(set(_noted(terminalreporter)), key=lambda one: (int(one[0][1:]), one[1]))
    if noted:
        terminalreporter.section("figures")
    for goal, words, value in noted:
        terminalreporter.write_line(f"{goal:<4} {words}: {value}")
