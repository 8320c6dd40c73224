"""How a package travels: its deliver_type, its courier, its waybill."""

from collections.abc import Mapping

from shipping.drafts import EXPRESS, VIRTUAL, Draft, OrderFacts, Problem
from wechat.waybills import fits, is_clean, normalise, same_courier

from .reading import Problems, packages, repeated, sent_as, stop, warn, when_read

OTHER_COURIER = "OTHER"
TYPE_OF_METHOD: dict[int | None, int] = {0: EXPRESS, 1: VIRTUAL}
USUAL_WAYBILL_LENGTH = range(6, 33)


def delivery_type_is_known(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, deliver_type is 1 or 3; 606008."""
    for path, package in packages(draft):
        if isinstance(package.deliver_type, int) and package.deliver_type not in (EXPRESS, VIRTUAL):
            yield stop(f"{path}.deliver_type", 606008)


@when_read
def delivery_type_fits_the_order(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, deliver_type against deliver_method; 606008. A method the document does not know warns."""
    method, needed = facts.deliver_method, TYPE_OF_METHOD.get(facts.deliver_method)
    for path, package in packages(draft):
        is_of_two = package.deliver_type in (EXPRESS, VIRTUAL)
        if is_of_two and needed is not None and package.deliver_type != needed:
            yield stop(f"{path}.deliver_type", 606008)
        elif is_of_two and needed is None and method is not None:
            yield warn(f"{path}.deliver_type", 606008, method=method)


@when_read
def virtual_is_for_virtual_orders(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2: only deliver_method 1 takes deliver_type 3; 606008. A method never read warns.

    By courier it does not: what is absent on the wire often stands for 0 (store-api 6), an ordinary order.
    """
    if facts.deliver_method is None:
        sent = (f"{path}.deliver_type" for path, _ in sent_as(VIRTUAL, draft))
        yield from (warn(path, slug="deliver_method_never_read") for path in sent)


def express_names_its_courier(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, delivery_id is required for deliver_type 1; 606004."""
    named = ((f"{path}.delivery_id", package.delivery_id) for path, package in sent_as(EXPRESS, draft))
    yield from (stop(path, 606004) for path, code in named if not code.strip())


def courier_is_on_the_merchants_list(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, delivery_id is from the company list or OTHER; 606004. A list never read warns once.

    store-api 5.1: whether an old code (the document's own YD) is still taken is not known, so it warns.
    """
    named = [(f"{path}.delivery_id", package.delivery_id) for path, package in sent_as(EXPRESS, draft)]
    listed = [(path, code) for path, code in named if code.strip() and code != OTHER_COURIER]
    if facts.couriers is None:
        yield from (warn(path, slug="couriers_never_read") for path, _ in listed[:1])
    else:
        unlisted = [(path, code) for path, code in listed if code not in facts.couriers]
        yield from (_not_listed(path, code, facts.couriers) for path, code in unlisted)


def _not_listed(path: str, code: str, couriers: Mapping[str, str]) -> Problem:
    today = next((listed for listed in couriers if same_courier(code, listed)), None)
    if today is None:
        return stop(path, 606004, delivery_id=code)
    return warn(path, slug="courier_code_is_old", delivery_id=code, other=today)


def express_names_its_waybill(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, waybill_id is required for deliver_type 1; 606005."""
    for path, package in sent_as(EXPRESS, draft):
        if not is_clean(package.waybill_id):
            yield stop(f"{path}.waybill_id", 606005)


def waybill_looks_usual(draft: Draft, facts: OrderFacts) -> Problems:
    """Guesses: our own at the length, 606005; a public one at the courier's pattern, 6060479."""
    for path, package in sent_as(EXPRESS, draft):
        number, courier = package.waybill_id, package.delivery_id
        if is_clean(number) and len(number) not in USUAL_WAYBILL_LENGTH:
            yield warn(f"{path}.waybill_id", 606005, length=len(number))
        if is_clean(number) and fits(courier, number) is False:
            yield warn(f"{path}.waybill_id", 6060479, delivery_id=courier)


def waybill_once_per_shipment(draft: Draft, facts: OrderFacts) -> Problems:
    """Two packages cannot share a number; 109000."""
    waybills = ((f"{path}.waybill_id", package.waybill_id) for path, package in sent_as(EXPRESS, draft))
    yield from (stop(path, 109000, waybill_id=number) for path, number in repeated(waybills))


def waybill_is_new_to_the_order(draft: Draft, facts: OrderFacts) -> Problems:
    """HOUSE.md section 5: our parcel is matched by its waybill within the order, so it has its own."""
    used = {normalise(number) for number in facts.waybills_used} - {""}
    for path, package in sent_as(EXPRESS, draft):
        own = {normalise(package.old[1])} if package.old else set()
        if (number := normalise(package.waybill_id)) in used - own:
            yield stop(f"{path}.waybill_id", slug="waybill_already_on_order", waybill_id=number)


def waybill_goes_to_one_buyer(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: one parcel may carry several orders, but of one buyer at one address."""
    for path, package in sent_as(EXPRESS, draft):
        if other := facts.waybills_elsewhere.get(normalise(package.waybill_id)):
            yield warn(f"{path}.waybill_id", slug="waybill_of_another_buyer", other=other)


def virtual_carries_no_waybill(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.1: with deliver_type 3 waybill_id and delivery_id are left out of the body."""
    for path, package in sent_as(VIRTUAL, draft):
        if package.waybill_id.strip() or package.delivery_id.strip():
            field = "waybill_id" if package.waybill_id.strip() else "delivery_id"
            yield warn(f"{path}.{field}", slug="waybill_not_sent")
