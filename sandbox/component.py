"""Third-party platforms: tickets, authorisations and the tokens made of them (store-api.md 3.2)."""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from sandbox import switches, tokens
from sandbox.answers import Json, Problem, first, refusal
from sandbox.call import Request
from sandbox.faults import Reply

PREFIX = "/cgi-bin/component/"
LOGIN_PAGE = "/cgi-bin/componentloginpage"
TICKET_LIFE, CODE_LIFE, GRACE, DAY = 12 * 3600, 600, 300, 86400
SHIPPING = 131
"""The permission set of orders and shipping; addresses are 130 or 192."""
ALSO = {"merchant/address": {130, 192}, "deliverycompanylist/new/get": {131, 192}}


# --- platforms and what their owners do -----------------------------------------------------------------


def save(db: sqlite3.Connection, wanted: Json) -> None:
    """Register a platform: appid, secret, and the push_token and aes_key of its event address."""
    db.execute(
        "INSERT OR REPLACE INTO platforms(appid, secret, push_token, aes_key) VALUES (?, ?, ?, ?)",
        [str(wanted[name]) for name in ("appid", "secret", "push_token", "aes_key")],
    )


def load(db: sqlite3.Connection, appid: str) -> sqlite3.Row | None:
    """The platform of this appid."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM platforms WHERE appid = ?", (appid,)).fetchone()
    return row


def new_ticket(db: sqlite3.Connection, component: str, now: float) -> str:
    """A component_verify_ticket; the older ones stay good for their twelve hours."""
    ticket = f"ticket@@@{secrets.token_urlsafe(40)}"
    db.execute("INSERT INTO tickets(ticket, component, made_at) VALUES (?, ?, ?)", (ticket, component, now))
    return ticket


def authorize(db: sqlite3.Connection, component: str, appid: str, funcs: list[int], now: float) -> str:
    """A store's owner scans and agrees; returns the authorization code."""
    code = f"queryauthcode@@@{secrets.token_urlsafe(40)}"
    db.execute(
        "INSERT OR REPLACE INTO authorizations(component, appid, code, code_at, refresh_token, funcs,"
        " auth_time) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (component, appid, code, now, f"refreshtoken@@@{secrets.token_urlsafe(32)}", json.dumps(funcs), now),
    )
    tokens.kill(db, appid, "authorizer")
    return code


def cancel(db: sqlite3.Connection, component: str, appid: str) -> None:
    """A store's owner takes it back: its token and its refresh token are dead."""
    db.execute("DELETE FROM authorizations WHERE component = ? AND appid = ?", (component, appid))
    tokens.kill(db, appid, "authorizer")


def login_page(db: sqlite3.Connection, request: Request, now: float) -> Reply:
    """The page behind the authorisation link; whoever opens it has agreed and is sent back with a code."""
    asked = request.query
    known = load(db, asked.get("component_appid", ""))
    if known is None or not asked.get("pre_auth_code", "").startswith("preauthcode@@@"):
        return Reply(b"unknown platform or pre_auth_code", 400, "text/plain")
    code = authorize(db, known["appid"], asked.get("biz_appid", ""), [SHIPPING], now)
    back = f"{asked['redirect_uri']}?{urlencode({'auth_code': code, 'expires_in': CODE_LIFE})}"
    return Reply(status=302, headers={"Location": back})


def rights_problem(db: sqlite3.Connection, token: str, path: str) -> Problem | None:
    """61007 where a store's authorisation does not cover the call; None for tokens of other kinds."""
    row = db.execute("SELECT appid, kind FROM tokens WHERE token = ?", (token,)).fetchone()
    if row is None or row["kind"] != "authorizer" or path.startswith("/cgi-bin/"):
        return None
    held = db.execute("SELECT funcs FROM authorizations WHERE appid = ?", (row["appid"],)).fetchone()
    wanted = next((sets for part, sets in ALSO.items() if part in path), {SHIPPING})
    return None if held and wanted & set(json.loads(held["funcs"])) else Problem(61007)


# --- the calls ------------------------------------------------------------------------------------------


def answer(db: sqlite3.Connection, request: Request, now: float) -> Json:
    """Answer one call below ``/cgi-bin/component/``."""
    call = CALLS.get(request.path.removeprefix(PREFIX))
    body = request.body
    if problem := first(_problems(db, call, request, now)):
        return refusal(problem)
    assert call is not None  # noqa: S101 - for the type checker
    return call(db, body, now)


def _problems(
    db: sqlite3.Connection, call: Callable[..., Json] | None, request: Request, now: float
) -> Iterator[Problem]:
    if call is None:
        yield Problem(40066)
    if request.method != "POST":
        yield Problem(43002)
    if not isinstance(request.body, dict):
        yield Problem(47001)
        return
    platform = load(db, str(request.body.get("component_appid")))
    if platform is None:
        yield Problem(40013)
    elif call in WITH_SECRET:
        yield from _secret_problems(platform, request.body)
    else:
        yield from _token_problems(db, platform["appid"], request, now)


def _secret_problems(platform: sqlite3.Row, body: Json) -> Iterator[Problem]:
    given = body.get("component_appsecret") or body.get("component_secret")
    if not given:
        yield Problem(41004)
    elif given != platform["secret"]:
        yield Problem(40125)


def _token_problems(db: sqlite3.Connection, appid: str, request: Request, now: float) -> Iterator[Problem]:
    # Newer pages of the platform write access_token here.
    token = request.query.get("component_access_token") or request.query.get("access_token", "")
    caller = tokens.caller(db, token, now)
    if caller.problem:
        yield caller.problem
    elif caller.appid != appid:
        yield Problem(61011)


