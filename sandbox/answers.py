"""What the platform says: bodies of answers, the code texts and the ``rid`` tail (store-api.md 3.3)."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_CODES = json.loads(Path(__file__).with_name("codes.json").read_text(encoding="utf-8"))
DOCUMENT: dict[int, str] = {int(code): words for code, words in _CODES["document"].items()}
"""The 46 codes of senddelivery.md section 6, letter for letter."""
GENERAL: dict[int, str] = {int(code): words for code, words in _CODES["general"].items()}
"""The general codes named in store-api.md 3.3, with wording seen in live answers where known."""

# Live bodies of 109000 hold nothing but the rid (samples: blank_errmsg_109000).
_WORDLESS = {109000: ""}


@dataclass(frozen=True)
class Problem:
    """One reason to refuse: the platform's code and, where it has one, a text of its own."""

    errcode: int
    detail: str | None = None


def words(errcode: int) -> str:
    """The platform's text for a code, without rid; a plain phrase for a code nobody documented."""
    return {**GENERAL, **DOCUMENT, **_WORDLESS}.get(errcode, "unknown error")


def rid() -> str:
    """A request id in the shape xxxxxxxx-xxxxxxxx-xxxxxxxx."""
    return "-".join(secrets.token_hex(4) for _ in range(3))


def ok(**fields: Any) -> Json:
    """An accepted call's body."""
    return {"errcode": 0, "errmsg": "ok", **fields}


def refusal(problem: Problem) -> Json:
    """A refused call's body; errmsg always ends in `` rid: …``."""
    text = words(problem.errcode) if problem.detail is None else problem.detail
    return {"errcode": problem.errcode, "errmsg": f"{text} rid: {rid()}"}


def invalid_args(path: str, expected: str, actual: object) -> Problem:
    """40097 worded as the live sample: the last name, the exact path, and what was found there."""
    name = path.rsplit(".", 1)[-1]
    return Problem(40097, f"invalid args, {name}: expecting {path} {expected}, actually {actual}")


def first(problems: Iterable[Problem]) -> Problem | None:
    """The first problem of many: the platform never names more than one."""
    return next(iter(problems), None)
