"""The rules of delivery/send, one generator a rule, in the order the platform names them.

Source: senddelivery.md sections 2, 4 and 6; store-api.md 2.1. ``ORDER_RULES`` speak of the whole call and
refuse all of it; ``PACKAGE_RULES`` speak of one package and are asked package by package.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox import orders
from sandbox.answers import Json, Problem
from sandbox.merchants import Merchant

PATTERNS: dict[str, re.Pattern[str]] = {
    code: re.compile(pattern, re.IGNORECASE)
    for code, pattern in json.loads(
        Path(__file__).with_name("waybill_patterns.json").read_text(encoding="utf-8")
    )["patterns"].items()
}
WAYBILL = re.compile(r"[A-Za-z0-9-]{4,40}")
SERIAL = re.compile(r"[!-~]{1,64}")
IMEI = re.compile(r"\d{15}")

SHIPPABLE = {20, 21}
SHIPPED = {30, 100}
TYPE_OF_METHOD = {0: 1, 1: 3, 3: 3}
"""deliver_method -> the only deliver_type allowed; a method not listed takes either."""
INSPECTED = {1: (606034, {6, 8}), 2: (606045, {202})}
"""quality_inspect_type -> (code, inspect_status values that let the order go); store-api.md 1.7."""
SKU_CHANGE_WAITS = 3


@dataclass(frozen=True)
class Sending:
    """One delivery/send call on one order."""

    db: sqlite3.Connection
    order: Json
    packages: list[Json]
    merchant: Merchant
    switches: Json

    @property
    def secret(self) -> Json:
        """What no read field tells (``_sandbox``)."""
        found: Json = self.order["_sandbox"]
        return found


@dataclass(frozen=True)
class Parcel:
    """One package of the call; ``earlier`` are the packages of the call found good before it."""

    sending: Sending
    package: Json
    earlier: list[Json]

    @property
    def pairs(self) -> set[orders.Pair]:
        """The distinct (product_id, sku_id) in it."""
        return {orders.pair(goods) for goods in self.package["product_infos"]}

    @property
    def by_courier(self) -> bool:
        """Whether a courier carries it (deliver_type 1)."""
        return bool(self.package["deliver_type"] == 1)


# --- the whole call -------------------------------------------------------------------------------------


def order_may_be_shipped(sending: Sending) -> Iterator[Problem]:
    """109001 all shipped already; 101100 any other status that is not 20 or 21."""
    status = sending.order["status"]
    if status in SHIPPED:
        yield Problem(109001)
    elif status not in SHIPPABLE:
        yield Problem(101100)


def no_aftersale_runs(sending: Sending) -> Iterator[Problem]:
    """108009 while any case of the order or of a line is running."""
    running = sending.order.get("aftersale_detail", {}).get("on_aftersale_order_cnt", 0)
    if running or any(line["on_aftersale_sku_cnt"] for line in orders.lines(sending.order)):
        yield Problem(108009)


def no_address_waits(sending: Sending) -> Iterator[Problem]:
    """10020115 while the buyer's new address is not answered."""
    if orders.delivery(sending.order).get("address_under_review"):
        yield Problem(10020115)


def no_sku_change_waits(sending: Sending) -> Iterator[Problem]:
    """10020276 while a change of sku waits for the merchant."""
    changes = (line.get("change_sku_info") or {} for line in orders.lines(sending.order))
    if any(change.get("preshipment_change_sku_state") == SKU_CHANGE_WAITS for change in changes):
        yield Problem(10020276)


def order_is_not_risky(sending: Sending) -> Iterator[Problem]:
    """606049 while the platform holds the order."""
    if sending.secret.get("risk"):
        yield Problem(606049)


def no_online_waybill_runs(sending: Sending) -> Iterator[Problem]:
    """109205 once an online waybill was ordered."""
    if sending.secret.get("online_waybill"):
        yield Problem(109205)


def goods_are_inspected(sending: Sending) -> Iterator[Problem]:
    """606034 jewellery, 606045 fresh food, until the inspection lets them go."""
    info = orders.delivery(sending.order)
    code, passed = INSPECTED.get(info.get("quality_inspect_type", 0), (0, set()))
    if code and info.get("quality_inspect_info", {}).get("inspect_status") not in passed:
        yield Problem(code)


def ewaybill_is_not_compulsory(sending: Sending) -> Iterator[Problem]:
    """606046 where the platform insists on an e-waybill: a plain waybill never satisfies it."""
    if sending.secret.get("ewaybill_required"):
        yield Problem(606046)


