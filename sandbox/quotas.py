"""How often each call may be made in a day, and openapi/quota/get, which tells (store-api.md 3.3)."""

import sqlite3

from sandbox import switches
from sandbox.answers import Problem, ok
from sandbox.call import Call, Outcome, refused

PATH, CLEAR = "/cgi-bin/openapi/quota/get", "/cgi-bin/clear_quota"
CLEARS_A_MONTH, MONTH = 10, 30 * 86400
DAY, BEIJING = 86400, 8 * 3600
RATE = {"call_count": 800, "refresh_second": 30}
"""The pace that the answer names: what the staff told the older shops. The sandbox holds nobody to it."""


def get(call: Call) -> Outcome:
    """openapi/quota/get: the day's limit of one path, how much is used, what remains."""
    limit = int(call.switches["calls_a_day"])
    used = _used(call.db, call.merchant.appid, str(call.body.get("cgi_path")), call.now)
    quota = {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}
    return Outcome(ok(quota=quota, rate_limit=RATE))


def clear(call: Call) -> Outcome:
    """clear_quota: every path counts from 0 again, ten times a month."""
    if _clears(call.db, call.merchant.appid, call.now - MONTH) >= CLEARS_A_MONTH:
        return refused(Problem(48006))
    return Outcome(ok())


def _clears(db: sqlite3.Connection, appid: str, since: float) -> int:
    query = "SELECT COUNT(*) FROM ledger WHERE appid = ? AND path = ? AND errcode = 0 AND at >= ?"
    return int(db.execute(query, (appid, CLEAR, since)).fetchone()[0])


def _cleared_at(db: sqlite3.Connection, appid: str) -> float:
    query = "SELECT COALESCE(MAX(at), 0) FROM ledger WHERE appid = ? AND path = ? AND errcode = 0"
    return float(db.execute(query, (appid, CLEAR)).fetchone()[0])


def spent(db: sqlite3.Connection, appid: str, path: str, now: float) -> Problem | None:
    """45009 when the day's calls of a path are used up; asking for the quota itself is free."""
    limit = switches.read(db)["calls_a_day"]
    # Fewer calls than that were ever entered: no need to count.
    entered = db.execute("SELECT COALESCE(MAX(seq), 0) FROM ledger").fetchone()[0]
    if path in (PATH, CLEAR) or entered < limit:
        return None
    return Problem(45009) if _used(db, appid, path, now) >= limit else None


def _used(db: sqlite3.Connection, appid: str, path: str, now: float) -> int:
    """Calls since midnight in Beijing, or since the count was set back."""
    midnight = now - (now + BEIJING) % DAY
    query = "SELECT COUNT(*) FROM ledger WHERE appid = ? AND path = ? AND at >= ?"
    since = max(midnight, _cleared_at(db, appid))
    return int(db.execute(query, (appid, path, since)).fetchone()[0])
