"""The cloud call: a sidecar speaks for the environment's own store and no token travels (store-api.md 3.4).

Its base is ``/_cloud/<appid>``: a CloudRun environment belongs to one account, and so does this address.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

from sandbox import merchants
from sandbox.answers import Json, Problem, first
from sandbox.call import Request
from sandbox.faults import Reply
from sandbox.tokens import Caller

PREFIX = "/_cloud/"
NOT_OFFERED = (
    "order/deliverycompanylist/new/get",
    "order/sensitiveinfo/decode",
    "order/delivery/compensation",
)
"""Calls that have no cloud call at all; tokens have none either."""
FACTS: dict[str, tuple[type, object]] = {
    "allowed": (list, None),
    "is_on": (bool, True),
    "is_ready": (bool, True),
    "bad_gateway": (bool, False),
}
"""What an environment is like: path suffixes on the console's list (None: all), the switch, the start-up
being over, and whether 85107 comes as HTTP 502, as it sometimes does."""


def misfits(wanted: Json) -> list[str]:
    """Facts in ``wanted`` of a wrong type."""
    return [
        name for name, (kind, _) in FACTS.items() if name in wanted and not isinstance(wanted[name], kind)
    ]


def bind(db: sqlite3.Connection, appid: str, wanted: Json) -> None:
    """Bind an environment to a store, or change one (checked before by ``misfits``)."""
    facts = {name: wanted.get(name, default) for name, (_, default) in FACTS.items()}
    db.execute("INSERT OR REPLACE INTO clouds(appid, facts) VALUES (?, ?)", (appid, json.dumps(facts)))


def caller(db: sqlite3.Connection, request: Request) -> Caller:
    """Who the sidecar speaks for, and why it does not."""
    return Caller(request.cloud, "", first(_problems(_facts(db, request.cloud), request, db)))


def _facts(db: sqlite3.Connection, appid: str) -> Json | None:
    row = db.execute("SELECT facts FROM clouds WHERE appid = ?", (appid,)).fetchone()
    return json.loads(row["facts"]) if row else None


def _problems(facts: Json | None, request: Request, db: sqlite3.Connection) -> Iterator[Problem]:
    if facts is None or merchants.load(db, request.cloud) is None:
        yield Problem(85105)
        return
    if "access_token" in request.query:
        # The sidecar lets a call with a token through as it is: over plain http.
        yield Problem(43003)
    if not facts["is_on"]:
        yield Problem(41001)
    if not facts["is_ready"]:
        yield Problem(85112)
    if not _is_listed(request.path, facts["allowed"]):
        yield Problem(85107)


def _is_listed(path: str, allowed: list[str] | None) -> bool:
    if path.endswith(NOT_OFFERED) or path.startswith("/cgi-bin/"):
        return False
    return allowed is None or path.endswith(tuple(allowed))


def stamp(db: sqlite3.Connection, request: Request, caller: Caller, reply: Reply) -> Reply:
    """The sidecar's proof in the header, and its own manner of refusing."""
    facts = _facts(db, request.cloud) or {}
    is_gateways = caller.problem is not None and caller.problem.errcode == 85107 and facts.get("bad_gateway")
    headers = {**reply.headers, "x-openapi-seqid": "0123456789"}
    return replace(reply, headers=headers, status=502 if is_gateways else reply.status)
