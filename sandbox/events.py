"""What happens to an order besides calls, and the events that tell its store of it (store-api.md 4).

An event is queued in the transaction that changes the order and pushed by a thread of its own (`Pusher`):
sealed anew each time, repeated like the platform repeats, and given up after ten pushes.
"""

import http.client
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from sandbox import cipher, orders, switches
from sandbox.answers import Json
from sandbox.store import Store

WAITS = (0, 0, 10, 60, 300, 1800, 3600, 3600, 3600)
"""Seconds before each repetition (store-api.md 4.4): at most ten pushes, about 3.6 hours."""
ANSWER_WITHIN = 5
GOOD = ("success", "")
EXT_INFO = "channels_ec_order_ext_info_update"


# --- where to -------------------------------------------------------------------------------------------


def save_address(db: sqlite3.Connection, appid: str, url: str, token: str, aes_key: str) -> None:
    """A store's push address, as typed into the back office."""
    row = (appid, url, token, aes_key)
    db.execute("INSERT OR REPLACE INTO push_addresses(appid, url, token, aes_key) VALUES (?, ?, ?, ?)", row)


def check_address(url: str, token: str) -> bool:
    """The platform's GET before it saves an address: whether it says the echostr back (store-api.md 4.3)."""
    stamp, nonce, echo = str(int(time.time())), secrets.token_hex(5), str(secrets.randbits(60))
    asked = {"signature": cipher.sign(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
    status, answer = _ask("GET", url, asked | {"echostr": echo})
    return status == 200 and answer == echo


# --- what ---------------------------------------------------------------------------------------------


def queue(db: sqlite3.Connection, order: Json, event: str, told: Json, now: float) -> None:
    """Have an event pushed to the order's store, if it has an address; ``told`` is its one object."""
    appid = order["_sandbox"]["appid"]
    if db.execute("SELECT 1 FROM push_addresses WHERE appid = ?", (appid,)).fetchone() is None:
        return
    body = {"ToUserName": f"gh_{appid[-12:]}", "FromUserName": order["openid"], "CreateTime": int(now)}
    body |= {"MsgType": "event", "Event": event, **told}
    db.execute(
        "INSERT INTO pushes(at, appid, order_id, event, body, due) VALUES (?, ?, ?, ?, ?, ?)",
        (now, appid, order["order_id"], event, json.dumps(body, ensure_ascii=False), now),
    )


def ext_info(db: sqlite3.Connection, order: Json, kind: int, now: float) -> None:
    """The event of an order's further information (``kind``: store-api.md 4.1); its id is a bare number."""
    told = {"order_id": int(order["order_id"]), "type": kind}
    queue(db, order, EXT_INFO, {"order_info": told}, now)


def delivered(db: sqlite3.Connection, order: Json, now: float) -> None:
    """The event of a shipment that the platform has entered."""
    is_done = int(order["status"] == orders.ALL_SHIPPED)
    told = {"order_id": order["order_id"], "finish_delivery": is_done}
    queue(db, order, "channels_ec_order_deliver", {"order_info": told}, now)


class Happening(NamedTuple):
    """Something the buyer or the platform does: its word, what it changes, which event tells of it."""

    word: str
    change: Callable[[Json, float], None]
    tell: Callable[[sqlite3.Connection, Json, float], None]


def happen(db: sqlite3.Connection, order: Json, what: str, now: float) -> None:
    """Let something happen to an order: it changes, and its store is told."""
    happening = HAPPENINGS[what]
    happening.change(order, now)
    orders.save(db, order)
    happening.tell(db, order, now)


def _told(kind: int) -> Callable[[sqlite3.Connection, Json, float], None]:
    return lambda db, order, now: ext_info(db, order, kind, now)


def _ask_new_address(order: Json, now: float) -> None:
    delivery = orders.delivery(order)
    moved = {"detail_info": "新搬的地址 1 号", "house_number": "1-101", "hash_code": secrets.token_hex(16)}
    delivery["address_under_review"] = delivery["address_info"] | moved
    delivery["address_apply_time"] = int(now)
    orders.touch(order, now)


def _change_address(order: Json, now: float) -> None:
    delivery = orders.delivery(order)
    _ask_new_address(order, now)
    delivery["address_info"] = delivery.pop("address_under_review")


def _ask_new_sku(order: Json, now: float) -> None:
    line = orders.lines(order)[0]
    line["change_sku_info"] = {
        "preshipment_change_sku_state": 3,
        "old_sku_id": line["sku_id"],
        "new_sku_id": f"{line['sku_id']}9",
        "ddl_time_stamp": int(now) + 86400,
    }
    orders.touch(order, now)


def _aftersale(order: Json, now: float) -> None:
    _count_aftersale(order, 1, now)


def _aftersale_over(order: Json, now: float) -> None:
    _count_aftersale(order, 0, now)


def _count_aftersale(order: Json, count: int, now: float) -> None:
    case = {"aftersale_order_id": f"20{order['order_id'][2:]}"}
    order["aftersale_detail"] = {
        "on_aftersale_order_cnt": count,
        "aftersale_order_list": [case] if count else [],
    }
    orders.lines(order)[0]["on_aftersale_sku_cnt"] = count
    orders.touch(order, now)


def _tell_aftersale(db: sqlite3.Connection, order: Json, now: float) -> None:
    open_cases = order["aftersale_detail"]["on_aftersale_order_cnt"]
    told = {
        "status": "MERCHANT_PROCESSING" if open_cases else "USER_CANCELD",
        "after_sale_order_id": f"20{order['order_id'][2:]}",
        "order_id": order["order_id"],
    }
    queue(db, order, "channels_ec_aftersale_update", {"finder_shop_aftersale_status_update": told}, now)


def _unchanged(order: Json, now: float) -> None:
    """Only the event tells of it."""


HAPPENINGS: dict[str, Happening] = {
    "ask_new_address": Happening("买家要改地址", _ask_new_address, _told(4)),
    "change_address": Happening("买家自己改了地址", _change_address, _told(19)),
    "urge": Happening("买家催发货", _unchanged, _told(7)),
    "ask_new_sku": Happening("买家要换规格", _ask_new_sku, _told(9)),
    "aftersale": Happening("买家申请售后", _aftersale, _tell_aftersale),
    "aftersale_over": Happening("售后结束", _aftersale_over, _tell_aftersale),
}


# --- pushing --------------------------------------------------------------------------------------------


def recent(db: sqlite3.Connection, limit: int) -> list[Json]:
    """The newest pushes with how they stand: ``due`` null and ``answer`` "success" is done."""
    query = "SELECT * FROM pushes ORDER BY seq DESC LIMIT ?"
    return [dict(row) for row in db.execute(query, (limit,))]


class Pusher(threading.Thread):
    """Pushes what is due, one after the other, until told to stop."""

    def __init__(self, store: Store, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._store, self._stopping = store, stopping

    def run(self) -> None:
        while not self._stopping.wait(0.1):
            for push in self._due():
                self._push(push)

    def _due(self) -> list[sqlite3.Row]:
        query = "SELECT * FROM pushes JOIN push_addresses USING (appid) WHERE due <= ? ORDER BY due LIMIT 20"
        try:
            with self._store.transaction() as db:
                return db.execute(query, (time.time() + switches.read(db)["clock_offset"],)).fetchall()
        except sqlite3.ProgrammingError:
            # The state was closed: we are stopping.
            return []

    def _push(self, push: sqlite3.Row) -> None:
        status, answer = _ask("POST", push["url"], *sealed(push))
        is_good = status == 200 and answer in GOOD
        try:
            with self._store.transaction() as db:
                due = None if is_good else _again(db, push["tries"] + 1)
                db.execute(
                    "UPDATE pushes SET tries = tries + 1, due = ?, answer = ? WHERE seq = ?",
                    (due, "success" if is_good else f"{status} {answer[:80]}", push["seq"]),
                )
        except sqlite3.ProgrammingError:
            return


def _again(db: sqlite3.Connection, tries: int) -> float | None:
    """When the next push is due, None after the last."""
    if tries > len(WAITS):
        return None
    pace = switches.read(db)
    return time.time() + float(pace["clock_offset"]) + WAITS[tries - 1] * float(pace["push_pace"])


def sealed(push: sqlite3.Row) -> tuple[dict[str, str], bytes]:
    """The query and the body of one push in safe mode, JSON (store-api.md 4.2)."""
    encrypted = cipher.seal(push["body"], push["aes_key"], push["appid"])
    stamp, nonce = str(int(time.time())), secrets.token_hex(5)
    query = {
        "signature": cipher.sign(push["token"], stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "openid": json.loads(push["body"])["FromUserName"],
        "encrypt_type": "aes",
        "msg_signature": cipher.sign(push["token"], stamp, nonce, encrypted),
    }
    outer = {"ToUserName": json.loads(push["body"])["ToUserName"], "Encrypt": encrypted}
    return query, json.dumps(outer).encode()


def _ask(method: str, url: str, query: dict[str, Any], body: bytes | None = None) -> tuple[int, str]:
    """Status and text of the answer; 0 and the reason when there is none."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=ANSWER_WITHIN)
    try:
        path = f"{address.path}?{urlencode(query)}"
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as told:
        return 0, repr(told)
    finally:
        connection.close()
