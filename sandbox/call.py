"""One received platform call, and what an endpoint makes of it."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.answers import Json, Problem, refusal
from sandbox.merchants import Merchant
from sandbox.shape import Check
from sandbox.tokens import Caller


@dataclass(frozen=True)
class Request:
    """The bytes of a call as they came in; ``query`` holds the last value of each name.

    ``cloud`` is the store of the environment a cloud call came from, "" for every other call.
    """

    method: str
    path: str
    query: dict[str, str]
    raw: bytes
    host: str = "127.0.0.1"
    cloud: str = ""

    @cached_property
    def body(self) -> Any:
        """The parsed JSON, or None if it is no UTF-8 JSON."""
        try:
            parsed = json.loads(self.raw.decode("utf-8"))
            if b"\\u" in self.raw:
                # Half a surrogate pair written as an escape is no text; encoding finds it.
                json.dumps(parsed, ensure_ascii=False).encode()
            return parsed
        except (ValueError, RecursionError):
            return None

    @property
    def order_id(self) -> str:
        """The order the body speaks of, "" if none."""
        body = self.body
        named = body.get("order_id", "") if isinstance(body, dict) else ""
        return str(named) if isinstance(named, str | int) else ""


@dataclass(frozen=True)
class Call:
    """A call that passed the gates: who called, with what, and when (float seconds)."""

    db: sqlite3.Connection
    now: float
    merchant: Merchant
    body: Json
    switches: Json
    host: str = "127.0.0.1"


@dataclass(frozen=True)
class Outcome:
    """The answer body and the parcels entered by this call."""

    answer: Json
    accepted: list[Json] = field(default_factory=list)


def refused(problem: Problem) -> Outcome:
    """An outcome that changed nothing."""
    return Outcome(refusal(problem))


@dataclass(frozen=True)
class Endpoint:
    """How one platform path is called and who answers."""

    shape: Check
    handle: Callable[[Call], Outcome]
    method: str = "POST"


@dataclass(frozen=True)
class Arrival:
    """A call at the gates: nothing about it is trusted yet."""

    request: Request
    endpoint: Endpoint | None
    caller: Caller
    merchant: Merchant | None
    switches: Json
