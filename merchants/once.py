"""What is asked of the database once in a commit, however many parcels it is about.

Within `asking_once` a question keeps its answer; outside of it each is asked anew. Whoever changes what an
answer rests on says `forget`.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def asking_once() -> Iterator[None]:
    """For a round of the worker: no longer than its commit, so that no answer grows old."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once(question: Hashable, ask: Callable[[], T]) -> T:
    """The answer to `question`, asked now unless it was in this commit."""
    answers = _answers.get()
    if answers is None:
        return ask()
    if question not in answers:
        answers[question] = ask()
    answer: T = answers[question]
    return answer


def forget() -> None:
    """Something was changed, or was taken back: every question is asked anew."""
    answers = _answers.get()
    if answers is not None:
        answers.clear()
