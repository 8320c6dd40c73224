"""The platform's front: a received call passes the gates, meets its fault, is answered and entered."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

from sandbox import (
    after,
    asks,
    cloud,
    component,
    faults,
    ledger,
    merchants,
    quotas,
    reads,
    send,
    shape,
    switches,
    tokens,
)
from sandbox.answers import Json, Problem, first, refusal
from sandbox.call import Arrival, Call, Endpoint, Outcome, Request
from sandbox.gates import STORE_GATES, TOKEN_GATES
from sandbox.tokens import Caller

ENDPOINTS: dict[str, Endpoint] = {
    "/channels/ec/order/list/get": Endpoint(shape.ORDER_LIST, reads.list_orders),
    "/channels/ec/order/get": Endpoint(shape.ORDER_GET, reads.get_order),
    "/channels/ec/order/deliverycompanylist/get": Endpoint(shape.COMPANIES, reads.companies),
    "/channels/ec/order/deliverycompanylist/new/get": Endpoint(shape.COMPANIES_NEW, reads.companies_new),
    "/channels/ec/merchant/address/list": Endpoint(shape.ADDRESS_LIST, reads.list_addresses),
    "/channels/ec/merchant/address/get": Endpoint(shape.ADDRESS_GET, reads.get_address),
    quotas.PATH: Endpoint(shape.QUOTA_GET, quotas.get),
    quotas.CLEAR: Endpoint(shape.CLEAR_QUOTA, quotas.clear),
    "/channels/ec/order/delivery/send": Endpoint(shape.SEND, send.send),
    "/channels/ec/order/deliveryinfo/update": Endpoint(shape.UPDATE, after.update),
    "/channels/ec/order/delivery/compensation": Endpoint(shape.COMPENSATION, after.compensate),
    "/channels/ec/order/addressmodify/accept": Endpoint(shape.ORDER_GET, asks.accept_address),
    "/channels/ec/order/addressmodify/reject": Endpoint(shape.ORDER_GET, asks.refuse_address),
    "/channels/ec/order/preshipmentchangesku/get": Endpoint(shape.SKU_CHANGES, asks.waiting_skus),
    "/channels/ec/order/preshipmentchangesku/approve": Endpoint(shape.ORDER_GET, asks.approve_sku),
    "/channels/ec/order/preshipmentchangesku/reject": Endpoint(shape.ORDER_GET, asks.refuse_sku),
    "/channels/ec/order/merchantnotes/update": Endpoint(shape.NOTES, asks.update_notes),
    "/channels/ec/order/sensitiveinfo/decode": Endpoint(shape.ORDER_GET, asks.decode),
}
TOKEN_METHODS = {"/cgi-bin/token": "GET", "/cgi-bin/stable_token": "POST"}


def receive(db: sqlite3.Connection, request: Request, now: float) -> faults.Reply:
    """Answer one call: effect, ledger entry and spent fault are one transaction of the caller's."""
    if request.path == component.LOGIN_PAGE:
        return component.login_page(db, request, now)
    caller = _caller(db, request, now)
    due = faults.take(db, request, caller.appid)
    if due and due.name == "token_dead":
        tokens.kill(db, caller.appid)
        caller = _caller(db, request, now)
    outcome = _outcome(db, request, caller, now) if faults.acts(due) == faults.NOW else Outcome({})
    reply = faults.dress(outcome.answer, due, request)
    if request.cloud:
        reply = cloud.stamp(db, request, caller, reply)
    errcode = _errcode(outcome, reply)
    seq = ledger.write(
        db,
        ledger.Entry(now, request, caller, reply.shown, errcode, due.name if due else None, outcome.accepted),
    )
    if due and faults.acts(due) == faults.LATE and caller.problem is None:
        _postpone(db, request, caller, now, due, seq)
    return reply


def _caller(db: sqlite3.Connection, request: Request, now: float) -> Caller:
    if request.cloud:
        return cloud.caller(db, request)
    if request.path in TOKEN_METHODS:
        return Caller(str(_asked(request).get("appid", "")), "", None)
    if request.path.startswith(component.PREFIX):
        token = request.query.get("component_access_token", "")
        return Caller(str(_asked(request).get("component_appid", "")), tokens.fingerprint(token), None)
    token = request.query.get("access_token", "")
    caller = tokens.caller(db, token, now)
    problem = caller.problem or component.rights_problem(db, token, request.path)
    return replace(caller, problem=problem)


