"""Keeping credentials out of text: a masked token type and a filter for every log handler.

The platform wants the token in the URL, so exceptions and logs are where it leaks.
"""

import logging
import re
from typing import NoReturn

# No \w* in front: every longer name ends in one of these, and it would be quadratic on long words.
_NAMES = r"(?:access_token|refresh_token|secret|aes_?key)"
_IN_URL = re.compile(rf"({_NAMES}(?:=|%3D)\\?[\"']?)[^&\s\\\"'<>)]+", re.IGNORECASE)
# A JSON text cut short has no closing quote, one quoted inside another has \" for ".
_IN_JSON = re.compile(
    rf"({_NAMES}(\\*[\"'])\s*:\s*b?)(\\*[\"']).*?(?:(?<!\\)\3|\Z)", re.IGNORECASE | re.DOTALL
)


class Token:
    """An access_token that does not show itself; `reveal` is called where the URL is built, nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        shown = self._value[-4:] if len(self._value) >= 16 else ""
        return f"Token(…{shown})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not pickled")


def redact(text: str) -> str:
    """Replace the value of every credential named in URLs or JSON by ***."""
    return _IN_JSON.sub(r"\1\3***\3", _IN_URL.sub(r"\1***", text))


class RedactionFilter(logging.Filter):
    """Redacts the message, its arguments and the exception text of every record it sees."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit or cannot be shown; a filter that raises breaks its caller
        return f"{record.msg} (arguments not shown)"
