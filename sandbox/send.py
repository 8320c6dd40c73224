"""delivery/send: check the whole call, then enter what is good (senddelivery.md)."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox import events, orders
from sandbox.answers import Json, Problem, first, invalid_args, ok, refusal
from sandbox.call import Call, Outcome, refused
from sandbox.rules import ORDER_RULES, PACKAGE_RULES, Parcel, Sending

PACE_SECONDS = 1.0
MINUTE = 60


@dataclass(frozen=True)
class Verdict:
    """The packages that pass, and the first problem of those that do not."""

    good: list[Json]
    problem: Problem | None


def send(call: Call) -> Outcome:
    """Answer one delivery/send call and change the order if it is accepted."""
    if _too_many(call):
        return refused(Problem(45011))
    if problem := first(_argument_problems(call.body)):
        return refused(problem)
    order = orders.load(call.db, str(call.body["order_id"]))
    if order is None or order["_sandbox"]["appid"] != call.merchant.appid:
        return refused(Problem(100002))
    if code := order["_sandbox"].get("answers"):
        return refused(Problem(code, order["_sandbox"].get("errmsg")))
    if too_soon(call, order["order_id"]):
        return refused(Problem(100003))
    sending = Sending(call.db, order, call.body["delivery_list"], call.merchant, call.switches)
    verdict = _judge(sending)
    return _enter(call, order, verdict)


def _argument_problems(body: Json) -> Iterator[Problem]:
    """40097 with the exact path, as the live sample words it."""
    if not int(body.get("order_id") or 0):
        yield invalid_args("order_id", "> 0", 0)
    packages = body.get("delivery_list", [])
    if not packages:
        yield invalid_args("delivery_list", "to have at least one element", 0)
    for index, package in enumerate(packages):
        yield from _package_problems(f"delivery_list[{index}]", package)


def _package_problems(path: str, package: Json) -> Iterator[Problem]:
    if package.get("deliver_type", 0) <= 0:
        yield invalid_args(f"{path}.deliver_type", "> 0", package.get("deliver_type", 0))
    for index, goods in enumerate(package.get("product_infos", [])):
        yield from _goods_problems(f"{path}.product_infos[{index}]", goods)
    if "sn_code" not in package.get("sn_info", {"sn_code": ""}):
        yield invalid_args(f"{path}.sn_info.sn_code", 'not ""', '""')
    kind = package.get("course_info", {}).get("course_path", {}).get("type", 0)
    if kind != 0:
        yield invalid_args(f"{path}.course_info.course_path.type", "== 0", kind)


def _goods_problems(path: str, goods: Json) -> Iterator[Problem]:
    for name in ("product_id", "sku_id", "product_cnt"):
        value = int(goods.get(name) or 0)
        if value <= 0:
            yield invalid_args(f"{path}.{name}", "> 0", value)


def _too_many(call: Call) -> bool:
    """Whether the store has used up its sends of this minute."""
    allowed = call.switches["sends_a_minute"]
    if not allowed:
        return False
    counted = call.db.execute(
        "SELECT count(*) FROM ledger WHERE appid = ? AND path LIKE '%/delivery/send' AND at >= ?"
        " AND errcode IS NOT 45011",
        (call.merchant.appid, call.now - call.now % MINUTE),
    )
    return bool(counted.fetchone()[0] >= allowed)


def too_soon(call: Call, order_id: str) -> bool:
    """Whether the order was called less than a second ago; if not, the second starts now."""
    row = call.db.execute("SELECT called_at FROM orders WHERE order_id = ?", (order_id,)).fetchone()
    if call.switches["order_pace"] and 0 <= call.now - row["called_at"] < PACE_SECONDS:
        return True
    call.db.execute("UPDATE orders SET called_at = ? WHERE order_id = ?", (call.now, order_id))
    return False


def _judge(sending: Sending) -> Verdict:
    """Ask the order rules, then each package in turn; a bad package never counts against a later one."""
    if problem := first(found for rule in ORDER_RULES for found in rule(sending)):
        return Verdict([], problem)
    good: list[Json] = []
    bad: list[Problem] = []
    for package in sending.packages:
        parcel = Parcel(sending, package, good)
        problem = first(found for rule in PACKAGE_RULES for found in rule(parcel))
        bad.append(problem) if problem else good.append(package)
    if bad and sending.switches["packages"] == "all_or_nothing":
        return Verdict([], bad[0])
    return Verdict(good, first(bad))


def _enter(call: Call, order: Json, verdict: Verdict) -> Outcome:
    answer = refusal(verdict.problem) if verdict.problem else ok()
    if not verdict.good:
        return Outcome(answer)
    entered = orders.ship(order, verdict.good, call.merchant.courier_names, call.now)
    orders.save(call.db, order)
    events.delivered(call.db, order, call.now)
    _lock_serials(call, order["order_id"], verdict.good)
    return Outcome(
        answer, [record(entry, package) for entry, package in zip(entered, verdict.good, strict=True)]
    )


def _lock_serials(call: Call, order_id: str, packages: list[Json]) -> None:
    serials = [
        package["sn_info"]["sn_code"] for package in packages if package.get("sn_info", {}).get("sn_code")
    ]
    call.db.executemany(
        "INSERT OR IGNORE INTO serials(sn_code, order_id) VALUES (?, ?)",
        [(serial, order_id) for serial in serials],
    )


def record(entry: Json, package: Json) -> Json:
    """The ledger's word for one accepted parcel: what order/get shows plus course and serial numbers."""
    kept = {name: part for name, part in entry.items() if name != "delivery_address"}
    return kept | {name: package[name] for name in ("course_info", "sn_info") if name in package}
