"""What a merchant answers or asks around an order before it leaves (store-api.md 1.9, 2.7).

No page names a code for answering what nobody asks any more: 101100, "this status does not allow it".
"""

from collections.abc import Iterator

from sandbox import orders
from sandbox.answers import Json, Problem, invalid_args, ok
from sandbox.call import Call, Outcome, refused

SKU_WAITS, SKU_APPROVED, SKU_REJECTED = 3, 4, 5
CLEAR = {"user_name": "林小满", "detail_info": "滨江西路 188 号 3 栋 1202", "house_number": "3 栋 1202"}
TEN_MINUTES = 600


def accept_address(call: Call) -> Outcome:
    """addressmodify/accept: the address the buyer asked for becomes the order's."""
    return _answer_address(call, accepts=True)


def refuse_address(call: Call) -> Outcome:
    """addressmodify/reject: the order keeps the address it had."""
    return _answer_address(call, accepts=False)


def approve_sku(call: Call) -> Outcome:
    """preshipmentchangesku/approve: the lines that wait take their new sku."""
    return _answer_sku(call, SKU_APPROVED)


def refuse_sku(call: Call) -> Outcome:
    """preshipmentchangesku/reject."""
    return _answer_sku(call, SKU_REJECTED)


def update_notes(call: Call) -> Outcome:
    """merchantnotes/update: the note as a whole, also an empty one."""
    order = _own(call)
    if order is None:
        return refused(Problem(100002))
    order["order_detail"]["ext_info"]["merchant_notes"] = call.body.get("merchant_notes", "")
    return _saved(call, order)


def waiting_skus(call: Call) -> Outcome:
    """preshipmentchangesku/get: orders that wait for an answer, ten a page unless told otherwise."""
    size, page = call.body.get("page_size", 10), call.body.get("page", 1)
    if size < 1 or page < 1:
        return refused(invalid_args("page", "> 0", page))
    rows = call.db.execute(
        "SELECT order_id FROM orders WHERE appid = ? ORDER BY order_id", (call.merchant.appid,)
    )
    ids = [row["order_id"] for row in rows]
    found = [one for one in ids if any(_waiting(orders.load(call.db, one) or {}))]
    return Outcome(ok(order_ids=found[(page - 1) * size : page * size]))


def decode(call: Call) -> Outcome:
    """sensitiveinfo/decode: the receiver in clear; with a virtual number the phone stays covered."""
    order = _own(call)
    if order is None:
        return refused(Problem(100002))
    address = dict(orders.delivery(order)["address_info"])
    is_virtual = bool(address.get("use_tel_number"))
    address |= {name: CLEAR[name] for name in CLEAR if "*" in address.get(name, "") or name == "house_number"}
    if not is_virtual:
        address["tel_number"] = address["tel_number"].replace("****", "0000")
    return Outcome(ok(address_info=address, virtual_number_info=_virtual(call) if is_virtual else {}))


def _virtual(call: Call) -> Json:
    return {"virtual_number": "13200001111", "extension": "1234", "expiration": int(call.now) + TEN_MINUTES}


def _own(call: Call) -> Json | None:
    order = orders.load(call.db, str(call.body.get("order_id") or ""))
    return order if order and order["_sandbox"]["appid"] == call.merchant.appid else None


def _answer_address(call: Call, *, accepts: bool) -> Outcome:
    order = _own(call)
    if order is None:
        return refused(Problem(100002))
    info = orders.delivery(order)
    wanted = info.pop("address_under_review", None)
    if not wanted:
        return refused(Problem(101100, "没有待处理的修改地址申请"))
    info.pop("address_apply_time", None)
    if accepts:
        # Another address is another hash.
        hash_code = f"{info['address_info'].get('hash_code', '')}-{int(call.now)}"
        info["address_info"] |= {**wanted, "hash_code": wanted.get("hash_code") or hash_code}
    return _saved(call, order)


def _answer_sku(call: Call, state: int) -> Outcome:
    order = _own(call)
    if order is None:
        return refused(Problem(100002))
    waiting = list(_waiting(order))
    if not waiting:
        return refused(Problem(101100, "没有待处理的更换规格申请"))
    for line in waiting:
        line["change_sku_info"]["preshipment_change_sku_state"] = state
        if state == SKU_APPROVED:
            line["sku_id"] = line["change_sku_info"]["new_sku_id"]
    return _saved(call, order)


def _waiting(order: Json) -> Iterator[Json]:
    for line in orders.lines(order) if order else ():
        if (line.get("change_sku_info") or {}).get("preshipment_change_sku_state") == SKU_WAITS:
            yield line


def _saved(call: Call, order: Json) -> Outcome:
    orders.touch(order, call.now)
    orders.save(call.db, order)
    return Outcome(ok())
