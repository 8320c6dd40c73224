"""What is asked of the database once in a commit or for a page, however many rows it is about.

Within `asking_once` a question keeps its answer; outside of it each is asked anew. Whoever changes what an
answer rests on says `forget`.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse

T = TypeVar("T")
_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def asking_once() -> Iterator[None]:
    """For a round of the worker, or a page: no longer, so that no answer grows old."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def pages_ask_once(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware: what only reads asks no question twice; what writes asks anew each time."""

    def answer(request: HttpRequest) -> HttpResponse:
        with asking_once() if request.method in ("GET", "HEAD") else nullcontext():
            return get_response(request)

    return answer


def once(question: Hashable, ask: Callable[[], T]) -> T:
    """The answer to `question`, asked now unless it was in this commit."""
    answers = _answers.get()
    if answers is None:
        return ask()
    if question not in answers:
        answers[question] = ask()
    answer: T = answers[question]
    return answer


def knowing(question: Hashable, answer: object) -> None:
    """What will be asked in this commit, found together with the answers for others."""
    answers = _answers.get()
    if answers is not None:
        answers[question] = answer


def forget() -> None:
    """Something was changed, or was taken back: every question is asked anew."""
    answers = _answers.get()
    if answers is not None:
        answers.clear()
