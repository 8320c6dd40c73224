"""How log lines are written: JSON or text, with the ids at hand, every value through the redaction once more.

Fields come from the context (`about`) or from `extra`, and from `extra` only those named in SHOWN: Django
hangs whole requests on its records.
"""

import logging
from contextlib import AbstractContextManager
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, merge_contextvars, unbind_contextvars
from structlog.typing import EventDict, Processor

from wechat.secrets import redact

SHOWN = ("merchant", "order", "shipment", "attempt", "then", "errcode", "ms", "method", "view", "status")
WORKER = "worker"


def about(**ids: Any) -> AbstractContextManager[None]:
    """Until it is left, each log line of this thread carries these ids, such as merchant=3, attempt=12."""
    return bound_contextvars(**ids)


def _redacted(logger: Any, method: str, event: EventDict) -> EventDict:
    told = {name: value for name, value in event.items() if value is not None}
    return {name: redact(value) if isinstance(value, str) else value for name, value in told.items()}


def _text() -> Processor:
    """No colours, and of an exception no local variables: they hold tokens."""
    return structlog.dev.ConsoleRenderer(
        colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )


def formatter(style: str) -> logging.Formatter:
    """For the handler on stderr; `style`: json or text."""
    is_json = style == "json"
    stamp = structlog.processors.TimeStamper(fmt="iso" if is_json else "%Y-%m-%d %H:%M:%S", utc=is_json)
    render = structlog.processors.JSONRenderer(ensure_ascii=False) if is_json else _text()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            structlog.stdlib.ExtraAdder(allow=SHOWN),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            stamp,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redacted,
            render,
        ],
    )


def task_begins(sender: Any, task_result: Any, **more: Any) -> None:
    """Listens to the signal of a worker that takes a task."""
    bind_contextvars(task=task_result.task.name, actor=WORKER)


def task_ends(sender: Any, task_result: Any, **more: Any) -> None:
    unbind_contextvars("task", "actor")
