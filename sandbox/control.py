"""The sandbox's own doors, none of them the platform's: ``/_sandbox/…``, the page, the pictures."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox import (
    build,
    cloud,
    component,
    events,
    faults,
    ledger,
    merchants,
    orders,
    page,
    pictures,
    pushing,
    switches,
    tokens,
)
from sandbox.answers import Json
from sandbox.call import Request
from sandbox.faults import Reply

NEWEST = 100
SHOWN = 10


class NotPossible(Exception):
    """What was asked makes no sense; ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Wish:
    """One control call: the parsed body ({} if none), and the name at the end of the path."""

    db: sqlite3.Connection
    request: Request
    now: float
    body: Json
    name: str

    def text(self, member: str) -> str:
        """A string the body must hold."""
        value = self.body.get(member)
        if not isinstance(value, str) or not value:
            raise NotPossible(f"{member} is missing")
        return value


def answer(db: sqlite3.Connection, request: Request, now: float) -> Reply:
    """Serve the page, a picture, or JSON from the routes; mistakes are told with 400, 404, 405 or 409."""
    try:
        return _route(db, request, now)
    except NotPossible as told:
        return _json({"error": str(told)}, told.status)
    except (KeyError, TypeError, ValueError, AttributeError) as odd:
        return _json({"error": f"the body has an odd shape: {odd!r}"}, 400)


def _route(db: sqlite3.Connection, request: Request, now: float) -> Reply:
    if request.path == "/":
        return Reply(page.render(_seen(db)).encode(), content_type="text/html; charset=utf-8")
    if request.path.startswith("/img/"):
        name = unquote(request.path.removeprefix("/img/").removesuffix(".svg"))
        return Reply(pictures.svg(name).encode(), content_type="image/svg+xml")
    handler, name = _find(request)
    found = handler(Wish(db, request, now, _body(request), name))
    return found if isinstance(found, Reply) else _json(found)


def _seen(db: sqlite3.Connection) -> page.Seen:
    names = {row["appid"]: row["name"] for row in db.execute("SELECT appid, name FROM merchants")}
    words = [(name, happening.word) for name, happening in events.HAPPENINGS.items()]
    return page.Seen(
        names, ledger.read(db, {}, NEWEST), switches.read(db), faults.planned(db),
        events.recent(db, SHOWN), _waiting(db, names), words,
    )  # fmt: skip


def _waiting(db: sqlite3.Connection, names: dict[str, str]) -> list[tuple[str, str, str]]:
    """The orders placed last of each store with a push address, three of a store."""
    query = (
        "SELECT order_id, appid, doc FROM ("
        "SELECT *, ROW_NUMBER() OVER (PARTITION BY appid ORDER BY create_time DESC) AS place FROM orders"
        " JOIN push_addresses USING (appid) WHERE status IN (20, 21)) WHERE place <= 3 ORDER BY appid, place"
    )
    rows = db.execute(query).fetchall()[:SHOWN]
    return [(r["order_id"], names[r["appid"]], orders.lines(json.loads(r["doc"]))[0]["title"]) for r in rows]


def _json(value: object, status: int = 200) -> Reply:
    return Reply(json.dumps(value, ensure_ascii=False).encode(), status)


def _body(request: Request) -> Json:
    if not request.raw:
        return {}
    if not isinstance(request.body, dict):
        raise NotPossible("the body is no JSON object")
    return request.body


def _find(request: Request) -> tuple[Callable[[Wish], object], str]:
    """The handler of the longest route; ``<name>`` stands for one path element."""
    parts = request.path.removeprefix("/_sandbox/").strip("/").split("/")
    for name in ("", *parts[1:2]):
        route = "/".join("<name>" if name and place == 1 else part for place, part in enumerate(parts))
        if methods := ROUTES.get(route):
            if request.method not in methods:
                raise NotPossible(f"{route} takes {', '.join(methods)}", 405)
            return methods[request.method], name
    raise NotPossible(f"no such door: {request.path}", 404)


# --- what was received ----------------------------------------------------------------------------------


def _read_ledger(wish: Wish) -> list[Json]:
    return ledger.read(wish.db, wish.request.query)


def _clear_ledger(wish: Wish) -> Json:
    ledger.clear(wish.db)
    return {"ok": True}


# --- what shall go wrong --------------------------------------------------------------------------------