def shop_has_return_address(sending: Sending) -> Iterator[Problem]:
    """606003 without a default return address; the document makes no exception for virtual goods."""
    if not sending.merchant.return_address:
        yield Problem(606003)


def every_package_has_goods(sending: Sending) -> Iterator[Problem]:
    """109002 for a package without product_infos."""
    if not all(package.get("product_infos") for package in sending.packages):
        yield Problem(109002)


def types_fit_the_order(sending: Sending) -> Iterator[Problem]:
    """606008 when a deliver_type is not the one of the order's deliver_method."""
    method = orders.delivery(sending.order)["deliver_method"]
    allowed = {TYPE_OF_METHOD[method]} if method in TYPE_OF_METHOD else {1, 3}
    if any(package["deliver_type"] not in allowed for package in sending.packages):
        yield Problem(606008)


def goods_are_in_the_order(sending: Sending) -> Iterator[Problem]:
    """606031 for a pair that is no line of the order."""
    if orders.count(sending.packages).keys() - orders.left(sending.order).keys():
        yield Problem(606031)


def virtual_ships_whole(sending: Sending) -> Iterator[Problem]:
    """606051 unless a virtual order's call carries all that is left."""
    if not orders.is_virtual(sending.order):
        return
    asked, rest = orders.count(sending.packages), orders.left(sending.order)
    if any(asked[pair] < pieces for pair, pieces in rest.items()):
        yield Problem(606051)


# --- one package ----------------------------------------------------------------------------------------


def counts_fit_what_is_left(parcel: Parcel) -> Iterator[Problem]:
    """109000 for more pieces than are unshipped and not refunded."""
    rest = orders.left(parcel.sending.order)
    rest.subtract(orders.count([*parcel.earlier, parcel.package]))
    # Another line may be below zero: its pieces were refunded after they had left.
    if any(rest[name] < 0 for name in parcel.pairs):
        yield Problem(109000)


def waybill_once_in_the_call(parcel: Parcel) -> Iterator[Problem]:
    """109000 for the same courier and number twice in one request (staff on 109000)."""
    if parcel.by_courier and _number(parcel.package) in map(_number, parcel.earlier):
        yield Problem(109000)


def waybill_not_repeated(parcel: Parcel) -> Iterator[Problem]:
    """109000 for a number the order already has, if the switch says that repeats are refused."""
    known = map(_number, orders.parcels(parcel.sending.order))
    if not parcel.sending.switches["repeat_waybill"] and _number(parcel.package) in known:
        yield Problem(109000)


def sku_in_one_package(parcel: Parcel) -> Iterator[Problem]:
    """109000 for one sku over several packages of a call, if the switch says so."""
    before = orders.count(parcel.earlier).keys()
    if not parcel.sending.switches["split_sku"] and parcel.pairs & before:
        yield Problem(109000)


def courier_is_known(parcel: Parcel) -> Iterator[Problem]:
    """606004 for a delivery_id outside the shop's list; OTHER is always legal."""
    legal = {"OTHER", *parcel.sending.merchant.couriers}
    if parcel.sending.switches["accept_yd"]:
        legal.add("YD")
    if parcel.by_courier and parcel.package.get("delivery_id", "") not in legal:
        yield Problem(606004)


def waybill_is_sound(parcel: Parcel) -> Iterator[Problem]:
    """606005 for an empty number or one with characters other than A-Z, 0-9 and "-"."""
    if parcel.by_courier and not WAYBILL.fullmatch(parcel.package.get("waybill_id", "")):
        yield Problem(606005)


def waybill_fits_the_courier(parcel: Parcel) -> Iterator[Problem]:
    """6060479 by public guesses at the couriers' patterns, only if switched on."""
    pattern = PATTERNS.get(parcel.package.get("delivery_id", ""))
    if not (parcel.sending.switches["strict_patterns"] and parcel.by_courier and pattern):
        return
    if not pattern.fullmatch(parcel.package["waybill_id"]):
        yield Problem(6060479)


def course_package_has_one_sku(parcel: Parcel) -> Iterator[Problem]:
    """606036 for a course link beside several skus."""
    if "course_info" in parcel.package and len(parcel.pairs) > 1:
        yield Problem(606036)


