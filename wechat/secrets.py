"""Keeping credentials out of text: a masked token type and a filter for every log handler.

The platform wants the token in the URL, so exceptions and logs are where it leaks. Two nets: what stands
beside a telling name is replaced, and so is every secret this process has had in its hands.
"""

import logging
import re
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import quote

# No \w* in front: every longer name ends in one of these, and it would be quadratic on long words.
_NAMES = r"(?:access_token|refresh_token|secret|aes_?key|verify_?ticket|auth(?:orization)?_?code)"
_IN_URL = re.compile(rf"({_NAMES}(?:=|%3D)\\?[\"']?)[^&\s\\\"'<>)]+", re.IGNORECASE)
# A JSON text cut short has no closing quote, one quoted inside another has \" for ".
_IN_JSON = re.compile(
    rf"({_NAMES}(\\*[\"'])\s*:\s*b?)(\\*[\"']).*?(?:(?<!\\)\3|\Z)", re.IGNORECASE | re.DOTALL
)
# The address of a robot is its secret.
_IN_HOOK = re.compile(r"((?:webhook/send\?key=|bot/v2/hook/))[^&\s\\\"'<>)]+", re.IGNORECASE)
# So are our own addresses that open something: one-time links, a store's push door, the way back to an admin.
_IN_PATH = re.compile(r"(/(?:join|password|wechat/events|wechat/authorized)/)(?!component/)[^/?\s\\\"'<>)]+")
_IN_XML = re.compile(
    r"(<(?:ComponentVerifyTicket|AuthorizationCode|PreAuthCode|Encrypt)>).*?(</|\Z)",
    re.IGNORECASE | re.DOTALL,
)

# Shorter ones would blot out ordinary words; the newest are kept, tokens come and go.
SHORTEST, MOST = 12, 2000
_known: dict[str, None] = {}


def remember(secret: str) -> None:
    """A secret this process knows: from now on `redact` finds it wherever it stands."""
    if len(secret) < SHORTEST or secret in _known:
        return
    for form in (secret, quote(secret, safe="")):
        _known[form] = None
    while len(_known) > MOST:
        _known.pop(next(iter(_known)), None)


class Token:
    """An access_token that does not show itself; `reveal` is called where the URL is built, nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        remember(value)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        shown = self._value[-4:] if len(self._value) >= 16 else ""
        return f"Token(…{shown})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not pickled")


def redact(text: str) -> str:
    """Replace every secret we know, and the value of every credential named in URLs, JSON or XML, by ***."""
    text = _IN_PATH.sub(r"\1***", _IN_HOOK.sub(r"\1***", text))
    for secret in list(_known):
        if secret in text:
            text = text.replace(secret, "***")
    return _IN_XML.sub(r"\1***\2", _IN_JSON.sub(r"\1\3***\3", _IN_URL.sub(r"\1***", text)))


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


def guard_handlers() -> None:
    """Put the filter on every log handler there is, also those that a server brought along."""
    for handler in _handlers():
        if not any(isinstance(one, RedactionFilter) for one in handler.filters):
            handler.addFilter(RedactionFilter())


def _handlers() -> Iterator[logging.Handler]:
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    for logger in (logging.root, *loggers):
        yield from logger.handlers
    if logging.lastResort is not None:
        yield logging.lastResort