def _read_faults(wish: Wish) -> list[Json]:
    return faults.planned(wish.db)


def _plan_fault(wish: Wish) -> Json:
    if wrong := faults.misfits(wish.body):
        raise NotPossible(f"does not fit: {', '.join(wrong)}")
    return {"id": faults.plan(wish.db, wish.body)}


def _clear_faults(wish: Wish) -> Json:
    faults.clear(wish.db)
    return {"ok": True}


def _read_switches(wish: Wish) -> Json:
    return switches.read(wish.db)


def _write_switches(wish: Wish) -> Json:
    if wrong := switches.misfits(wish.body):
        raise NotPossible(f"does not fit: {', '.join(wrong)}")
    return switches.write(wish.db, wish.body)


def _expire_tokens(wish: Wish) -> Json:
    """``{appid, dead?: bool}``: let the tokens run out (42001), or kill them (40001)."""
    appid = wish.text("appid")
    if wish.body.get("dead"):
        tokens.kill(wish.db, appid)
    else:
        tokens.expire(wish.db, appid, wish.now)
    return {"ok": True}


# --- stores and orders ----------------------------------------------------------------------------------


def _read_merchants(wish: Wish) -> list[Json]:
    rows = wish.db.execute("SELECT appid, name, facts FROM merchants ORDER BY appid").fetchall()
    return [{"appid": row["appid"], "name": row["name"], **json.loads(row["facts"])} for row in rows]


def _write_merchant(wish: Wish) -> Json:
    """``{appid, secret, name, couriers?: [delivery_id] or {id: name}, return_address?, denied?: [path]}``."""
    given = wish.body.get("couriers", merchants.COURIERS)
    couriers = {code: merchants.COURIERS.get(code, code) for code in given}
    couriers |= given if isinstance(given, dict) else {}
    denied = tuple(wish.body.get("denied", ()))
    return_address = bool(wish.body.get("return_address", True))
    name = wish.body.get("name", wish.text("appid"))
    merchant = merchants.Merchant(wish.text("appid"), name, couriers, return_address, denied)
    merchants.save(wish.db, merchant, wish.text("secret"))
    return {"appid": merchant.appid}


def _write_push_address(wish: Wish) -> Json:
    """``{url, token, aes_key}``: where a store's events go; asked for first, as the back office does."""
    url, token, aes_key = (wish.text(name) for name in ("url", "token", "aes_key"))
    if merchants.load(wish.db, wish.name) is None:
        raise NotPossible(f"no such store: {wish.name}", 404)
    if not events.check_address(url, token):
        raise NotPossible("the address does not answer with the echostr", 409)
    events.save_address(wish.db, wish.name, url, token, aes_key)
    return {"appid": wish.name}


def _read_pushes(wish: Wish) -> list[Json]:
    return events.recent(wish.db, NEWEST)


def _happen(wish: Wish) -> Json | Reply:
    """``{what}`` (or ?what=, from the page): what a buyer does, as in ``events.HAPPENINGS``."""
    what = wish.request.query.get("what") or wish.text("what")
    if what not in events.HAPPENINGS:
        raise NotPossible(f"nothing like this happens: {what}")
    order = _read_order(wish)
    events.happen(wish.db, order, what, wish.now)
    return Reply(status=303, headers={"Location": "/"}) if "what" in wish.request.query else order


def _write_platform(wish: Wish) -> Json:
    """``{appid, secret, push_token, aes_key}``: a third-party platform."""
    for member in ("secret", "push_token", "aes_key"):
        wish.text(member)
    component.save(wish.db, wish.body)
    return {"appid": wish.text("appid")}


def _authorize(wish: Wish) -> Json:
    """``{appid, funcs?: [131]}``: the owner of a store agrees, as after scanning the code."""
    funcs = [int(number) for number in wish.body.get("funcs", [component.SHIPPING])]
    return {"auth_code": component.authorize(wish.db, wish.name, wish.text("appid"), funcs, wish.now)}


def _push(wish: Wish) -> Json:
    """``{event, url?, appid?, create_time?, funcs?}``: push to ``url``, or without one show what would be."""
    platform = component.load(wish.db, wish.name)
    if platform is None or wish.body.get("event") not in pushing.EVENTS:
        raise NotPossible("no such platform or event", 404)
    push = pushing.sealed(wish.db, platform, wish.body, wish.now)
    return pushing.post(wish.text("url"), push) if "url" in wish.body else push


