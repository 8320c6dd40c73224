"""What the body may hold at all: required members and numbers."""

from collections.abc import Iterator

from shipping.drafts import Draft, OrderFacts
from wechat.waybills import normalise

from .reading import ORDER, Problems, courses, items, packages, serials, stop

# Characters, and numbers either side of 0, that our columns hold; nothing of the platform's comes near.
LONGEST_ID, LONGEST_SN, LONGEST_IMEI, LONGEST_PATH = 64, 120, 20, 1000
LARGEST, LARGEST_TIME = 2**31 - 1, 2**63 - 1


def shipment_names_order_and_packages(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, order_id and delivery_list are required; 40097."""
    if not draft.packages or not (draft.order_id.isascii() and draft.order_id.isdigit()):
        yield stop(ORDER, 40097)


def numbers_are_numbers(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, type number; 47001. The course times are optional."""
    required = [(f"{path}.deliver_type", package.deliver_type) for path, package in packages(draft)]
    required += [(f"{path}.product_cnt", item.product_cnt) for path, item in items(draft)]
    yield from (stop(path, 47001) for path, number in required if not isinstance(number, int))
    for path, _, course in courses(draft):
        times = (("start_time", course.start_time), ("end_time", course.end_time))
        yield from (stop(f"{path}.{field}", 47001) for field, time in times if isinstance(time, str))


def counts_are_at_least_one(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, product_cnt; 40097."""
    for path, item in items(draft):
        if isinstance(item.product_cnt, int) and item.product_cnt < 1:
            yield stop(f"{path}.product_cnt", 40097)


def texts_can_be_kept(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: a text is kept whole or refused, never cut."""
    for path, text, most in (*_of_packages(draft), *_of_extras(draft)):
        if len(text) > most:
            yield stop(path, slug="too_long", length=len(text), most=most)


def _of_packages(draft: Draft) -> Iterator[tuple[str, str, int]]:
    for path, package in packages(draft):
        yield f"{path}.delivery_id", package.delivery_id, LONGEST_ID
        yield f"{path}.waybill_id", normalise(package.waybill_id), LONGEST_ID


def _of_extras(draft: Draft) -> Iterator[tuple[str, str, int]]:
    for path, serial in serials(draft):
        yield f"{path}.sn_code", serial.sn_code, LONGEST_SN
        yield f"{path}.imei1", serial.imei1, LONGEST_IMEI
        yield f"{path}.imei2", serial.imei2, LONGEST_IMEI
    for path, _, course in courses(draft):
        yield f"{path}.wxa_appid", course.wxa_appid, LONGEST_ID
        yield f"{path}.wxa_path", course.wxa_path, LONGEST_PATH


def numbers_can_be_kept(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: a number beyond all counts and times; 40097."""
    numbers = [(f"{path}.product_cnt", item.product_cnt, LARGEST) for path, item in items(draft)]
    for path, _, course in courses(draft):
        times = (("start_time", course.start_time), ("end_time", course.end_time))
        numbers += [(f"{path}.{name}", time, LARGEST_TIME) for name, time in times]
    for path, number, most in numbers:
        if isinstance(number, int) and abs(number) > most:
            yield stop(path, 40097)
