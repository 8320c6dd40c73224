"""Reading calls: orders, courier lists, merchant addresses (store-api.md 1.1, 1.3, 2.3, 2.8)."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from sandbox import orders
from sandbox.answers import Json, Problem, first, invalid_args, ok
from sandbox.call import Call, Outcome, refused

WEEK = 7 * 86400
MAX_PAGE = 100
RANGES = {"create_time_range": "create_time", "update_time_range": "update_time"}
ALSO = {20: (20, 21), 30: (30, 21)}
"""Asking for 20 or 30 also returns partly shipped orders (store-api.md 1.1)."""


def list_orders(call: Call) -> Outcome:
    """order/list/get: ids only, oldest first, by keyset pages."""
    if problem := first(_list_problems(call.body)):
        return refused(problem)
    size = call.body["page_size"]
    column = _column(call.body)
    rows = _page(call, column, size + 1)
    more, rows = len(rows) > size, rows[:size]
    key = _write_key(rows[-1][column], rows[-1]["order_id"]) if rows else call.body.get("next_key", "")
    return Outcome(ok(order_id_list=[row["order_id"] for row in rows], next_key=key, has_more=more))


def _list_problems(body: Json) -> Iterator[Problem]:
    if not any(name in body for name in RANGES):
        yield invalid_args("create_time_range", "or update_time_range to be set", "neither")
    for name in RANGES.keys() & body.keys():
        yield from _range_problems(name, body[name])
    size = body.get("page_size", 0)
    if not 1 <= size <= MAX_PAGE:
        yield invalid_args("page_size", f"in [1, {MAX_PAGE}]", size)
    if _read_key(body.get("next_key", "")) is None:
        yield invalid_args("next_key", "as returned by the last page", body["next_key"])


def _range_problems(name: str, span: Json) -> Iterator[Problem]:
    start, end = span.get("start_time", 0), span.get("end_time", 0)
    if end <= 0:
        yield invalid_args(f"{name}.end_time", "> 0", end)
    if start > end:
        yield invalid_args(f"{name}.start_time", "<= end_time", start)
    if end - start > WEEK:
        yield invalid_args(f"{name}.end_time", "within 7 days of start_time", end - start)


def _column(body: Json) -> str:
    return next(column for name, column in RANGES.items() if name in body)


def _page(call: Call, column: str, limit: int) -> list[sqlite3.Row]:
    """Up to ``limit`` rows after the key; the ranges and filters are ANDed."""
    where, values = ["appid = ?"], [call.merchant.appid]
    for clause, some in _filters(call.body, column):
        where.append(clause)
        values.extend(some)
    query = (
        f"SELECT order_id, {column} FROM orders WHERE {' AND '.join(where)}"  # noqa: S608 - own names only  # nosec B608
        f" ORDER BY {column}, order_id LIMIT ?"
    )
    return call.db.execute(query, (*values, limit)).fetchall()


def _filters(body: Json, column: str) -> Iterator[tuple[str, list[Any]]]:
    for name in RANGES.keys() & body.keys():
        span = body[name]
        yield f"{RANGES[name]} BETWEEN ? AND ?", [span.get("start_time", 0), span["end_time"]]
    if "status" in body:
        wanted = ALSO.get(body["status"], (body["status"],))
        yield f"status IN ({', '.join('?' * len(wanted))})", list(wanted)
    if body.get("openid"):
        yield "openid = ?", [body["openid"]]
    if key := _read_key(body.get("next_key", "")):
        yield f"({column}, order_id) > (?, ?)", list(key)


def _write_key(moment: int, order_id: str) -> str:
    return base64.urlsafe_b64encode(f"{moment},{order_id}".encode()).decode()


def _read_key(key: str) -> tuple[Any, ...] | None:
    """() for the first page, (moment, order_id) later, None if it is no key of ours."""
    if not key:
        return ()
    try:
        moment, order_id = base64.urlsafe_b64decode(key.encode()).decode().split(",")
        return int(moment), order_id
    except ValueError:
        return None


def get_order(call: Call) -> Outcome:
    """order/get: one order, masked; 100002 for an order of another store."""
    wanted = call.body.get("order_id")
    if not wanted or not int(wanted):
        return refused(invalid_args("order_id", "> 0", 0))
    order = orders.load(call.db, str(wanted))
    if order is None or order["_sandbox"]["appid"] != call.merchant.appid:
        return refused(Problem(100002))
    return Outcome(ok(order=shown(order, call.host)))


def shown(order: Json, host: str) -> Json:
    """The order as the platform shows it: no truth of ours, nothing personal in clear, absolute pictures."""
    seen: Json = json.loads(json.dumps({name: part for name, part in order.items() if name != "_sandbox"}))
    for line in orders.lines(seen):
        if str(line.get("thumb_img", "")).startswith("/"):
            line["thumb_img"] = f"http://{host}{line['thumb_img']}"
    info = orders.delivery(seen)
    for address in (info["address_info"], info.get("address_under_review")):
        _mask(address or {})
    for parcel in info["delivery_product_info"]:
        _mask(parcel.get("delivery_address") or {})
    return seen


def _mask(address: Json) -> None:
    """Cover name, street and phone as live answers do: 林**, ****, 183****2807."""
    for name, cover in _COVERS.items():
        value = address.get(name)
        if value and "*" not in value:
            address[name] = cover(value)
    _mask_phone(address.get("tel_number_ext_info") or {})


def _mask_phone(extra: Json) -> None:
    real = extra.get("real_tel_number", "")
    if real and "*" not in real:
        extra["real_tel_number"] = _phone(real)


def _phone(number: str) -> str:
    return f"{number[:3]}****{number[-4:]}"


_COVERS = {
    "user_name": lambda name: name[:1] + "**",
    "detail_info": lambda _: "****",
    "tel_number": _phone,
    "virtual_order_tel_number": _phone,
}


def companies(call: Call) -> Outcome:
    """The old courier list; the body must be an object."""
    found = [{"delivery_id": code, "delivery_name": name} for code, name in call.merchant.couriers.items()]
    return Outcome(ok(company_list=found))


def companies_new(call: Call) -> Outcome:
    """The new courier list; ``ewaybill_only`` is required."""
    if "ewaybill_only" not in call.body:
        return refused(invalid_args("ewaybill_only", "to be set", "missing"))
    return companies(call)


def list_addresses(call: Call) -> Outcome:
    """merchant/address/list: ids as strings; every store has a sending address."""
    found = [str(number) for number in _addresses(call)]
    start = call.body.get("offset", 0)
    return Outcome(ok(address_id_list=found[start : start + call.body.get("limit", 100)]))


def get_address(call: Call) -> Outcome:
    """merchant/address/get: one address; ``default_recv`` 1 is the default return address."""
    known = _addresses(call)
    wanted = int(call.body.get("address_id") or 0)
    if wanted not in known:
        return refused(invalid_args("address_id", "to be an address of this shop", wanted))
    return Outcome(ok(address_detail=known[wanted]))


def _addresses(call: Call) -> dict[int, Json]:
    number = 111222
    addresses = {number: _address(number, "发货仓", send=1, recv=0)}
    if call.merchant.return_address:
        addresses[number + 1] = _address(number + 1, "售后退货组", send=0, recv=1)
    return addresses


def _address(number: int, name: str, send: int, recv: int) -> Json:
    place = {"province_name": "浙江省", "city_name": "杭州市", "county_name": "余杭区"}
    person = {"user_name": name, "postal_code": "311121", "tel_number": "18600000000", "house_number": ""}
    detail = {"detail_info": "文一西路 1 号", "lat": 30.27, "lng": 120.02}
    return {
        "address_id": number,
        "address_info": person | place | detail,
        "landline": "",
        "remark": "",
        "send_addr": send,
        "default_send": send,
        "recv_addr": recv,
        "default_recv": recv,
        "create_time": 1662480000,
        "update_time": 1662480000,
        "address_type": {"same_city": 0, "pickup": 0},
    }
