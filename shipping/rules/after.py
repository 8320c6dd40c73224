"""After shipping: a number put right, a parcel sent a second time (store-api 2.4, 2.5)."""

from shipping.drafts import COMPENSATIONS, CORRECTIONS, REASONS, Draft, OrderFacts, Shown
from wechat.waybills import normalise, same_courier

from .reading import ORDER, Problems, asked_for, items, packages, stop, warn, when_read

CORRECTABLE, LEFT, OVER = {21, 30}, {21, 30, 100}, {5, 10, 12, 13, 20, 190, 200, 250}
DONE = 100


@when_read
def corrected_order_is_not_over(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.4: while the order is not finished; 101100. An unknown number is WeChat's to judge."""
    if facts.status == DONE or facts.status in OVER:
        yield stop(ORDER, slug="order_not_correctable")
    elif facts.status not in CORRECTABLE:
        yield warn(ORDER, slug="order_status_unknown", status="" if facts.status is None else facts.status)


def corrections_are_left(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.4: three times by the newer page, once by the older; 606041."""
    made = facts.after.corrections
    if made >= CORRECTIONS or (made and facts.after.is_closed):
        yield stop(ORDER, 606041)
    elif made:
        yield warn(ORDER, slug="corrected_before", asked=made)


@when_read
def corrected_parcel_is_shown(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.4: `old` must match what is stored; 606042."""
    for _, package in packages(draft):
        if package.old and find(facts, package.old) is None:
            yield stop(ORDER, slug="parcel_not_on_order", waybill_id=package.old[1])


def find(facts: OrderFacts, old: tuple[str, str]) -> Shown | None:
    """The parcel of this number; another code of the same courier is still that courier."""
    courier, number = old[0], normalise(old[1])
    named = (shown for shown in facts.after.parcels if normalise(shown.waybill_id) == number)
    return next((shown for shown in named if same_courier(shown.delivery_id, courier)), None)


def correction_changes_something(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: corrections are few, so none is spent on what is right."""
    for path, package in packages(draft):
        courier, number = package.old or ("", "")
        is_same = normalise(number) == normalise(package.waybill_id)
        if is_same and same_courier(courier, package.delivery_id):
            yield stop(f"{path}.waybill_id", slug="nothing_corrected")


def resend_says_why(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.5, reason is 1 to 4."""
    if draft.reason not in REASONS:
        yield stop(ORDER, slug="resend_reason_missing")


@when_read
def resent_order_has_left(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.5: only after shipping."""
    if facts.status in OVER:
        yield stop(ORDER, slug="nothing_left_yet")
    elif facts.status not in LEFT:
        yield warn(ORDER, slug="order_status_unknown", status="" if facts.status is None else facts.status)


def resends_are_left(draft: Draft, facts: OrderFacts) -> Problems:
    """store-api 2.5: at most ten of an order."""
    if facts.after.resends >= COMPENSATIONS:
        yield stop(ORDER, slug="resends_used_up")


@when_read
def resent_goods_have_left(draft: Draft, facts: OrderFacts) -> Problems:
    """Our own: more pieces than ever left is likely a slip of the finger; a gift may be so."""
    asked = asked_for(draft.packages)
    for path, item in items(draft):
        goods = facts.find(item.pair)
        if goods and asked[item.pair] > goods.shipped:
            count = asked[item.pair]
            where = f"{path}.product_cnt"
            yield warn(where, slug="more_than_shipped", left=goods.shipped, asked=count, title=goods.title)
