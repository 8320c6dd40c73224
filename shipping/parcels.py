"""Which parcel is whose: what has left of an order, what was renamed since, what went a second time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from wechat.waybills import normalise

from . import states
from .drafts import COMPENSATION, CORRECTION, CORRECTIONS, SEND, VIRTUAL, After, Pair, Shown
from .models import Package, Parcel

# How order/get shows what the compensation call entered (store-api 2.1).
SENT_AGAIN = 6

Renames = Mapping[str, Collection[str]]


def renames(packages: Iterable[Package]) -> Renames:
    """Old number -> those it was, or is being, corrected to."""
    found: dict[str, set[str]] = defaultdict(set)
    for package in packages:
        if package.kind == CORRECTION and package.status in states.HOLDS_GOODS:
            found[normalise(package.old_waybill_id)].add(package.waybill_id)
    return found


def known_as(number: str, corrected: Renames) -> set[str]:
    """Every number a parcel may be shown under."""
    names, new = {number}, [number]
    while new:
        new = [name for name in corrected.get(new.pop(), ()) if name not in names] + new
        names.update(new)
    return names


def numbers_sent_again(packages: Iterable[Package], corrected: Renames) -> set[str]:
    again = (p for p in packages if p.kind == COMPENSATION and p.status in states.HOLDS_GOODS)
    return {name for package in again for name in known_as(package.waybill_id, corrected)}


def sent_parcels(parcels: Iterable[Parcel], packages: Collection[Package]) -> list[Parcel]:
    """The parcels that took something of what was ordered; what was sent again did not."""
    again = numbers_sent_again(packages, renames(packages))
    numbered = ((parcel, normalise(parcel.waybill_id)) for parcel in parcels)
    return [p for p, number in numbered if p.deliver_type != SENT_AGAIN and number not in again]


def taken(
    parcels: Collection[Parcel], ours: Collection[Package], *, only_gone: bool = False
) -> dict[Pair, int]:
    """Pieces gone or on their way; a package of ours that a parcel already shows is counted once.

    `only_gone`: without what we only mean to send.
    """
    pieces: dict[Pair, int] = defaultdict(int)
    sent = sent_parcels(parcels, ours)
    for parcel in sent:
        for product_id, sku_id, count in parcel.items:
            pieces[(product_id, sku_id)] += count
    for package in _not_shown(sent, ours):
        if package.status == states.SHIPPED or not only_gone:
            for item in package.all_items:
                pieces[(item.product_id, item.sku_id)] += item.product_cnt
    return pieces


def _not_shown(parcels: Iterable[Parcel], ours: Collection[Package]) -> list[Package]:
    shown = {normalise(parcel.waybill_id) for parcel in parcels if parcel.waybill_id}
    is_virtual_shown = any(parcel.deliver_type == VIRTUAL for parcel in parcels)
    corrected = renames(ours)
    sends = [package for package in ours if package.kind == SEND]
    by_courier = [
        p for p in sends if p.deliver_type != VIRTUAL and not known_as(p.waybill_id, corrected) & shown
    ]
    return by_courier + [p for p in sends if p.deliver_type == VIRTUAL and not is_virtual_shown]


def current_parcel(package: Package, packages: Iterable[Package]) -> Package:
    """The row with the courier and number a parcel of ours has now: the last correction of it, or itself."""
    done = sorted((p for p in packages if _is_done(p, CORRECTION)), key=lambda p: p.pk)
    for correction in done:
        if normalise(correction.old_waybill_id) == package.waybill_id:
            package = correction
    return package


def numbers_in_use(ours: Collection[Package]) -> set[str]:
    """The numbers our parcels have now, and those they may be getting; what was put right is free again."""
    now = {current_parcel(package, ours).waybill_id for package in ours if package.kind != CORRECTION}
    coming = {p.waybill_id for p in ours if p.kind == CORRECTION and p.status != states.SHIPPED}
    return (now | coming) - {""}


def _is_done(package: Package, kind: str) -> bool:
    return package.kind == kind and package.status == states.SHIPPED


def after_facts(parcels: Iterable[Parcel], ours: Collection[Package], *, is_closed: bool) -> After:
    """What the rules of a correction and of a parcel sent again ask about; `ours`: what counts."""
    calls = {p.shipment_id for p in ours if _is_done(p, CORRECTION)}
    again = {p.shipment_id for p in ours if p.kind == COMPENSATION}
    return After(tuple(_shown(parcel) for parcel in parcels), len(calls), is_closed, len(again))


def _shown(parcel: Parcel) -> Shown:
    items = tuple((str(product), str(sku), int(count)) for product, sku, count in parcel.items)
    return Shown(parcel.delivery_id, parcel.waybill_id, parcel.deliver_type, items)


def corrections_left(after: After) -> int:
    """At most so many; none once WeChat has refused another one (606041), as its older page makes it."""
    is_over = after.is_closed and after.corrections
    return 0 if is_over else max(0, CORRECTIONS - after.corrections)