def _asked(request: Request) -> Json:
    """What a token request asks for, from the query (GET) or the body (POST)."""
    asked = request.query if request.method == "GET" else request.body
    return dict(asked) if isinstance(asked, dict) else {}


def _outcome(db: sqlite3.Connection, request: Request, caller: Caller, now: float) -> Outcome:
    arrival = _arrival(db, request, caller)
    if request.path in TOKEN_METHODS and not request.cloud:
        return Outcome(_token_answer(db, arrival, now))
    if request.path.startswith(component.PREFIX) and not request.cloud:
        return Outcome(component.answer(db, request, now))
    if problem := first(found for gate in STORE_GATES for found in gate(arrival)):
        return Outcome(refusal(problem))
    if problem := quotas.spent(db, caller.appid, request.path, now):
        return Outcome(refusal(problem))
    return _handle(db, arrival, now)


def _arrival(db: sqlite3.Connection, request: Request, caller: Caller) -> Arrival:
    endpoint = ENDPOINTS.get(request.path)
    if request.path in TOKEN_METHODS:
        endpoint = Endpoint(shape.TOKEN, lambda call: Outcome({}), TOKEN_METHODS[request.path])
    return Arrival(request, endpoint, caller, merchants.load(db, caller.appid), switches.read(db))


def _handle(db: sqlite3.Connection, arrival: Arrival, now: float) -> Outcome:
    endpoint, merchant = arrival.endpoint, arrival.merchant
    if endpoint is None or merchant is None:
        return Outcome(refusal(Problem(40001)))
    request = arrival.request
    return endpoint.handle(Call(db, now, merchant, request.body, arrival.switches, request.host))


def _token_answer(db: sqlite3.Connection, arrival: Arrival, now: float) -> Json:
    asked = _asked(arrival.request)
    if problem := first(_token_problems(db, arrival, asked)):
        return refusal(problem)
    if arrival.request.method == "GET" and tokens.is_spent(db, asked["appid"], "classic", now):
        return refusal(Problem(45009))
    if arrival.request.method == "GET":
        return tokens.classic(db, asked["appid"], now)
    return tokens.stable(db, asked["appid"], now, bool(asked.get("force_refresh", False)))


def _token_problems(db: sqlite3.Connection, arrival: Arrival, asked: Json) -> Iterator[Problem]:
    for gate in TOKEN_GATES:
        yield from gate(arrival)
    yield from shape.TOKEN(asked if arrival.request.method == "GET" else arrival.request.body)
    yield from tokens.credential_problems(db, asked)


def _errcode(outcome: Outcome, reply: faults.Reply) -> int | None:
    """The code the platform decided on; of a call it never acted on, the code the reply made up, if any."""
    try:
        answer = outcome.answer or json.loads(reply.shown)
    except ValueError:
        return None
    # A token call that succeeds carries no errcode.
    return int(answer.get("errcode", 0))


def _postpone(
    db: sqlite3.Connection, request: Request, caller: Caller, now: float, due: faults.Due, seq: int
) -> None:
    seconds: float = due.params["seconds"] if "seconds" in due.params else switches.read(db)["late_seconds"]
    text = request.raw.decode("utf-8", "replace")
    db.execute(
        "INSERT INTO late(seq, due, appid, body) VALUES (?, ?, ?, ?)",
        (seq, now + seconds, caller.appid, json.dumps({"path": request.path, "text": text})),
    )


def settle_late(db: sqlite3.Connection, now: float) -> None:
    """Let late calls whose moment has come take effect, as of that moment.

    Nobody can see the state without a call, so doing this at the head of every call is as good as a clock,
    and it survives a restart.
    """
    for row in db.execute("SELECT * FROM late WHERE due <= ? ORDER BY due", (now,)).fetchall():
        kept = json.loads(row["body"])
        request = Request("POST", kept["path"], {}, kept["text"].encode())
        # Its token was good when the call came in, and only then it mattered.
        outcome = _outcome(db, request, Caller(row["appid"], "", None), row["due"])
        ledger.accept_late(db, row["seq"], outcome.accepted, outcome.answer.get("errcode", 0), row["due"])
        db.execute("DELETE FROM late WHERE seq = ?", (row["seq"],))
