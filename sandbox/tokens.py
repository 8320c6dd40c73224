"""Access tokens of a store: the classic and the stable kind (store-api.md 3.1).

The two kinds never touch each other. Times are float seconds of the sandbox's clock.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox import switches
from sandbox.answers import Json, Problem

LIFE = 7200
OVERLAP = 300
"""stable_token hands out a successor this many seconds early; a replaced classic token lives on as long."""
FORCE_GAP = 30
FORCE_A_DAY = 20
TOKEN_BYTES = 102  # 136 characters, as long as live ones


@dataclass(frozen=True)
class Caller:
    """Who speaks, as far as the token tells; ``fingerprint`` is all of it that is ever kept in the ledger."""

    appid: str
    fingerprint: str
    problem: Problem | None


def fingerprint(token: str) -> str:
    """Eight hex digits that recognise a token without revealing it; "" for none."""
    return hashlib.sha256(token.encode()).hexdigest()[:8] if token else ""


def caller(db: sqlite3.Connection, token: str, now: float) -> Caller:
    """Look the token up: 41001 missing, 40001 unknown or killed, 42001 expired."""
    if not token:
        return Caller("", "", Problem(41001))
    row = db.execute("SELECT * FROM tokens WHERE token = ?", (token,)).fetchone()
    appid = row["appid"] if row else ""
    return Caller(appid, fingerprint(token), _why_dead(row, now))


def _why_dead(row: sqlite3.Row | None, now: float) -> Problem | None:
    if row is None or row["dead"]:
        return Problem(40001)
    if row["replaced_at"] is not None and now >= row["replaced_at"] + OVERLAP:
        return Problem(40001)  # "not latest"
    return Problem(42001) if now >= row["expires_at"] else None


def classic(db: sqlite3.Connection, appid: str, now: float) -> Json:
    """A new token on every request; the one before lives five more minutes."""
    return grant(db, appid, "classic", now)


def grant(db: sqlite3.Connection, appid: str, kind: str, now: float) -> Json:
    """A new token in place of the one before, which lives five more minutes."""
    db.execute(
        "UPDATE tokens SET replaced_at = ? WHERE appid = ? AND kind = ? AND replaced_at IS NULL",
        (now, appid, kind),
    )
    return _grant(db, appid, kind, now)


def is_spent(db: sqlite3.Connection, appid: str, kind: str, now: float) -> bool:
    """Whether the day's tokens of this kind are used up (45009)."""
    query = "SELECT COUNT(*) FROM tokens WHERE appid = ? AND kind = ? AND made_at > ?"
    count = db.execute(query, (appid, kind, now - 86400)).fetchone()[0]
    return bool(count >= switches.read(db)["tokens_a_day"])


def stable(db: sqlite3.Connection, appid: str, now: float, force: bool) -> Json:
    """The same token until its last five minutes; a permitted force kills what was there."""
    if force and _may_force(db, appid, now):
        db.execute("INSERT INTO forced(appid, at) VALUES (?, ?)", (appid, now))
        kill(db, appid, "stable")
        return _grant(db, appid, "stable", now)
    row = db.execute(
        "SELECT token, expires_at FROM tokens WHERE appid = ? AND kind = 'stable' AND dead = 0"
        " AND expires_at > ? ORDER BY made_at DESC LIMIT 1",
        (appid, now + OVERLAP),
    ).fetchone()
    if row is None:
        return _grant(db, appid, "stable", now)
    return {"access_token": row["token"], "expires_in": int(row["expires_at"] - now)}


def _may_force(db: sqlite3.Connection, appid: str, now: float) -> bool:
    last, count = db.execute(
        "SELECT COALESCE(MAX(at), 0), COALESCE(SUM(at > ?), 0) FROM forced WHERE appid = ?",
        (now - 86400, appid),
    ).fetchone()
    return bool(now - last >= FORCE_GAP and count < FORCE_A_DAY)


def _grant(db: sqlite3.Connection, appid: str, kind: str, now: float) -> Json:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    db.execute(
        "INSERT INTO tokens(token, appid, kind, made_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        (token, appid, kind, now, now + LIFE),
    )
    return {"access_token": token, "expires_in": LIFE}


def kill(db: sqlite3.Connection, appid: str, kind: str | None = None) -> None:
    """Make a store's tokens invalid (40001): all of them, or one kind."""
    db.execute("UPDATE tokens SET dead = 1 WHERE appid = ? AND (? IS NULL OR kind = ?)", (appid, kind, kind))


def expire(db: sqlite3.Connection, appid: str, now: float) -> None:
    """Let a store's living tokens run out this moment (42001)."""
    db.execute("UPDATE tokens SET expires_at = ? WHERE appid = ? AND expires_at > ?", (now, appid, now))


def credential_problems(db: sqlite3.Connection, asked: dict[str, Any]) -> Iterator[Problem]:
    """What is wrong with a token request's {grant_type, appid, secret}."""
    if asked.get("grant_type") != "client_credential":
        yield Problem(40002)
    if not asked.get("appid"):
        yield Problem(41002)
    if not asked.get("secret"):
        yield Problem(41004)
    row = db.execute("SELECT secret FROM merchants WHERE appid = ?", (str(asked.get("appid")),)).fetchone()
    if row is None:
        yield Problem(40013)
    elif row["secret"] != asked.get("secret"):
        yield Problem(40125)
