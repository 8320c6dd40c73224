"""What a file wants against what is already under way: our packages, and parcels that the platform shows."""

from collections import Counter
from collections.abc import Sequence

from wechat.waybills import normalise, same_courier

from .drafts import EXPRESS, VIRTUAL, OrderFacts, PackageDraft, Pair
from .models import Package, Parcel
from .queries import goods_of
from .sheets import SheetPackage, as_written, is_virtual


class Known:
    """The packages of an order that we, or the platform, already hold."""

    def __init__(self, ours: Sequence[Package], parcels: Sequence[Parcel], facts: OrderFacts) -> None:
        self.ours, self.parcels, self.facts = ours, parcels, facts

    def find(self, package: SheetPackage) -> Package | PackageDraft | None:
        """Our package, or the platform's parcel, that is this one with the same goods."""
        draft = as_written(package, self.facts)
        virtual = is_virtual(package, self.facts)
        ours = next((held for held in self.ours if _same(held, draft, virtual)), None)
        return ours or (None if virtual else self._on_platform(draft))

    def _on_platform(self, draft: PackageDraft) -> PackageDraft | None:
        waybill, held = normalise(draft.waybill_id), Counter[Pair]()
        shown = [parcel for parcel in self.parcels if waybill and normalise(parcel.waybill_id) == waybill]
        for parcel in shown:
            for product_id, sku_id, count in parcel.items:
                held[(product_id, sku_id)] += count
        if not shown or (held and not _same_goods(held, draft)):
            return None
        return PackageDraft(shown[0].deliver_type or EXPRESS, shown[0].delivery_id, waybill)


def _same(held: Package, draft: PackageDraft, virtual: bool) -> bool:
    if virtual:
        return held.deliver_type == VIRTUAL and _same_goods(_goods(held), draft)
    same_waybill = held.waybill_id == normalise(draft.waybill_id) and held.waybill_id != ""
    is_courier = not draft.delivery_id or same_courier(held.delivery_id, draft.delivery_id)
    return same_waybill and is_courier and _same_goods(_goods(held), draft)


def _goods(package: Package) -> Counter[Pair]:
    wanted: Counter[Pair] = Counter()
    for item in goods_of(package):
        wanted[item.pair] += item.count
    return wanted


def _same_goods(held: Counter[Pair], draft: PackageDraft) -> bool:
    """Blank goods match anything; a blank count matches whatever count of that sku is held."""
    if draft.items is None:
        return True
    is_open = {item.pair for item in draft.items if item.product_cnt is None}
    asked = Counter[Pair]()
    for item in draft.items:
        asked[item.pair] += item.count
    same_counts = all(held[pair] == asked[pair] for pair in asked if pair not in is_open)
    return set(held) == set(asked) and same_counts
