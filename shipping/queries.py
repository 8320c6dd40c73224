"""Every read a page, a door or the worker needs; `..._for(user, ...)` is the only way to a row."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Upper
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for
from wechat.orders import parse_order
from wechat.waybills import normalise

from . import states
from .drafts import SEND, CourseDraft, Goods, Item, OrderFacts, PackageDraft, Pair, SerialDraft
from .models import (
    Courier,
    Hold,
    Order,
    OrderBody,
    OrderLine,
    Package,
    Parcel,
    Printing,
    Serial,
    Shipment,
    StatusChange,
    Typed,
    Visit,
)
from .parcels import after_facts, taken

MET_BEFORE = (606037, 268545006)
EMPTY: Mapping[Pair, int] = {}


def orders_for(user: User) -> QuerySet[Order]:
    return Order.objects.filter(merchant__in=merchants_for(user)).select_related("merchant")


def order_for(user: User, order_id: str) -> Order:
    """The user's order with this platform id, or 404: a stranger's and a missing one read alike."""
    order = orders_for(user).filter(order_id=order_id).order_by("pk").first()
    if order is None:
        raise Http404
    return order


def packages_for(user: User) -> QuerySet[Package]:
    rows = Package.objects.filter(merchant__in=merchants_for(user)).select_related(
        "merchant", "order", "shipment__created_by", "attempt"
    )
    return rows.annotate(courier=courier_name(OuterRef("merchant")))


def courier_name(merchant: Any) -> Any:
    """The name in the merchant's list for a row's delivery_id, as a column."""
    listed = Courier.objects.filter(merchant=merchant, delivery_id=OuterRef("delivery_id"))
    return Subquery(listed.values("delivery_name")[:1])


def parcels_of(order: Order) -> QuerySet[Parcel]:
    """What the platform shows of an order, each parcel with its courier's name."""
    return order.parcels.annotate(courier=courier_name(OuterRef("order__merchant"))).order_by("pk")


def package_for(user: User, pk: int) -> Package:
    return get_object_or_404(packages_for(user), pk=pk)


def couriers_of(order: Order) -> dict[str, str] | None:
    """delivery_id -> name of the merchant's list, None when it was never read."""
    if order.merchant.couriers_read_at is None:
        return None
    rows = Courier.objects.filter(merchant=order.merchant, is_listed=True)
    return dict(rows.values_list("delivery_id", "delivery_name"))


def open_holds(order: Any) -> QuerySet[Hold]:
    """Holds in force: not released, their time not come."""
    in_force = Q(until=None) | Q(until__gt=timezone.now())
    return Hold.objects.filter(in_force, order=order, released_at=None).select_related("held_by")


def order_facts(
    order: Order,
    *,
    excluding: Shipment | None = None,
    waybills: Collection[str] = (),
    serials: Collection[str] = (),
) -> OrderFacts:
    """Everything the rules may know of an order; `excluding` leaves out the shipment being checked.

    `waybills` and `serials`: the draft's, looked for on other orders.
    """
    everything = list(order.packages.prefetch_related("items"))
    ours = _holding(everything, excluding)
    parcels = list(order.parcels.all())
    shown = {normalise(parcel.waybill_id) for parcel in parcels if parcel.waybill_id}
    hold = open_holds(order).first()
    return OrderFacts(
        order_id=order.order_id,
        held_reason=hold.reason if hold else None,
        held_by=str(hold.held_by or "") if hold else "",
        address_hash=order.address_hash,
        address=address_of(order),
        changed_at=f"{timezone.localtime(order.alarm_at):%H:%M}" if order.alarm_at else "",
        waybills_elsewhere=_elsewhere(order, waybills),
        is_read=order.read_at is not None,
        status=order.status,
        is_paid=order.paid_at is not None,
        deliver_method=order.deliver_method,
        goods=_goods(order, taken(parcels, ours), taken(parcels, ours, only_gone=True), _subsidised(order)),
        waybills_used=frozenset(shown | {package.waybill_id for package in ours if package.waybill_id}),
        on_aftersale=order.on_aftersale,
        address_under_review=order.address_under_review,
        sku_change_waiting=order.sku_change_waiting,
        is_subsidy=order.is_subsidy,
        quality_inspect_type=order.quality_inspect_type,
        inspect_status=order.inspect_status,
        has_risk=order.has_risk,
        needs_ewaybill=_was_answered(order, 606046),
        has_online_waybill=any(parcel.deliver_type in (2, 4) for parcel in parcels),
        has_return_address=order.merchant.has_return_address,
        couriers=couriers_of(order),
        courier_initials=dict(couriers_for(order).values_list("delivery_id", "initials")),
        serials_used=_serials_used(order, serials, excluding),
        met_before=_met_before(order),
        after=after_facts(order, parcels, everything),
    )


def address_of(order: Order) -> str:
    """The receiver as read, which is masked."""
    return " ".join(part for part in (order.receiver, order.phone, order.region) if part)


