"""The delivery rules: what may be sent. Pure functions; no Django, no clock, no text.

A rule is a generator named as the sentence that must hold; it yields a Problem where it does not. What
senddelivery.md decides stops; a public guess, or a fact never read, only warns. Facts of an order that was
not read say nothing (`when_read`); what we know ourselves (couriers, numbers used, answers met) still does.
`check` expects a draft after `drafts.fill_blanks`. Sections are senddelivery.md's unless named otherwise.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import wraps

from stdnum import imei

from shipping.drafts import (
    EXPRESS,
    VIRTUAL,
    CourseDraft,
    Draft,
    Item,
    OrderFacts,
    PackageDraft,
    Pair,
    Problem,
    SerialDraft,
)
from wechat.waybills import fits, is_clean, normalise

Problems = Iterator[Problem]
Rule = Callable[[Draft, OrderFacts], Problems]
Packages = Iterator[tuple[str, PackageDraft]]

ORDER, OTHER_COURIER, SHORT_LINK = "order", "OTHER", "#小程序://"
TYPE_OF_METHOD: dict[int | None, int] = {0: EXPRESS, 1: VIRTUAL}
SHIPPABLE, ALL_SHIPPED, NOT_SHIPPABLE = {20, 21}, {30, 100}, {5, 12, 13, 190, 200, 250}
AWAITS_PAYMENT = 10
JEWELLERY, FRESH_FOOD = 1, 2
JEWELLERY_ON_ITS_WAY, FRESH_FOOD_PASSED = {5, 6, 11}, {202}
USUAL_WAYBILL_LENGTH = range(6, 33)


def check(draft: Draft, facts: OrderFacts) -> list[Problem]:
    """Everything wrong with the draft, in the order of RULES."""
    return [problem for rule in RULES for problem in rule(draft, facts)]


def stops(problems: Iterable[Problem]) -> bool:
    return any(problem.stops for problem in problems)


def when_read(rule: Rule) -> Rule:
    """A rule about facts of the order stays silent until the order was read."""

    @wraps(rule)
    def silent_until_read(draft: Draft, facts: OrderFacts) -> Problems:
        return rule(draft, facts) if facts.is_read else iter(())

    return silent_until_read


def numbers_are_numbers(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, type number; 47001. The course times are optional."""
    required = [(f"{path}.deliver_type", package.deliver_type) for path, package in _packages(draft)]
    required += [(f"{path}.product_cnt", item.product_cnt) for path, item in _items(draft)]
    yield from (_stop(path, 47001) for path, number in required if not isinstance(number, int))
    for path, _, course in _courses(draft):
        times = (("start_time", course.start_time), ("end_time", course.end_time))
        yield from (_stop(f"{path}.{field}", 47001) for field, time in times if isinstance(time, str))