def _bind_cloud(wish: Wish) -> Json:
    """``{appid, allowed?, is_on?, is_ready?, bad_gateway?}``: a CloudRun environment of this store."""
    if wrong := cloud.misfits(wish.body):
        raise NotPossible(f"does not fit: {', '.join(wrong)}")
    cloud.bind(wish.db, wish.text("appid"), wish.body)
    return {"path": cloud.PREFIX + wish.text("appid")}


def _write_order(wish: Wish) -> Json:
    """``{appid, order}``: the order may be partial; the whole order comes back."""
    appid = wish.text("appid")
    if merchants.load(wish.db, appid) is None:
        raise NotPossible(f"no such store: {appid}", 404)
    order = build.complete(wish.body.get("order", {}), wish.now)
    order["order_id"] = str(order["order_id"])
    order["_sandbox"]["appid"] = appid
    orders.save(wish.db, order)
    return order


def _list_orders(wish: Wish) -> list[str]:
    query = "SELECT order_id FROM orders WHERE ? IN ('', appid) ORDER BY create_time, order_id"
    return [row["order_id"] for row in wish.db.execute(query, (wish.request.query.get("appid", ""),))]


def _read_order(wish: Wish) -> Json:
    order = orders.load(wish.db, wish.name)
    if order is None:
        raise NotPossible(f"no such order: {wish.name}", 404)
    return order


def _change_order(wish: Wish) -> Json:
    """A JSON merge patch (null removes a member, arrays are replaced); moves update_time."""
    order = _read_order(wish)
    changed = _patched(order, wish.body)
    if "update_time" not in wish.body:
        orders.touch(changed, wish.now)
    orders.save(wish.db, changed)
    return changed


def _patched(target: object, patch: object) -> Json:
    """RFC 7396."""
    merged: Json = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items() if isinstance(patch, dict) else ():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _patched(merged.get(name), value) if isinstance(value, dict) else value
    return merged


def _copy_order(wish: Wish) -> Json:
    """``{times, apart?: seconds}``: more orders like it, each updated so much earlier than the last."""
    order, apart = _read_order(wish), int(wish.body.get("apart", 0))
    updated = order["update_time"]
    for number in range(1, int(wish.body["times"]) + 1):
        copy = {"order_id": build.new_order_id(), "update_time": updated - number * apart}
        orders.save(wish.db, order | copy)
    return {"ok": True}


def _ship_by_hand(wish: Wish) -> Json:
    """``{order_id, delivery_list}``: a person ships in the back office; only the quantities are checked."""
    order = _read_order(Wish(wish.db, wish.request, wish.now, wish.body, wish.text("order_id")))
    packages = wish.body.get("delivery_list", [])
    asked, rest = orders.count(packages), orders.left(order)
    if not packages or any(pieces > rest[name] for name, pieces in asked.items()):
        raise NotPossible("more pieces than are left", 409)
    merchant = merchants.load(wish.db, order["_sandbox"]["appid"])
    orders.ship(order, packages, merchant.courier_names if merchant else {}, wish.now)
    orders.save(wish.db, order)
    events.delivered(wish.db, order, wish.now)
    return order


ROUTES: dict[str, dict[str, Callable[[Wish], object]]] = {
    "ledger": {"GET": _read_ledger, "DELETE": _clear_ledger},
    "faults": {"GET": _read_faults, "POST": _plan_fault, "DELETE": _clear_faults},
    "switches": {"GET": _read_switches, "POST": _write_switches},
    "merchants": {"GET": _read_merchants, "POST": _write_merchant},
    "cloud": {"POST": _bind_cloud},
    "merchants/<name>/push": {"POST": _write_push_address},
    "pushes": {"GET": _read_pushes},
    "platforms": {"POST": _write_platform},
    "platforms/<name>/authorize": {"POST": _authorize},
    "platforms/<name>/push": {"POST": _push},
    "orders": {"GET": _list_orders, "POST": _write_order},
    "orders/<name>": {"GET": _read_order},
    "orders/<name>/change": {"POST": _change_order},
    "orders/<name>/happen": {"POST": _happen},
    "orders/<name>/copy": {"POST": _copy_order},
    "backoffice/ship": {"POST": _ship_by_hand},
    "tokens/expire": {"POST": _expire_tokens},
}
