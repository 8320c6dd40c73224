"""Is our parcel in what the platform shows? The only proof that a call was accepted."""

from collections import Counter
from enum import StrEnum

from shipping.drafts import VIRTUAL, Pair
from shipping.models import Order, Package
from shipping.parcels import sent_parcels
from wechat.waybills import normalise, same_courier

SHIPPED_STATUSES = (30, 100)
CLOSED_STATUSES = (190, 200, 250)


class Match(StrEnum):
    OURS = "ours"
    ABSENT = "absent"
    OTHER_GOODS = "other_goods"


def goods(package: Package) -> Counter[Pair]:
    wanted: Counter[Pair] = Counter()
    for item in package.items.all():
        wanted[(item.product_id, item.sku_id)] += item.product_cnt
    return wanted


def match(order: Order, package: Package) -> Match:
    """Match by waybill within the order, whatever the courier; virtual goods by status or a type 3 entry."""
    return _virtual(order, package) if package.deliver_type == VIRTUAL else _express(order, package)


def _express(order: Order, package: Package) -> Match:
    shown = [p for p in order.parcels.all() if normalise(p.waybill_id) == package.waybill_id]
    if package.waybill_id == normalise(package.old_waybill_id):
        # Only the courier was put right: the number alone proves nothing.
        shown = [p for p in shown if same_courier(p.delivery_id, package.delivery_id)]
    if not shown:
        return Match.ABSENT
    found = _count(shown)
    return Match.OURS if not found or found == goods(package) else Match.OTHER_GOODS


def _virtual(order: Order, package: Package) -> Match:
    entries = [p for p in order.parcels.all() if p.deliver_type == VIRTUAL]
    found = _count(entries)
    covered = bool(entries) and (not found or goods(package) <= found)
    return Match.OURS if covered or order.status in SHIPPED_STATUSES else Match.ABSENT


def is_old_shown(order: Order, package: Package) -> bool:
    """Whether the parcel a correction is about still has its old courier and number."""
    number = normalise(package.old_waybill_id)
    same = (p for p in order.parcels.all() if normalise(p.waybill_id) == number)
    return any(same_courier(p.delivery_id, package.old_delivery_id) for p in same)


def are_goods_gone(order: Order, package: Package) -> bool:
    """Whether the parcels shown, none of them this one, leave too few pieces for it."""
    left: Counter[Pair] = Counter()
    for line in order.lines.all():
        left[(line.product_id, line.sku_id)] += line.sku_cnt
    left.subtract(_count(sent_parcels(order.parcels.all(), order.packages.all())))
    return any(left[pair] < count for pair, count in goods(package).items())


def _count(parcels: list) -> Counter[Pair]:  # type: ignore[type-arg]
    found: Counter[Pair] = Counter()
    for parcel in parcels:
        for product_id, sku_id, count in parcel.items:
            found[(product_id, sku_id)] += count
    return found
