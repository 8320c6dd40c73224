"""What the body may hold at all: required members and numbers."""

from shipping.drafts import Draft, OrderFacts

from .reading import ORDER, Problems, courses, items, packages, stop


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
