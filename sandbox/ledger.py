"""Every platform call ever received, and what it led to. No token and no secret is kept in it."""

import json
import re
import sqlite3
from dataclasses import dataclass

from sandbox.answers import Json
from sandbox.call import Request
from sandbox.tokens import Caller, fingerprint

_CREDENTIAL_CALLS = "/cgi-bin/"
_SECRETS = re.compile(
    r'("[a-z_]*(?:secret|access_token|refresh_token|verify_ticket|authorization_code|pre_auth_code)"\s*:\s*")'
    r'([^"]*)'
)
FILTERS = {
    "appid": "appid = :appid",
    "order_id": "order_id = :order_id",
    "path": "substr(path, -length(:path)) = :path",
}


@dataclass(frozen=True)
class Entry:
    """One call with its result.

    ``answer`` is what went on the wire ("" if nothing did), ``errcode`` what the platform decided (None if
    the call never reached it), whether or not the caller could read it.
    """

    at: float
    request: Request
    caller: Caller
    answer: str
    errcode: int | None
    fault: str | None
    accepted: list[Json]


def _discreet(text: str, path: str) -> str:
    """Token calls carry a secret one way and a token the other: keep fingerprints only."""
    if not path.startswith(_CREDENTIAL_CALLS):
        return text
    return _SECRETS.sub(lambda found: found[1] + "fingerprint " + fingerprint(found[2]), text)


def write(db: sqlite3.Connection, entry: Entry) -> int:
    """Add a call; returns its number."""
    path, caller = entry.request.path, entry.caller
    body = _discreet(entry.request.raw.decode("utf-8", "replace"), path)
    cursor = db.execute(
        "INSERT INTO ledger(at, path, appid, order_id, token_print, token_valid, body, answer, errcode,"
        " fault, accepted, accepted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.at,
            path,
            caller.appid,
            entry.request.order_id,
            caller.fingerprint,
            caller.problem is None and bool(caller.fingerprint),
            body,
            _discreet(entry.answer, path),
            entry.errcode,
            entry.fault,
            json.dumps(entry.accepted, ensure_ascii=False),
            entry.at if entry.accepted else None,
        ),
    )
    return int(cursor.lastrowid or 0)


def accept_late(db: sqlite3.Connection, seq: int, accepted: list[Json], errcode: int, at: float) -> None:
    """Note what a call led to after its answer was lost."""
    db.execute(
        "UPDATE ledger SET accepted = ?, accepted_at = ?, errcode = ? WHERE seq = ?",
        (json.dumps(accepted, ensure_ascii=False), at if accepted else None, errcode, seq),
    )


def read(db: sqlite3.Connection, wanted: dict[str, str], newest: int | None = None) -> list[Json]:
    """Calls as they came, filtered by appid, order_id, end of path; or the newest few, newest first."""
    clauses = [FILTERS[name] for name in FILTERS if name in wanted]
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    order = " ORDER BY seq" if newest is None else " ORDER BY seq DESC LIMIT :newest"
    query = f"SELECT * FROM ledger{where}{order}"  # noqa: S608 - own names only  # nosec B608
    rows = db.execute(query, {**wanted, "newest": newest}).fetchall()
    return [_described(row) for row in rows]


def _described(row: sqlite3.Row) -> Json:
    return {
        **dict(row),
        "token_valid": bool(row["token_valid"]),
        "accepted": json.loads(row["accepted"]),
    }


def clear(db: sqlite3.Connection) -> None:
    """Forget all calls; numbers go on rising."""
    db.execute("DELETE FROM ledger")
