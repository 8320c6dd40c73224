"""What some packages carry besides: a course to open, a serial number of the state subsidy."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stdnum import imei

from shipping.drafts import EXPRESS, Draft, OrderFacts, PackageDraft, Pair, SerialDraft, SerialHolder
from wechat.waybills import normalise

from .reading import Problems, courses, packages, pairs, repeated, sent_as, serials, stop, warn, when_read

SHORT_LINK = "#小程序://"


def course_package_has_one_sku(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606036: named at the goods, for they are what has to move."""
    crowded = (path for path, package in packages(draft) if package.course and len(pairs(package)) > 1)
    yield from (stop(f"{path}.items", 606036) for path in crowded)


def course_path_is_complete(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, course_path; 606038. A shared short link is no mini program's path: our own guess."""
    for path, _, course in courses(draft):
        if not course.wxa_appid.strip():
            yield stop(f"{path}.wxa_appid", 606038)
        if not course.wxa_path.strip():
            yield stop(f"{path}.wxa_path", 606038)
        if course.wxa_path.strip().startswith(SHORT_LINK):
            yield warn(f"{path}.wxa_path", 606038)


def course_ends_after_it_starts(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2 names the two times and no order between them, so this warns."""
    for path, _, course in courses(draft):
        start, end = course.start_time, course.end_time
        if isinstance(start, int) and isinstance(end, int) and end < start:
            yield warn(f"{path}.end_time", slug="course_times_reversed")


def course_goods_are_a_course(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606037: no field of the order tells, only an answer met before."""
    for path, package, _ in courses(draft):
        if any((606037, *pair) in facts.met_before for pair in pairs(package)):
            yield warn(path, 606037)


def subsidy_package_has_sn(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, sn_info: a subsidised order needs its SN, and sn_info is never without one; 606060.

    The document says "order", store-api 1.6 shows the line: goods beside the subsidised ones only warn, or
    the case sold with a phone could never leave in a parcel of its own.
    """
    for path, package in packages(draft):
        serial, marked = package.serial or SerialDraft(), _subsidised(facts)
        is_due = facts.is_read and facts.is_subsidy and package.deliver_type == EXPRESS
        is_sure = bool(serial.imei1.strip() or serial.imei2.strip()) or (is_due and _holds(package, marked))
        if not serial.sn_code.strip() and is_sure:
            yield stop(f"{path}.serial.sn_code", 606060)
        elif not serial.sn_code.strip() and is_due:
            yield warn(f"{path}.serial.sn_code", 606060, title=next(iter(marked.values())))


def _subsidised(facts: OrderFacts) -> dict[Pair, str]:
    """The goods the subsidy is on, with their titles."""
    return {goods.pair: goods.title for goods in facts.goods if goods.is_subsidy}


def _holds(package: PackageDraft, marked: dict[Pair, str]) -> bool:
    """Whether such goods are in it; none marked means that it may be any of them."""
    return not marked or bool(pairs(package) & marked.keys())


def imeis_are_sound_and_differ(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, imei1 and imei2: 15 digits, the last one checks; 268545012."""
    for path, serial in serials(draft):
        if serial.imei1.strip() and not _is_imei(serial.imei1):
            yield stop(f"{path}.imei1", 268545012)
        is_same = serial.imei1.strip() == serial.imei2.strip()
        if serial.imei2.strip() and (is_same or not _is_imei(serial.imei2)):
            yield stop(f"{path}.imei2", 268545012)


def sn_once_per_shipment(draft: Draft, facts: OrderFacts) -> Problems:
    """One device cannot be in two packages; 268545011."""
    numbers = [(f"{path}.sn_code", serial.sn_code) for path, serial in serials(draft)]
    counts = Counter(normalise(number) for _, number in numbers)
    for path, number in repeated(numbers):
        yield stop(path, 268545011, asked=counts[number])


def device_belongs_to_no_other_order(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 268545011: its SN is on one order only; an IMEI names the same device."""
    used = {normalise(number): holder for number, holder in facts.serials_used.items() if number}
    for path, serial in serials(draft):
        for name in ("sn_code", "imei1", "imei2"):
            if holder := used.get(normalise(getattr(serial, name))):
                yield stop(f"{path}.{name}", 268545011, **_told_of(holder))


def _told_of(holder: SerialHolder) -> Mapping[str, Any]:
    """As much as may be told; a number whose holder is not named is just taken."""
    known = {"other": holder.order_id, "who": holder.who, "at": holder.at}
    return {name: text for name, text in known.items() if text}


@when_read
def subsidy_package_has_one_sku(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 268545006: warns where that answer was met before."""
    for path, package in packages(draft):
        is_met = any((268545006, *pair) in facts.met_before for pair in pairs(package))
        if facts.is_subsidy and len(pairs(package)) > 1 and is_met:
            yield warn(f"{path}.items", 268545006)


def courier_may_carry_the_subsidy(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606061: the couriers allowed are not published, only an answer met before tells."""
    for path, package in sent_as(EXPRESS, draft):
        code = package.delivery_id
        if any((606061, product_id, code) in facts.met_before for product_id, _ in pairs(package)):
            yield warn(f"{path}.delivery_id", 606061, delivery_id=code)


def _is_imei(number: str) -> bool:
    return len(number) == 15 and number.isascii() and number.isdigit() and bool(imei.is_valid(number))
