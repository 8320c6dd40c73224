"""What can go wrong with a call, as a table; which fault is due; how the answer then looks on the wire."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.answers import Json, Problem, refusal
from sandbox.call import Request

NOW, NEVER, LATE = "now", "never", "late"
"""When the call takes effect, if the rules accept it."""

HANG_SECONDS = 30.0
DRIP_SECONDS = 8.0
HUGE_BYTES = 8 * 1024 * 1024
HTML = b"<html><head><title>%b</title></head><body><center><h1>%b</h1></center><hr>nginx</body></html>"


@dataclass(frozen=True)
class Reply:
    """Bytes for the wire. ``manner``: plain, hang (then close), reset, drip; ``seconds`` for its pace."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "plain"
    seconds: float = 0.0

    @property
    def shown(self) -> str:
        """What the ledger keeps of it."""
        sent = self.manner in ("plain", "drip")
        return self.body[:2000].decode("utf-8", "replace") if sent else ""


@dataclass(frozen=True)
class Due:
    """A fault that strikes this call."""

    name: str
    params: Json


Dress = Callable[[Json, Due, Request], Reply]


def _json(answer: object) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def plain(answer: Json) -> Reply:
    """The ordinary way to answer."""
    return Reply(_json(answer))


def _as_is(answer: Json, due: Due, request: Request) -> Reply:
    return plain(answer)


def _hang(answer: Json, due: Due, request: Request) -> Reply:
    return Reply(manner="hang", seconds=due.params.get("seconds", HANG_SECONDS))


def _late(answer: Json, due: Due, request: Request) -> Reply:
    return Reply(manner="hang", seconds=due.params.get("hang", 0.0))


def _reset(answer: Json, due: Due, request: Request) -> Reply:
    return Reply(manner="reset")


def _page(status: int, title: bytes) -> Dress:
    def dress(answer: Json, due: Due, request: Request) -> Reply:
        return Reply(HTML % (title, title), status, "text/html")

    return dress


def _redirect(answer: Json, due: Due, request: Request) -> Reply:
    # To itself: whoever follows sends a second time, and the ledger shows it.
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return Reply(status=307, headers={"Location": f"{request.path}?{query}"})


