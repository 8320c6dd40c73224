"""One Reply, read through the code table: what a caller must do next."""

import re
from dataclasses import dataclass

from .errcodes import Code, meaning
from .replies import Reply, ReplyKind


@dataclass(frozen=True)
class Outcome:
    """`then` is a word of errcodes.toml, or accepted, not_sent, unclear."""

    then: str
    reply: Reply
    code: Code


def read_outcome(reply: Reply) -> Outcome:
    """Never fails: a code that is not in the table is `ask`."""
    code = meaning(reply.errcode, reply.slug)
    return Outcome(_then(reply, code), reply, code)


def _then(reply: Reply, code: Code) -> str:
    if reply.kind is ReplyKind.NOT_SENT:
        return "not_sent"
    if reply.kind is ReplyKind.NO_ANSWER:
        return "unclear"
    return "accepted" if reply.errcode == 0 else code.then


# ASCII: Chinese words may follow a path without a space.
_PATH = re.compile(r"delivery_list\[(\d+)\]((?:\.\w+(?:\[\d+\])?)*)", re.ASCII)
_WORDS = (
    (".course_info.course_path", ".course"),
    (".course_info", ".course"),
    (".sn_info", ".serial"),
    (".product_infos", ".items"),
)


def error_paths(errmsg: str) -> list[str]:
    """`delivery_list[0].product_infos[1].product_id` in an errmsg -> `packages[0].items[1].product_id`."""
    found = (f"packages[{index}]{_ours(rest)}" for index, rest in _PATH.findall(errmsg))
    return list(dict.fromkeys(found))


def _ours(path: str) -> str:
    for theirs, ours in _WORDS:
        path = path.replace(theirs, ours)
    return path
