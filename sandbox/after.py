"""After shipping: a number corrected, a parcel sent again (store-api.md 2.4, 2.5).

The pages disagree on corrections, so a switch holds either: up to three, parcel by parcel, or once and only
for an order that left in one parcel. No page names a code for "eleventh compensation": 101100 stands for it.
"""

from collections.abc import Iterator

from sandbox import orders
from sandbox.answers import Json, Problem, first, invalid_args, ok
from sandbox.call import Call, Outcome, refused
from sandbox.rules import Parcel, Sending, courier_is_known, waybill_fits_the_courier, waybill_is_sound
from sandbox.send import record, too_soon

CORRECTABLE, COMPENSABLE = {21, 30}, {21, 30, 100}
REASONS, OWN_WAY, MOST = {1, 2, 3, 4}, {1, 6}, 10
NUMBER_RULES = (courier_is_known, waybill_is_sound, waybill_fits_the_courier)


def update(call: Call) -> Outcome:
    """deliveryinfo/update: another number or courier for parcels that have left."""
    problem, order = _opened(call, "delivery_list", "change_infos")
    if order is None:
        return refused(problem or Problem(100002))
    if problem := first(_update_problems(call, order)):
        return refused(problem)
    changed = [_rename(call, order, old, new) for old, new in _changes(call.body, order)]
    order["_sandbox"]["corrections"] = _corrections(order) + 1
    orders.touch(order, call.now)
    orders.save(call.db, order)
    return Outcome(ok(), changed)


def compensate(call: Call) -> Outcome:
    """delivery/compensation: more parcels for goods that have left; nothing of them is left to send."""
    problem, order = _opened(call, "delivery_list")
    if order is None:
        return refused(problem or Problem(100002))
    if problem := first(_compensation_problems(call, order)):
        return refused(problem)
    secret, packages = order["_sandbox"], call.body["delivery_list"]
    secret["compensations"] = secret.get("compensations", 0) + 1
    entered = orders.enter(order, packages, call.merchant.courier_names, call.now)
    secret.setdefault("compensated", []).extend(orders.number(entry) for entry in entered)
    orders.touch(order, call.now)
    orders.save(call.db, order)
    return Outcome(ok(), [record(entry, one) for entry, one in zip(entered, packages, strict=True)])


def _opened(call: Call, *lists: str) -> tuple[Problem | None, Json | None]:
    """The order a call speaks of, or why it goes no further."""
    if not int(call.body.get("order_id") or 0):
        return invalid_args("order_id", "> 0", 0), None
    if not any(call.body.get(name) for name in lists):
        return invalid_args(lists[0], "to have at least one element", 0), None
    order = orders.load(call.db, str(call.body["order_id"]))
    if order is None or order["_sandbox"]["appid"] != call.merchant.appid:
        return Problem(100002), None
    return (Problem(100003), None) if too_soon(call, order["order_id"]) else (None, order)


# --- a number corrected ---------------------------------------------------------------------------------


def _corrections(order: Json) -> int:
    return int(order["_sandbox"].get("corrections", 0))


def _update_problems(call: Call, order: Json) -> Iterator[Problem]:
    if order["status"] not in CORRECTABLE or orders.is_virtual(order):
        yield Problem(101100)
    yield from _older_page(call, order) if call.switches["corrections"] == 1 else ()
    if _corrections(order) >= call.switches["corrections"]:
        yield Problem(606041)
    if call.body.get("delivery_list") and len(orders.parcels(order)) != 1:
        yield Problem(606040)
    for old, new in _changes(call.body, order):
        yield from _change_problems(call, order, old, new)


def _older_page(call: Call, order: Json) -> Iterator[Problem]:
    """The older page knows delivery_list only, and no order in several parcels."""
    if not call.body.get("delivery_list"):
        yield invalid_args("delivery_list", "to have at least one element", 0)
    if len(orders.parcels(order)) != 1:
        yield Problem(606040)


def _changes(body: Json, order: Json) -> list[tuple[Json, Json]]:
    """(old, new) pairs; delivery_list names the whole order's one parcel without its old number."""
    if infos := body.get("change_infos"):
        return [(info.get("old", {}), {**info.get("new", {}), "deliver_type": 1}) for info in infos]
    return [(orders.parcels(order)[0], new) for new in body["delivery_list"]]


def _change_problems(call: Call, order: Json, old: Json, new: Json) -> Iterator[Problem]:
    if new.get("deliver_type", 0) != 1:
        yield invalid_args("delivery_list[0].deliver_type", "== 1", new.get("deliver_type", 0))
    stored = _stored(order, old)
    if stored is None or orders.count([new]) != orders.count([stored]):
        yield Problem(606042)
    parcel = Parcel(Sending(call.db, order, [new], call.merchant, call.switches), new, [])
    yield from (found for rule in NUMBER_RULES for found in rule(parcel))


def _stored(order: Json, old: Json) -> Json | None:
    """The parcel whose number, courier and goods are exactly these."""
    same = (one for one in orders.parcels(order) if orders.number(one) == orders.number(old))
    return next((one for one in same if orders.count([one]) == orders.count([old])), None)


def _rename(call: Call, order: Json, old: Json, new: Json) -> Json:
    stored = _stored(order, old) or {}
    courier = new["delivery_id"]
    stored |= {
        "waybill_id": new["waybill_id"],
        "delivery_id": courier,
        "delivery_name": call.merchant.courier_names.get(courier, ""),
    }
    return record(stored, {})


# --- sent again -----------------------------------------------------------------------------------------


def _compensation_problems(call: Call, order: Json) -> Iterator[Problem]:
    packages, secret = call.body["delivery_list"], order["_sandbox"]
    if call.body.get("reason") not in REASONS:
        yield invalid_args("reason", "in [1, 4]", call.body.get("reason", 0))
    if order["status"] not in COMPENSABLE:
        yield Problem(101100)
    if secret.get("compensations", 0) >= MOST:
        yield Problem(101100, "补发次数已达上限")
    if orders.is_virtual(order) or any(one.get("deliver_type") not in OWN_WAY for one in packages):
        yield Problem(606008)
    if not all(one.get("product_infos") for one in packages):
        yield Problem(109002)
    if orders.count(packages).keys() - orders.left(order).keys():
        yield Problem(606031)
    for package in packages:
        parcel = Parcel(Sending(call.db, order, packages, call.merchant, call.switches), package, [])
        yield from (found for rule in NUMBER_RULES for found in rule(parcel))
