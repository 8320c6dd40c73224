"""What is inside: products of the order, and no more of them than are left."""

from collections import Counter

from shipping.drafts import VIRTUAL, Draft, OrderFacts, Pair

from .reading import Problems, as_far_as_known, asked_for, items, packages, sent_as, stop, warn


def package_holds_products(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, product_infos is required; 109002."""
    yield from (stop(f"{path}.items", 109002) for path, package in packages(draft) if not package.items)


def products_belong_to_the_order(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 2, product_id and sku_id are required; 606031. What it holds is known once read or entered."""
    for path, item in items(draft):
        is_named = bool(item.product_id.strip() and item.sku_id.strip())
        is_strange = bool(facts.has_goods or facts.is_entered) and facts.find(item.pair) is None
        if not is_named or is_strange:
            tell = warn if is_named and facts.is_entered else stop
            yield tell(f"{path}.product_id", 606031, product_id=item.product_id, sku_id=item.sku_id)


@as_far_as_known
def counts_fit_what_is_left(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 4 and 109000: over all packages; named at the item that passes what is left.

    store-api 1.6: on a line partly shipped, the refunded pieces may be the shipped ones: that warns.
    """
    asked, so_far = asked_for(draft.packages), Counter[Pair]()
    for path, item in items(draft):
        goods, before = facts.find(item.pair), so_far[item.pair]
        so_far[item.pair] += max(0, item.count)
        if goods and before <= goods.left < so_far[item.pair]:
            count = asked[item.pair]
            tell = warn if goods.shipped > 0 and count <= goods.ordered - goods.taken else stop
            yield tell(f"{path}.product_cnt", 109000, left=goods.left, asked=count, title=goods.title)


@as_far_as_known
def virtual_ships_whole(draft: Draft, facts: OrderFacts) -> Problems:
    """Section 4, 606051: counted over the whole call. A deliver_method never read warns."""
    virtual = list(sent_as(VIRTUAL, draft))
    asked = asked_for(package for _, package in virtual)
    short = next((goods for goods in facts.goods if asked[goods.pair] < goods.left), None)
    if virtual and short and facts.deliver_method != 0:
        tell, path = warn if facts.deliver_method is None else stop, f"{virtual[0][0]}.items"
        yield tell(path, 606051, left=short.left, asked=asked[short.pair], title=short.title)