def _elsewhere(order: Order, waybills: Collection[str]) -> dict[str, str]:
    """Which of these numbers other buyers' orders of the same store carry."""
    rows = Package.objects.filter(
        merchant=order.merchant, waybill_id__in=waybills, status__in=states.HOLDS_GOODS
    ).exclude(order__openid=order.openid, order__address_hash=order.address_hash)
    return dict(rows.exclude(order=order).values_list("waybill_id", "order__order_id"))


def _holding(packages: Iterable[Package], excluding: Shipment | None) -> list[Package]:
    """Those that count, but for the shipment being checked."""
    but = excluding.pk if excluding else None
    return [p for p in packages if p.status in states.HOLDS_GOODS and p.shipment_id != but]


def _subsidised(order: Order) -> set[Pair]:
    """The goods the subsidy is on, from the raw body; empty when only the order as a whole shows one."""
    kept = OrderBody.objects.filter(order=order).first() if order.is_subsidy else None
    lines = parse_order(kept.body).lines if kept else ()
    return {(line.product_id, line.sku_id) for line in lines if line.is_subsidy}


def _goods(
    order: Order,
    taken: Mapping[Pair, int],
    shipped: Mapping[Pair, int] = EMPTY,
    subsidised: Collection[Pair] = (),
) -> tuple[Goods, ...]:
    goods: dict[Pair, Goods] = {}
    for line in order.lines.all():
        pair = (line.product_id, line.sku_id)
        known = goods.get(pair)
        goods[pair] = Goods(
            *pair,
            title=known.title if known else line.title,
            ordered=line.sku_cnt + (known.ordered if known else 0),
            refunded=line.finish_aftersale_sku_cnt + (known.refunded if known else 0),
            taken=taken.get(pair, 0),
            shipped=shipped.get(pair, 0),
            is_subsidy=pair in subsidised,
        )
    return tuple(goods.values())


def _was_answered(order: Order, errcode: int) -> bool:
    return Package.objects.filter(order=order, errcode=errcode).exists()


def _serials_used(order: Order, serials: Collection[str], excluding: Shipment | None) -> dict[str, str]:
    """Which of these SNs other packages of the store hold that count -> the order they are on.

    Where goods of the order were refunded the device may have come back: the platform judges then.
    """
    rows = Serial.objects.annotate(number=Upper("sn_code")).filter(number__in=map(normalise, serials))
    rows = rows.filter(package__merchant=order.merchant, package__status__in=states.HOLDS_GOODS)
    refunded = OrderLine.objects.filter(order=OuterRef("package__order"), finish_aftersale_sku_cnt__gt=0)
    rows = rows.exclude(package__order__status__in=(200, 250)).exclude(Exists(refunded))
    if excluding:
        rows = rows.exclude(package__shipment=excluding)
    return dict(rows.values_list("sn_code", "package__order__order_id"))


def _met_before(order: Order) -> frozenset[tuple[int, str, str]]:
    """What the platform refused earlier for these goods: (code, product, sku), for 606061 the courier."""
    products = {line.product_id for line in order.lines.all()}
    rows = Package.objects.filter(
        merchant=order.merchant, errcode__in=(*MET_BEFORE, 606061), items__product_id__in=products
    ).values_list("errcode", "items__product_id", "items__sku_id", "delivery_id")
    return frozenset(
        (int(code or 0), product, courier if code == 606061 else sku) for code, product, sku, courier in rows
    )


def printings_of(order: Order) -> QuerySet[Printing]:
    """When and by whom the order's packing slip was printed, the latest first."""
    return order.printings.select_related("by")


def goods_of(package: Package) -> tuple[Item, ...]:
    return tuple(Item(i.product_id, i.sku_id, i.product_cnt) for i in package.items.all())


def goods_left(order: Order) -> dict[Pair, int]:
    """Pieces of each of the goods nobody has shipped or is shipping, from rows already loaded."""
    parcels = list(order.parcels.all())
    ours = [package for package in order.packages.all() if package.status in states.HOLDS_GOODS]
    return {goods.pair: goods.left for goods in _goods(order, taken(parcels, ours))}


def pieces_left(order: Order) -> int:
    return sum(goods_left(order).values())


class Event(NamedTuple):
    """One line of an order's timeline; `kind` is a package's new status, or hold, release, print."""

    at: datetime
    kind: str
    subject: str
    who: User | None
    why: str = ""


def order_events(order: Order) -> list[Event]:
    """What happened to an order here, the newest first."""
    rows = StatusChange.objects.filter(package__order=order).select_related("package", "by")
    events = [Event(c.at, c.target, str(c.package), c.by, c.reason if c.by else "") for c in rows]
    for hold in order.holds.select_related("held_by", "released_by"):
        events.append(Event(hold.held_at, "hold", "", hold.held_by, hold.reason))
        ended = hold.released_at or hold.until
        if ended and ended <= timezone.now():
            events.append(Event(ended, "release", "", hold.released_by))
    printed = order.printings.select_related("by")
    events += [Event(printing.at, "print", "", printing.by) for printing in printed]
    if order.alarm_done_at:
        events.append(Event(order.alarm_done_at, "intercept", "", order.alarm_done_by))
    return sorted(events, key=lambda event: event.at, reverse=True)


