"""What came back from one call: an answer, surely nothing sent, or nobody knows."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_RID = re.compile(r"rid: ?([0-9A-Za-z-]+)")


class ReplyKind(StrEnum):
    ANSWERED = "answered"
    NOT_SENT = "not_sent"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class Reply:
    """One call's end. `slug` names what went wrong on the line; `errcode` is set only when ANSWERED.

    `data` stays out of the repr: it may hold a fresh token or a buyer's address.
    """

    kind: ReplyKind
    slug: str = ""
    errcode: int | None = None
    errmsg: str = ""
    rid: str = ""
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    http_status: int | None = None
    elapsed_ms: int = 0

    @property
    def ok(self) -> bool:
        return self.kind is ReplyKind.ANSWERED and self.errcode == 0


def parse_rid(errmsg: str) -> str:
    found = _RID.search(errmsg)
    return found.group(1)[:60] if found else ""