def shipment_names_order_and_packages(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, order_id and delivery_list are required; 40097."""
    if not draft.packages or not (draft.order_id.isascii() and draft.order_id.isdigit()):
        yield _stop(ORDER, 40097)


def counts_are_at_least_one(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, product_cnt; 40097."""
    for path, item in _items(draft):
        if isinstance(item.product_cnt, int) and item.product_cnt < 1:
            yield _stop(f"{path}.product_cnt", 40097)


def delivery_type_is_known(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, deliver_type is 1 or 3; 606008."""
    for path, package in _packages(draft):
        if isinstance(package.deliver_type, int) and package.deliver_type not in (EXPRESS, VIRTUAL):
            yield _stop(f"{path}.deliver_type", 606008)


@when_read
def delivery_type_fits_the_order(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, deliver_type against deliver_method; 606008. A method the document does not know warns."""
    needed = TYPE_OF_METHOD.get(facts.deliver_method)
    tell = _warn if needed is None else _stop
    for path, package in _packages(draft):
        is_known = facts.deliver_method is not None and package.deliver_type in (EXPRESS, VIRTUAL)
        if is_known and package.deliver_type != needed:
            yield tell(f"{path}.deliver_type", 606008, suggested=facts.suggested_type)


def express_names_its_courier(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, delivery_id is required for deliver_type 1; 606004."""
    named = ((f"{path}.delivery_id", package.delivery_id) for path, package in _sent_as(EXPRESS, draft))
    yield from (_stop(path, 606004) for path, code in named if not code.strip())


def courier_is_on_the_merchants_list(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, delivery_id is from the company list or OTHER; 606004. A list never read warns once."""
    named = [(f"{path}.delivery_id", package.delivery_id) for path, package in _sent_as(EXPRESS, draft)]
    listed = [(path, code) for path, code in named if code.strip() and code != OTHER_COURIER]
    if facts.couriers is None:
        yield from (_warn(path, slug="couriers_never_read") for path, _ in listed[:1])
    else:
        known = facts.couriers
        yield from (_stop(path, 606004, delivery_id=code) for path, code in listed if code not in known)


def express_names_its_waybill(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, waybill_id is required for deliver_type 1; 606005."""
    for path, package in _sent_as(EXPRESS, draft):
        if not is_clean(package.waybill_id):
            yield _stop(f"{path}.waybill_id", 606005)


def waybill_looks_usual(draft: Draft, facts: OrderFacts) -> Problems:
    """Guesses: our own at the length, 606005; a public one at the courier's pattern, 6060479."""
    for path, package in _sent_as(EXPRESS, draft):
        number, courier = package.waybill_id, package.delivery_id
        if is_clean(number) and len(number) not in USUAL_WAYBILL_LENGTH:
            yield _warn(f"{path}.waybill_id", 606005, length=len(number))
        if is_clean(number) and fits(courier, number) is False:
            yield _warn(f"{path}.waybill_id", 6060479, delivery_id=courier)


def waybill_once_per_shipment(draft: Draft, facts: OrderFacts) -> Problems:
    """Two packages cannot share a number; 109000."""
    waybills = ((f"{path}.waybill_id", package.waybill_id) for path, package in _sent_as(EXPRESS, draft))
    yield from (_stop(path, 109000, waybill_id=number) for path, number in _repeated(waybills))


def waybill_is_new_to_the_order(draft: Draft, facts: OrderFacts) -> Problems:
    """HOUSE.md section 5: our parcel is matched by its waybill within the order, so it has its own."""
    used = {normalise(number) for number in facts.waybills_used} - {""}
    for path, package in _sent_as(EXPRESS, draft):
        if (number := normalise(package.waybill_id)) in used:
            yield _stop(f"{path}.waybill_id", slug="waybill_already_on_order", waybill_id=number)


def virtual_carries_no_waybill(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.1: with deliver_type 3 waybill_id and delivery_id are left out of the body."""
    for path, package in _sent_as(VIRTUAL, draft):
        if package.waybill_id.strip() or package.delivery_id.strip():
            field = "waybill_id" if package.waybill_id.strip() else "delivery_id"
            yield _warn(f"{path}.{field}", slug="waybill_not_sent")


def package_holds_products(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, product_infos is required; 109002."""
    yield from (_stop(f"{path}.items", 109002) for path, package in _packages(draft) if not package.items)


def products_belong_to_the_order(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, product_id and sku_id are required; 606031. What the order holds is known once read."""
    for path, item in _items(draft):
        is_named = bool(item.product_id.strip() and item.sku_id.strip())
        if not is_named or (facts.is_read and facts.find(item.pair) is None):
            yield _stop(f"{path}.product_id", 606031, product_id=item.product_id, sku_id=item.sku_id)


@when_read
def counts_fit_what_is_left(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 4 and 109000: over all packages; named at the item that passes what is left.

    store-api 1.6: on a line partly shipped, the refunded pieces may be the shipped ones: that warns.
    """
    asked, so_far = _asked(draft.packages), Counter[Pair]()
    for path, item in _items(draft):
        goods, before = facts.find(item.pair), so_far[item.pair]
        so_far[item.pair] += max(0, item.count)
        if goods and before <= goods.left < so_far[item.pair]:
            count = asked[item.pair]
            tell = _warn if goods.taken > 0 and count <= goods.ordered - goods.taken else _stop
            yield tell(f"{path}.product_cnt", 109000, left=goods.left, asked=count, title=goods.title)


@when_read
def virtual_ships_whole(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 4, 606051: counted over the whole call. A deliver_method never read warns."""
    asked = _asked(virtual := [package for _, package in _sent_as(VIRTUAL, draft)])
    short = next((goods for goods in facts.goods if asked[goods.pair] < goods.left), None)
    if virtual and short and facts.deliver_method != 0:
        tell = _warn if facts.deliver_method is None else _stop
        yield tell("packages[0].items", 606051, left=short.left, asked=asked[short.pair], title=short.title)


def course_package_has_one_sku(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606036."""
    yield from (_stop(path, 606036) for path, package, _ in _courses(draft) if len(_pairs(package)) > 1)


def course_path_is_complete(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, course_path; 606038. A shared short link is no mini program's path: our own guess."""
    for path, _, course in _courses(draft):
        if not course.wxa_appid.strip():
            yield _stop(f"{path}.wxa_appid", 606038)
        if not course.wxa_path.strip():
            yield _stop(f"{path}.wxa_path", 606038)
        if course.wxa_path.strip().startswith(SHORT_LINK):
            yield _warn(f"{path}.wxa_path", 606038)


def course_ends_after_it_starts(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2 names the two times and no order between them, so this warns."""
    for path, _, course in _courses(draft):
        start, end = course.start_time, course.end_time
        if isinstance(start, int) and isinstance(end, int) and end < start:
            yield _warn(f"{path}.end_time", slug="course_times_reversed")


def course_goods_are_a_course(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606037: no field of the order tells, only an answer met before."""
    for path, package, _ in _courses(draft):
        if any((606037, *pair) in facts.met_before for pair in _pairs(package)):
            yield _warn(path, 606037)


def subsidy_package_has_sn(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, sn_info: a subsidised order needs its SN, and sn_info is never without one; 606060."""
    for path, package in _packages(draft):
        serial = package.serial or SerialDraft()
        is_due = facts.is_read and facts.is_subsidy and package.deliver_type == EXPRESS
        has_imei = bool(serial.imei1.strip() or serial.imei2.strip())
        if not serial.sn_code.strip() and (is_due or has_imei):
            yield _stop(f"{path}.serial.sn_code", 606060)


def imeis_are_sound_and_differ(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, imei1 and imei2: 15 digits, the last one checks; 268545012."""
    for path, serial in _serials(draft):
        if serial.imei1.strip() and not _is_imei(serial.imei1):
            yield _stop(f"{path}.imei1", 268545012)
        is_same = serial.imei1.strip() == serial.imei2.strip()
        if serial.imei2.strip() and (is_same or not _is_imei(serial.imei2)):
            yield _stop(f"{path}.imei2", 268545012)


def sn_once_per_shipment(draft: Draft, facts: OrderFacts) -> Problems:
    """One device cannot be in two packages; 268545011."""
    numbers = ((f"{path}.sn_code", serial.sn_code) for path, serial in _serials(draft))
    yield from (_stop(path, 268545011, sn_code=number) for path, number in _repeated(numbers))


def sn_belongs_to_no_other_order(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 268545011."""
    used = {normalise(number): other for number, other in facts.serials_used.items() if number}
    for path, serial in _serials(draft):
        if (number := normalise(serial.sn_code)) in used:
            yield _stop(f"{path}.sn_code", 268545011, sn_code=number, other=used[number])


@when_read
def subsidy_package_has_one_sku(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 268545006: warns where that answer was met before."""
    for path, package in _packages(draft):
        is_met = any((268545006, *pair) in facts.met_before for pair in _pairs(package))
        if facts.is_subsidy and len(_pairs(package)) > 1 and is_met:
            yield _warn(f"{path}.items", 268545006)


def courier_may_carry_the_subsidy(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606061: the couriers allowed are not published, only an answer met before tells."""
    for path, package in _sent_as(EXPRESS, draft):
        code = package.delivery_id
        if any((606061, product_id, code) in facts.met_before for product_id, _ in _pairs(package)):
            yield _warn(f"{path}.delivery_id", 606061, delivery_id=code)


def order_was_read(draft: Draft, facts: OrderFacts) -> Problems:
    """HOUSE.md section 3: a fact never read warns."""
    if not facts.is_read:
        yield _warn(ORDER, slug="facts_never_read")


@when_read
def order_waits_for_shipment(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 1.4; 109001, 101100. Paid, 10 may be a lag; an unknown number is the platform's to judge."""
    status: int | str = "" if facts.status is None else facts.status
    if status in ALL_SHIPPED:
        yield _stop(ORDER, 109001, status=status)
    elif status in NOT_SHIPPABLE or (status == AWAITS_PAYMENT and not facts.is_paid):
        yield _stop(ORDER, 101100, status=status)
    elif status == AWAITS_PAYMENT:
        yield _warn(ORDER, 101100, status=status)
    elif status not in SHIPPABLE:
        yield _warn(ORDER, slug="order_status_unknown", status=status)


@when_read
def order_has_nothing_pending(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 108009, 10020115, 10020276: aftersale, address and sku changes are answered first."""
    if facts.on_aftersale > 0:
        yield _stop(ORDER, 108009, on_aftersale=facts.on_aftersale)
    if facts.address_under_review:
        yield _stop(ORDER, 10020115)
    if facts.sku_change_waiting:
        yield _stop(ORDER, 10020276)


def merchant_has_a_return_address(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606003."""
    if facts.has_return_address is False:
        yield _stop(ORDER, 606003)
    elif facts.has_return_address is None and facts.is_read:
        yield _warn(ORDER, slug="return_address_never_read")


@when_read
def inspected_goods_have_passed(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606034 and 606045; the numbers are store-api 1.7's, from one SDK, so they warn."""
    kind, status = facts.quality_inspect_type, facts.inspect_status
    if kind == JEWELLERY and status not in JEWELLERY_ON_ITS_WAY:
        yield _warn(ORDER, 606034)
    if kind == FRESH_FOOD and status not in FRESH_FOOD_PASSED:
        yield _warn(ORDER, 606045)


@when_read
def order_is_free_to_ship_ourselves(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606046, 606049, 109205: the fields behind these are unsure, so they warn."""
    marks = ((606046, facts.needs_ewaybill), (606049, facts.has_risk), (109205, facts.has_online_waybill))
    yield from (_warn(ORDER, errcode) for errcode, is_set in marks if is_set)


RULES: tuple[Rule, ...] = (
    order_was_read, order_waits_for_shipment, order_has_nothing_pending, merchant_has_a_return_address,
    inspected_goods_have_passed, order_is_free_to_ship_ourselves,
    shipment_names_order_and_packages, numbers_are_numbers, counts_are_at_least_one,
    delivery_type_is_known, delivery_type_fits_the_order, express_names_its_courier,
    courier_is_on_the_merchants_list, express_names_its_waybill, waybill_looks_usual,
    waybill_once_per_shipment, waybill_is_new_to_the_order, virtual_carries_no_waybill,
    package_holds_products, products_belong_to_the_order, counts_fit_what_is_left, virtual_ships_whole,
    course_package_has_one_sku, course_path_is_complete, course_ends_after_it_starts,
    course_goods_are_a_course, subsidy_package_has_sn, imeis_are_sound_and_differ, sn_once_per_shipment,
    sn_belongs_to_no_other_order, subsidy_package_has_one_sku, courier_may_carry_the_subsidy,
)  # fmt: skip


def _packages(draft: Draft) -> Packages:
    return ((f"packages[{n}]", package) for n, package in enumerate(draft.packages))


def _sent_as(kind: int, draft: Draft) -> Packages:
    return ((path, package) for path, package in _packages(draft) if package.deliver_type == kind)


def _items(draft: Draft) -> Iterator[tuple[str, Item]]:
    for path, package in _packages(draft):
        yield from ((f"{path}.items[{n}]", item) for n, item in enumerate(package.items or ()))


def _courses(draft: Draft) -> Iterator[tuple[str, PackageDraft, CourseDraft]]:
    return ((f"{path}.course", p, p.course) for path, p in _packages(draft) if p.course is not None)


def _serials(draft: Draft) -> Iterator[tuple[str, SerialDraft]]:
    return ((f"{path}.serial", p.serial) for path, p in _packages(draft) if p.serial is not None)


def _pairs(package: PackageDraft) -> set[Pair]:
    return {item.pair for item in package.items or ()}


def _asked(packages: Iterable[PackageDraft]) -> Counter[Pair]:
    asked = Counter[Pair]()
    for item in (item for package in packages for item in package.items or ()):
        asked[item.pair] += max(0, item.count)
    return asked


def _repeated(numbers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen = Counter[str]()
    for path, number in ((path, normalise(text)) for path, text in numbers):
        seen[number] += 1
        if number and seen[number] > 1:
            yield path, number


def _is_imei(number: str) -> bool:
    return len(number) == 15 and number.isascii() and number.isdigit() and bool(imei.is_valid(number))


def _stop(path: str, errcode: int | None = None, slug: str = "", **params: str | int) -> Problem:
    return Problem(path, errcode, slug, True, params)


def _warn(path: str, errcode: int | None = None, slug: str = "", **params: str | int) -> Problem:
    return Problem(path, errcode, slug, False, params)