def must_intercept(order: Order) -> bool:
    """Whether it changed after a parcel of ours had left, and nobody has ticked that off."""
    alarm, done = order.alarm_at, order.alarm_done_at
    if alarm is None or (done is not None and done >= alarm):
        return False
    return order.packages.filter(status=states.SHIPPED, status_at__lte=alarm).exists()


def recharge_of(order: Order) -> dict[str, str]:
    """What to top up, from the raw body; shown to members only, never stored elsewhere or logged."""
    body = OrderBody.objects.filter(order=order).first()
    order_part = (body.body.get("order") or body.body) if body else {}
    info = (order_part.get("order_detail") or {}).get("delivery_info") or {}
    return {str(key): str(value) for key, value in (info.get("recharge_info") or {}).items() if value}


def draft_of_package(package: Package) -> PackageDraft:
    """A stored package as the rules and the form see it."""
    course, serial = getattr(package, "course", None), getattr(package, "serial", None)
    return PackageDraft(
        deliver_type=package.deliver_type,
        delivery_id=package.delivery_id,
        waybill_id=package.waybill_id,
        items=goods_of(package),
        course=course and CourseDraft(course.start_time, course.end_time, course.wxa_appid, course.wxa_path),
        serial=serial and SerialDraft(serial.sn_code, serial.imei1, serial.imei2),
        old=(package.old_delivery_id, package.old_waybill_id) if package.old_waybill_id else None,
    )


def kept_draft(order: Order) -> list[PackageDraft]:
    """The packages of the order's latest shipment that never left: drafts, and what was withdrawn."""
    latest = order.shipments.filter(kind=SEND).order_by("-id").first()
    if latest is None:
        return []
    rows = latest.packages.filter(status__in=(states.DRAFT, states.CANCELLED)).prefetch_related("items")
    return [draft_of_package(package) for package in rows.exclude(changes__source=states.CONFLICT)]


def couriers_for(order: Order) -> QuerySet[Courier]:
    """The merchant's list with names and initials, for the form."""
    return Courier.objects.filter(merchant=order.merchant, is_listed=True)


def order_packages(user: User, order: Order) -> list[Package]:
    """The order's packages, the newest shipment first; a draft goes once something was submitted."""
    rows = packages_for(user).filter(order=order).order_by("-shipment", "position")
    packages = list(rows.prefetch_related("items", "shipment__corrections", "shipment__attempts"))
    submitted = [package for package in packages if package.status != states.DRAFT]
    return submitted or packages


def rejected_with(package: Package) -> list[Package]:
    """The package and what was rejected beside it: one correction takes them all."""
    rows = package.shipment.packages.filter(status=states.REJECTED).prefetch_related("items")
    return list(rows.select_related("course", "serial"))


def typed_of(order: Order, user: User) -> Typed | None:
    """What this person typed into the order's form and has not sent."""
    return Typed.objects.filter(order=order, user=user).first()


PRESENT = timedelta(seconds=40)


def others_at(order: Order, user: User) -> QuerySet[Visit]:
    """Who else has the order's form open right now."""
    fresh = timezone.now() - PRESENT
    rows = Visit.objects.filter(order=order, seen_at__gte=fresh).exclude(user=user)
    return rows.select_related("user").order_by("opened_at")


def queued_since(order: Order, user: User, opened_at: datetime) -> QuerySet[Package]:
    """What colleagues have submitted since this person opened the form."""
    over = (states.DRAFT, states.CANCELLED)
    rows = packages_for(user).filter(order=order, shipment__created_at__gt=opened_at).exclude(status__in=over)
    return rows.exclude(shipment__created_by=user).prefetch_related("items").order_by("pk")


def last_courier(order: Order, user: User) -> str:
    """The courier this person used last at this merchant."""
    mine = Package.objects.filter(merchant=order.merchant, shipment__created_by=user, deliver_type=1)
    return mine.order_by("-pk").values_list("delivery_id", flat=True).first() or ""


def can_ship(order: Order) -> bool:
    """Whether a click on 发货 makes sense, from rows already loaded."""
    return order.status in (20, 21) and not is_held(order) and bool(pieces_left(order))


def hold_of(order: Order) -> Hold | None:
    """The hold in force, from rows already loaded."""
    now = timezone.now()
    in_force = (h for h in order.holds.all() if h.released_at is None and (h.until is None or h.until > now))
    return next(in_force, None)


def is_held(order: Order) -> bool:
    return hold_of(order) is not None


def same_buyer(order: Order, user: User) -> list[Order]:
    """Other orders of this buyer at this address that the same parcel could carry (268545005: no subsidy)."""
    if not order.openid or not order.address_hash or order.is_subsidy or order.deliver_method != 0:
        return []
    rows = orders_for(user).filter(
        merchant=order.merchant, openid=order.openid, address_hash=order.address_hash, status__in=(20, 21),
        is_subsidy=False, deliver_method=0, on_aftersale=0, address_under_review=False,
    )  # fmt: skip
    rows = rows.exclude(pk=order.pk).prefetch_related("lines", "parcels", "holds", "packages__items")
    return [other for other in rows.order_by("deadline_at", "pk")[:20] if can_ship(other)]