def _truncated(answer: Json, due: Due, request: Request) -> Reply:
    body = _json(answer)
    return Reply(body[: len(body) // 2])


def _empty(answer: Json, due: Due, request: Request) -> Reply:
    return Reply()


def _drip(answer: Json, due: Due, request: Request) -> Reply:
    return Reply(_json(answer), manner="drip", seconds=due.params.get("seconds", DRIP_SECONDS))


def _huge(answer: Json, due: Due, request: Request) -> Reply:
    return Reply(_json(answer | {"padding": "x" * HUGE_BYTES}))


def _errcode_missing(answer: Json, due: Due, request: Request) -> Reply:
    return Reply(_json({name: part for name, part in answer.items() if name != "errcode"}))


def _errcode_not_int(answer: Json, due: Due, request: Request) -> Reply:
    return Reply(_json(answer | {"errcode": str(answer.get("errcode", 0))}))


def _busy(answer: Json, due: Due, request: Request) -> Reply:
    return plain(refusal(Problem(-1, due.params.get("errmsg"))))


def _code(answer: Json, due: Due, request: Request) -> Reply:
    return plain(refusal(Problem(due.params["errcode"], due.params.get("errmsg"))))


@dataclass(frozen=True)
class Fault:
    """When a struck call takes effect, and how its answer is dressed."""

    acts: str
    dress: Dress


FAULTS: dict[str, Fault] = {
    "timeout_accepted": Fault(NOW, _hang),
    "timeout_not_accepted": Fault(NEVER, _hang),
    "late_accept": Fault(LATE, _late),
    "reset_before": Fault(NEVER, _reset),
    "reset_after": Fault(NOW, _reset),
    "http500_before": Fault(NEVER, _page(500, b"500 Internal Server Error")),
    "http500_after": Fault(NOW, _page(500, b"500 Internal Server Error")),
    "http502_html": Fault(NEVER, _page(502, b"502 Bad Gateway")),
    "html_200": Fault(NEVER, _page(200, b"Welcome")),
    "redirect_307": Fault(NEVER, _redirect),
    "truncated_json": Fault(NOW, _truncated),
    "empty": Fault(NOW, _empty),
    "drip": Fault(NOW, _drip),
    "huge_body": Fault(NOW, _huge),
    "errcode_missing": Fault(NOW, _errcode_missing),
    "errcode_not_int": Fault(NOW, _errcode_not_int),
    "busy_before": Fault(NEVER, _busy),
    "busy_after": Fault(NOW, _busy),
    "code": Fault(NEVER, _code),
    # The token is killed before the gates look at it, so the ordinary road answers 40001.
    "token_dead": Fault(NOW, _as_is),
}
"""Every fault; a fault's ``accepted`` parameter (true or false) overrides when it acts."""

PARAMS: dict[str, tuple[type, ...]] = {
    "seconds": (int, float),
    "hang": (int, float),
    "errcode": (int,),
    "errmsg": (str,),
    "accepted": (bool,),
}


def acts(due: Due | None) -> str:
    """When the call takes effect: NOW without a fault."""
    if due is None:
        return NOW
    if "accepted" in due.params:
        return NOW if due.params["accepted"] else NEVER
    return FAULTS[due.name].acts


def dress(answer: Json, due: Due | None, request: Request) -> Reply:
    """The reply as the fault has it."""
    return FAULTS[due.name].dress(answer, due, request) if due else plain(answer)


def misfits(wanted: Json) -> list[str]:
    """What is wrong with a fault somebody wants to plan."""
    found = [] if wanted.get("fault") in FAULTS else ["fault"]
    found += [] if isinstance(wanted.get("call"), str) and wanted["call"] else ["call"]
    found += [] if isinstance(wanted.get("times", 1), int) else ["times"]
    found += [n for n, kinds in PARAMS.items() if n in wanted and not isinstance(wanted[n], kinds)]
    if wanted.get("fault") == "code" and "errcode" not in wanted:
        found.append("errcode")
    return found


def plan(db: sqlite3.Connection, wanted: Json) -> int:
    """Plan a fault (checked before by ``misfits``); returns its id. ``times`` 0 is for ever."""
    params = {name: wanted[name] for name in PARAMS if name in wanted}
    cursor = db.execute(
        "INSERT INTO faults(call, appid, order_id, fault, times_left, params) VALUES (?, ?, ?, ?, ?, ?)",
        (
            wanted["call"],
            wanted.get("appid"),
            None if wanted.get("order_id") is None else str(wanted["order_id"]),
            wanted["fault"],
            wanted.get("times", 1) or -1,
            json.dumps(params),
        ),
    )
    return int(cursor.lastrowid or 0)


def planned(db: sqlite3.Connection) -> list[Json]:
    """The faults still to come, in the order they strike; ``times`` 0 is for ever."""
    rows = db.execute("SELECT * FROM faults ORDER BY id").fetchall()
    return [_described(row) for row in rows]


def _described(row: sqlite3.Row) -> Json:
    shown = {name: row[name] for name in ("id", "call", "appid", "order_id", "fault")}
    params: Json = json.loads(row["params"])
    return {**shown, "times": max(row["times_left"], 0), **params}


def clear(db: sqlite3.Connection) -> None:
    """Forget all planned faults."""
    db.execute("DELETE FROM faults")


def take(db: sqlite3.Connection, request: Request, appid: str) -> Due | None:
    """The first planned fault that fits this call, used up once."""
    row = db.execute(
        "SELECT * FROM faults WHERE substr(?, -length(call)) = call AND COALESCE(appid, ?) = ?"
        " AND COALESCE(order_id, ?) = ? ORDER BY id LIMIT 1",
        (request.path, appid, appid, request.order_id, request.order_id),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE faults SET times_left = times_left - 1 WHERE id = ? AND times_left > 0", (row["id"],))
    db.execute("DELETE FROM faults WHERE id = ? AND times_left = 0", (row["id"],))
    return Due(row["fault"], json.loads(row["params"]))
