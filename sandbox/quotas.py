"""How often each call may be made in a day, and openapi/quota/get, which tells (store-api.md 3.3)."""

import sqlite3

from sandbox import switches
from sandbox.answers import Problem, ok
from sandbox.call import Call, Outcome

PATH = "/cgi-bin/openapi/quota/get"
DAY, BEIJING = 86400, 8 * 3600
RATE = {"call_count": 600, "refresh_second": 60}
"""What the answer names as the pace; the sandbox does not hold a caller to it."""


def get(call: Call) -> Outcome:
    """openapi/quota/get: the day's limit of one path, how much is used, what remains."""
    limit = int(call.switches["calls_a_day"])
    used = _used(call.db, call.merchant.appid, str(call.body.get("cgi_path")), call.now)
    quota = {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}
    return Outcome(ok(quota=quota, rate_limit=RATE))


def spent(db: sqlite3.Connection, appid: str, path: str, now: float) -> Problem | None:
    """45009 when the day's calls of a path are used up; asking for the quota itself is free."""
    limit = switches.read(db)["calls_a_day"]
    # Fewer calls than that were ever entered: no need to count.
    entered = db.execute("SELECT COALESCE(MAX(seq), 0) FROM ledger").fetchone()[0]
    if path == PATH or entered < limit:
        return None
    return Problem(45009) if _used(db, appid, path, now) >= limit else None


def _used(db: sqlite3.Connection, appid: str, path: str, now: float) -> int:
    """Calls since midnight in Beijing."""
    midnight = now - (now + BEIJING) % DAY
    query = "SELECT COUNT(*) FROM ledger WHERE appid = ? AND path = ? AND at >= ?"
    return int(db.execute(query, (appid, path, midnight)).fetchone()[0])