def course_info_is_for_courses(parcel: Parcel) -> Iterator[Problem]:
    """606037 for a course link on goods that are no course."""
    courses = set(parcel.sending.secret.get("course_skus", []))
    if "course_info" in parcel.package and any(sku not in courses for _, sku in parcel.pairs):
        yield Problem(606037)


def course_path_is_complete(parcel: Parcel) -> Iterator[Problem]:
    """606038 for an empty mini program appid or path."""
    if "course_info" not in parcel.package:
        return
    path = parcel.package["course_info"].get("course_path", {})
    if not (path.get("wxa_appid", "").strip() and path.get("wxa_path", "").strip()):
        yield Problem(606038)


def subsidy_has_serial(parcel: Parcel) -> Iterator[Problem]:
    """606060 for subsidised goods without a serial number."""
    needed = parcel.sending.secret.get("sn_required") or _subsidised(parcel)
    if needed and not parcel.package.get("sn_info", {}).get("sn_code", ""):
        yield Problem(606060)


def subsidy_goes_by_its_couriers(parcel: Parcel) -> Iterator[Problem]:
    """606061 for subsidised goods with a courier that is not admitted."""
    standard = parcel.sending.switches["subsidy_couriers"]
    admitted: list[str] = parcel.sending.secret.get("subsidy_couriers") or standard
    if parcel.by_courier and _subsidised(parcel) and parcel.package["delivery_id"] not in admitted:
        yield Problem(606061)


def subsidy_package_has_one_sku(parcel: Parcel) -> Iterator[Problem]:
    """268545006 for subsidised goods packed with another sku."""
    if _subsidised(parcel) and len(parcel.pairs) > 1:
        yield Problem(268545006)


def serial_is_well_formed(parcel: Parcel) -> Iterator[Problem]:
    """268545012 for odd characters, a wrong IMEI check digit, or one IMEI twice."""
    info = parcel.package.get("sn_info", {})
    serial = info.get("sn_code", "")
    imeis = [info[name] for name in ("imei1", "imei2") if info.get(name)]
    odd = serial and not SERIAL.fullmatch(serial)
    if odd or len(set(imeis)) < len(imeis) or not all(map(_imei_is_right, imeis)):
        yield Problem(268545012)


def serial_is_free(parcel: Parcel) -> Iterator[Problem]:
    """268545011 for a serial number another order, or another package of the call, has locked."""
    serial = parcel.package.get("sn_info", {}).get("sn_code", "")
    used = [one.get("sn_info", {}).get("sn_code", "") for one in parcel.earlier]
    query = "SELECT 1 FROM serials WHERE sn_code = ? AND order_id <> ?"
    locked = parcel.sending.db.execute(query, (serial, parcel.sending.order["order_id"])).fetchone()
    if locked or (serial and serial in used):
        yield Problem(268545011)


def _number(package: Json) -> tuple[str, str]:
    return package.get("delivery_id", ""), package.get("waybill_id", "").upper()


def _subsidised(parcel: Parcel) -> bool:
    return bool(parcel.pairs & orders.subsidised_pairs(parcel.sending.order))


def _imei_is_right(imei: str) -> bool:
    """The Luhn check over 15 digits: every second digit doubled, the sum divisible by ten."""
    if not IMEI.fullmatch(imei):
        return False
    doubled = (divmod(2 * int(digit), 10) for digit in imei[1::2])
    return (sum(map(int, imei[::2])) + sum(map(sum, doubled))) % 10 == 0


ORDER_RULES: tuple[Callable[[Sending], Iterator[Problem]], ...] = (
    order_may_be_shipped,
    no_aftersale_runs,
    no_address_waits,
    no_sku_change_waits,
    order_is_not_risky,
    shop_has_return_address,
    no_online_waybill_runs,
    goods_are_inspected,
    ewaybill_is_not_compulsory,
    every_package_has_goods,
    types_fit_the_order,
    goods_are_in_the_order,
    virtual_ships_whole,
)
PACKAGE_RULES: tuple[Callable[[Parcel], Iterator[Problem]], ...] = (
    counts_fit_what_is_left,
    courier_is_known,
    waybill_is_sound,
    waybill_fits_the_courier,
    waybill_once_in_the_call,
    waybill_not_repeated,
    sku_in_one_package,
    course_package_has_one_sku,
    course_info_is_for_courses,
    course_path_is_complete,
    subsidy_has_serial,
    subsidy_package_has_one_sku,
    subsidy_goes_by_its_couriers,
    serial_is_well_formed,
    serial_is_free,
)
