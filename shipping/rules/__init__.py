"""The delivery rules: what may be sent. Pure functions; no Django, no clock, no text.

A rule is a generator named as the sentence that must hold; it yields a Problem where it does not. What
senddelivery.md decides stops; a public guess, or a fact never read, only warns. Facts of an order that was
not read say nothing (`when_read`); what we know ourselves (couriers, numbers used, answers met) still does.
`check` expects a draft after `drafts.fill_blanks`. Sections are senddelivery.md's unless named otherwise.
"""

from collections.abc import Iterable

from shipping.drafts import COMPENSATION, CORRECTION, SEND, Draft, OrderFacts, Problem

from .after import (
    corrected_order_is_not_over,
    corrected_parcel_is_shown,
    correction_changes_something,
    corrections_are_left,
    resend_says_why,
    resends_are_left,
    resent_goods_have_left,
    resent_order_has_left,
)
from .body import (
    counts_are_at_least_one,
    numbers_are_numbers,
    numbers_can_be_kept,
    shipment_names_order_and_packages,
    texts_can_be_kept,
)
from .extras import (
    courier_may_carry_the_subsidy,
    course_ends_after_it_starts,
    course_goods_are_a_course,
    course_package_has_one_sku,
    course_path_is_complete,
    device_belongs_to_no_other_order,
    imeis_are_sound_and_differ,
    sn_once_per_shipment,
    subsidy_package_has_one_sku,
    subsidy_package_has_sn,
)
from .goods import (
    counts_fit_what_is_left,
    package_holds_products,
    products_belong_to_the_order,
    virtual_ships_whole,
)
from .order import (
    ALL_SHIPPED,
    AWAITS_PAYMENT,
    NOT_SHIPPABLE,
    inspected_goods_have_passed,
    merchant_has_a_return_address,
    merchant_is_not_paused,
    nothing_changed_since_noted,
    order_has_nothing_pending,
    order_is_free_to_ship_ourselves,
    order_is_not_held,
    order_waits_for_shipment,
    order_was_read,
)
from .reading import Problems, Rule
from .travel import (
    TYPE_OF_METHOD,
    courier_is_on_the_merchants_list,
    delivery_type_fits_the_order,
    delivery_type_is_known,
    express_names_its_courier,
    express_names_its_waybill,
    virtual_carries_no_waybill,
    virtual_is_for_virtual_orders,
    waybill_goes_to_one_buyer,
    waybill_is_new_to_the_order,
    waybill_looks_usual,
    waybill_once_per_shipment,
)

__all__ = ["PREFLIGHT", "RULES", "TYPE_OF_METHOD", "Problems", "check", "preflight", "stops"]

RULES: tuple[Rule, ...] = (
    order_was_read, order_is_not_held, nothing_changed_since_noted, order_waits_for_shipment,
    order_has_nothing_pending, merchant_has_a_return_address, merchant_is_not_paused,
    inspected_goods_have_passed, order_is_free_to_ship_ourselves,
    shipment_names_order_and_packages, numbers_are_numbers, counts_are_at_least_one,
    texts_can_be_kept, numbers_can_be_kept,
    delivery_type_is_known, delivery_type_fits_the_order, virtual_is_for_virtual_orders,
    express_names_its_courier,
    courier_is_on_the_merchants_list, express_names_its_waybill, waybill_looks_usual,
    waybill_once_per_shipment, waybill_is_new_to_the_order, waybill_goes_to_one_buyer,
    virtual_carries_no_waybill,
    package_holds_products, products_belong_to_the_order, counts_fit_what_is_left, virtual_ships_whole,
    course_package_has_one_sku, course_path_is_complete, course_ends_after_it_starts,
    course_goods_are_a_course, subsidy_package_has_sn, imeis_are_sound_and_differ, sn_once_per_shipment,
    device_belongs_to_no_other_order, subsidy_package_has_one_sku, courier_may_carry_the_subsidy,
)  # fmt: skip

# What the order and its store say by themselves, before anything is filled in.
PREFLIGHT: tuple[Rule, ...] = (
    order_was_read, order_waits_for_shipment, order_has_nothing_pending, order_is_free_to_ship_ourselves,
    inspected_goods_have_passed, merchant_has_a_return_address, merchant_is_not_paused,
)  # fmt: skip


def preflight(facts: OrderFacts) -> list[Problem]:
    """What would stop any shipment of this order now; of one that waits for none only what is pending."""
    is_unpaid = facts.status == AWAITS_PAYMENT and not facts.is_paid
    is_over = is_unpaid or facts.status in ALL_SHIPPED | NOT_SHIPPABLE
    nothing = Draft(facts.order_id, ())
    rules = (order_has_nothing_pending,) if is_over else PREFLIGHT
    return [problem for rule in rules for problem in rule(nothing, facts)]


COURIER_AND_NUMBER: tuple[Rule, ...] = (
    shipment_names_order_and_packages, numbers_are_numbers, counts_are_at_least_one,
    texts_can_be_kept, numbers_can_be_kept,
    express_names_its_courier, courier_is_on_the_merchants_list, express_names_its_waybill,
    waybill_looks_usual, waybill_once_per_shipment, waybill_is_new_to_the_order, waybill_goes_to_one_buyer,
)  # fmt: skip
CORRECTION_RULES: tuple[Rule, ...] = (
    order_was_read, corrected_order_is_not_over, corrections_are_left, corrected_parcel_is_shown,
    correction_changes_something, *COURIER_AND_NUMBER,
)  # fmt: skip
COMPENSATION_RULES: tuple[Rule, ...] = (
    order_was_read, order_is_not_held, resent_order_has_left, resends_are_left, resend_says_why,
    delivery_type_is_known, delivery_type_fits_the_order, *COURIER_AND_NUMBER,
    package_holds_products, products_belong_to_the_order, resent_goods_have_left,
)  # fmt: skip
RULES_OF: dict[str, tuple[Rule, ...]] = {
    SEND: RULES, CORRECTION: CORRECTION_RULES, COMPENSATION: COMPENSATION_RULES,
}  # fmt: skip


def check(draft: Draft, facts: OrderFacts) -> list[Problem]:
    """Everything wrong with the draft, in the order of the rules of its kind."""
    return [problem for rule in RULES_OF[draft.kind] for problem in rule(draft, facts)]


def stops(problems: Iterable[Problem]) -> bool:
    return any(problem.stops for problem in problems)
