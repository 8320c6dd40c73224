"""The order itself: whether it may be shipped now. Every problem stands at `order`."""

from shipping.drafts import Draft, OrderFacts, Problem

from .reading import ORDER, Problems, stop, warn, when_read

SHIPPABLE, ALL_SHIPPED, NOT_SHIPPABLE = {20, 21}, {30, 100}, {5, 12, 13, 190, 200, 250}
AWAITS_PAYMENT = 10
JEWELLERY, FRESH_FOOD = 1, 2
JEWELLERY_ON_ITS_WAY, FRESH_FOOD_PASSED = {5, 6, 11}, {202}


def order_was_read(draft: Draft, facts: OrderFacts) -> Problems:
    """HOUSE.md section 3: a fact never read warns; so do lines that the answer left out."""
    if facts.is_entered:
        yield warn(ORDER, slug="order_entered")
    elif not facts.has_goods:
        yield warn(ORDER, slug="facts_never_read")


def order_is_not_held(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: an order that a member holds waits, whatever door it comes through."""
    if facts.held_reason is not None:
        yield stop(ORDER, slug="order_held", reason=facts.held_reason, who=facts.held_by)


@when_read
def nothing_changed_since_noted(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: a label printed for an old address, or goods since swapped, go on when a person confirms."""
    old = draft.noted or facts.noted
    if old.address_hash and facts.address_hash and old.address_hash != facts.address_hash:
        params = {"old": old.address, "new": facts.address, "at": facts.changed_at}
        known: dict[str, str | int] = {name: text for name, text in params.items() if text}
        yield Problem(ORDER, slug="address_changed", params=known)
    if old.goods and facts.goods and set(old.goods) != set(facts.noted.goods):
        yield stop(ORDER, slug="goods_changed")


@when_read
def order_waits_for_shipment(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 1.4; 109001, 101100. Paid, 10 may be a lag; an unknown number is the platform's to judge."""
    status: int | str = "" if facts.status is None else facts.status
    if status in ALL_SHIPPED:
        yield stop(ORDER, 109001, status=status)
    elif status in NOT_SHIPPABLE or (status == AWAITS_PAYMENT and not facts.is_paid):
        yield stop(ORDER, 101100, status=status)
    elif status == AWAITS_PAYMENT:
        yield warn(ORDER, 101100, status=status)
    elif status not in SHIPPABLE:
        yield warn(ORDER, slug="order_status_unknown", status=status)


@when_read
def order_has_nothing_pending(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 108009, 10020115, 10020276: aftersale, address and sku changes are answered first."""
    if facts.on_aftersale > 0:
        yield stop(ORDER, 108009, on_aftersale=facts.on_aftersale)
    if facts.address_under_review:
        yield stop(ORDER, 10020115)
    if facts.sku_change_waiting:
        yield stop(ORDER, 10020276)


def merchant_has_a_return_address(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606003."""
    if facts.has_return_address is False:
        yield stop(ORDER, 606003)
    elif facts.has_return_address is None and facts.is_read:
        yield warn(ORDER, slug="return_address_never_read")


def merchant_is_not_paused(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: what is shipped now waits in line. Only preflight says so; the worker holds back by itself."""
    if facts.is_paused:
        yield warn(ORDER, slug="merchant_paused")


@when_read
def inspected_goods_have_passed(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606034 and 606045; the numbers are store-api 1.7's, from one SDK, so they warn."""
    kind, status = facts.quality_inspect_type, facts.inspect_status
    if kind == JEWELLERY and status not in JEWELLERY_ON_ITS_WAY:
        yield warn(ORDER, 606034)
    if kind == FRESH_FOOD and status not in FRESH_FOOD_PASSED:
        yield warn(ORDER, 606045)


@when_read
def order_is_free_to_ship_ourselves(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 6, 606046, 606049, 109205: the fields behind these are unsure, so they warn."""
    marks = ((606046, facts.needs_ewaybill), (606049, facts.has_risk), (109205, facts.has_online_waybill))
    yield from (warn(ORDER, errcode) for errcode, is_set in marks if is_set)