def _start_push_ticket(db: sqlite3.Connection, body: Json, now: float) -> Json:
    db.execute("UPDATE platforms SET is_pushing = 1 WHERE appid = ?", (body["component_appid"],))
    return {"errcode": 0, "errmsg": "ok"}


def _component_token(db: sqlite3.Connection, body: Json, now: float) -> Json:
    row = db.execute(
        "SELECT made_at FROM tickets WHERE ticket = ? AND component = ?",
        (str(body.get("component_verify_ticket")), body["component_appid"]),
    ).fetchone()
    if row is None:
        return refusal(Problem(61006))
    if now >= row["made_at"] + TICKET_LIFE:
        return refusal(Problem(61005))
    made = tokens.grant(db, body["component_appid"], "component", now)
    return {"component_access_token": made["access_token"], "expires_in": made["expires_in"]}


def _create_preauthcode(db: sqlite3.Connection, body: Json, now: float) -> Json:
    return {"pre_auth_code": f"preauthcode@@@{secrets.token_urlsafe(40)}", "expires_in": CODE_LIFE}


def _query_auth(db: sqlite3.Connection, body: Json, now: float) -> Json:
    row = db.execute(
        "SELECT * FROM authorizations WHERE component = ? AND code = ? AND code_at > ?",
        (body["component_appid"], str(body.get("authorization_code")), now - CODE_LIFE),
    ).fetchone()
    if row is None:
        return refusal(Problem(61010))
    db.execute("UPDATE authorizations SET code = '' WHERE code = ?", (row["code"],))
    made = tokens.grant(db, row["appid"], "authorizer", now)
    info: Json = {
        "authorizer_appid": row["appid"],
        "authorizer_access_token": made["access_token"],
        "expires_in": made["expires_in"],
        "authorizer_refresh_token": row["refresh_token"],
        "func_info": _func_info(row),
    }
    return {"authorization_info": info}


def _authorizer_token(db: sqlite3.Connection, body: Json, now: float) -> Json:
    row = db.execute(
        "SELECT * FROM authorizations WHERE component = ? AND appid = ?",
        (body["component_appid"], str(body.get("authorizer_appid"))),
    ).fetchone()
    if row is None or not _is_known(row, body.get("authorizer_refresh_token"), now):
        return refusal(Problem(61023))
    if tokens.is_spent(db, row["appid"], "authorizer", now):
        return refusal(Problem(45009))
    made = tokens.grant(db, row["appid"], "authorizer", now)
    return {
        "authorizer_access_token": made["access_token"],
        "expires_in": made["expires_in"],
        "authorizer_refresh_token": _rotated(db, row, now),
    }


def _rotated(db: sqlite3.Connection, row: sqlite3.Row, now: float) -> str:
    """The refresh token that an answer carries: another one each time, unless switched off."""
    if not switches.read(db)["rotate_refresh"]:
        return str(row["refresh_token"])
    fresh = f"refreshtoken@@@{secrets.token_urlsafe(32)}"
    db.execute(
        "UPDATE authorizations SET refresh_token = ?, old_refresh = ?, replaced_at = ?"
        " WHERE component = ? AND appid = ?",
        (fresh, row["refresh_token"], now, row["component"], row["appid"]),
    )
    return fresh


def _is_known(row: sqlite3.Row, given: Any, now: float) -> bool:
    """A replaced refresh token goes on working for five minutes (staff say so)."""
    is_old = given == row["old_refresh"] and now < (row["replaced_at"] or 0) + GRACE
    return bool(given) and (given == row["refresh_token"] or is_old)


def _get_authorizer_list(db: sqlite3.Connection, body: Json, now: float) -> Json:
    rows = db.execute(
        "SELECT * FROM authorizations WHERE component = ? ORDER BY auth_time, appid",
        (body["component_appid"],),
    ).fetchall()
    start, count = int(body.get("offset", 0)), min(500, int(body.get("count", 500)))
    shown = [
        {
            "authorizer_appid": row["appid"],
            "refresh_token": row["refresh_token"],
            "auth_time": int(row["auth_time"]),
        }
        for row in rows[start : start + count]
    ]
    return {"total_count": len(rows), "list": shown}


def _get_authorizer_info(db: sqlite3.Connection, body: Json, now: float) -> Json:
    row = db.execute(
        "SELECT * FROM authorizations WHERE component = ? AND appid = ?",
        (body["component_appid"], str(body.get("authorizer_appid"))),
    ).fetchone()
    if row is None:
        return refusal(Problem(61003))
    info: Json = {
        "authorizer_appid": row["appid"],
        "authorizer_refresh_token": row["refresh_token"],
        "func_info": _func_info(row),
    }
    return {"authorizer_info": {"nick_name": row["appid"]}, "authorization_info": info}


def _func_info(row: sqlite3.Row) -> list[Json]:
    return [{"funcscope_category": {"id": number}} for number in json.loads(row["funcs"])]


WITH_SECRET = (_start_push_ticket, _component_token)
CALLS: dict[str, Callable[[sqlite3.Connection, Json, float], Json]] = {
    "api_start_push_ticket": _start_push_ticket,
    "api_component_token": _component_token,
    "api_create_preauthcode": _create_preauthcode,
    "api_query_auth": _query_auth,
    "api_authorizer_token": _authorizer_token,
    "api_get_authorizer_list": _get_authorizer_list,
    "api_get_authorizer_info": _get_authorizer_info,
}
