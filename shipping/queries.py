"""Every read a page, a door or the worker needs; `..._for(user, ...)` is the only way to a row."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for
from wechat.waybills import normalise

from . import states
from .around import Around, look_around
from .drafts import (
    CORRECTION,
    SEND,
    CourseDraft,
    Goods,
    Item,
    OrderFacts,
    PackageDraft,
    Pair,
    SerialDraft,
    Shown,
)
from .models import (
    Courier,
    Hold,
    Order,
    OrderBody,
    Package,
    Parcel,
    Printing,
    Shipment,
    Typed,
    Visit,
)
from .parcels import after_facts, current_parcel, numbers_in_use, taken

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


def order_facts(
    order: Order,
    *,
    waybills: Collection[str] = (),
    serials: Collection[str] = (),
    user: User | None = None,
) -> OrderFacts:
    """Everything the rules may know of an order.

    `waybills` and `serials`: the draft's, looked for on other orders of the store and of those of `user`.
    """
    return facts_of(order, around(order, waybills=waybills, serials=serials, user=user))


def around(
    order: Order,
    *,
    excluding: Shipment | None = None,
    waybills: Collection[str] = (),
    serials: Collection[str] = (),
    user: User | None = None,
) -> Around:
    """What stands around one order; `excluding` leaves out the shipment being checked."""
    numbers = {"waybills": {order.pk: waybills}, "serials": {order.pk: serials}}
    stores = merchants_for(user).values_list("pk", flat=True) if user else ()
    own = [excluding] if excluding else []
    return look_around([order], **numbers, excluding=own, stores=set(stores))[order.pk]


def facts_of(order: Order, around: Around) -> OrderFacts:
    """`order_facts`, with what stands around the order already looked up: how many are checked at once."""
    parcels, ours, hold = order.all_parcels, around.ours, around.hold
    shown = {normalise(parcel.waybill_id) for parcel in parcels if parcel.waybill_id}
    return OrderFacts(
        order_id=order.order_id,
        held_reason=hold.reason if hold else None,
        held_by=str(hold.held_by or "") if hold else "",
        address_hash=order.address_hash,
        address=address_of(order),
        changed_at=f"{timezone.localtime(order.alarm_at):%H:%M}" if order.alarm_at else "",
        waybills_elsewhere=around.elsewhere,
        is_read=order.read_at is not None,
        is_entered=order.is_entered,
        status=order.status,
        is_paid=order.paid_at is not None,
        deliver_method=order.deliver_method,
        goods=_goods(order, taken(parcels, ours), taken(parcels, ours, only_gone=True), around.subsidised),
        waybills_used=frozenset(shown | numbers_in_use(ours)),
        on_aftersale=order.on_aftersale,
        address_under_review=order.address_under_review,
        sku_change_waiting=order.sku_change_waiting,
        is_subsidy=order.is_subsidy,
        quality_inspect_type=order.quality_inspect_type,
        inspect_status=order.inspect_status,
        has_risk=order.has_risk,
        needs_ewaybill=around.needs_ewaybill,
        has_online_waybill=any(parcel.deliver_type in (2, 4) for parcel in parcels),
        has_return_address=order.merchant.has_return_address,
        is_paused=around.is_paused,
        couriers=around.couriers,
        courier_initials=around.initials,
        serials_used=around.serials_used,
        met_before=around.met_before,
        after=after_facts(parcels, ours, is_closed=around.no_more_corrections),
    )


def address_of(order: Order) -> str:
    """The receiver as read, which is masked."""
    return " ".join(part for part in (order.receiver, order.phone, order.region) if part)


def _goods(
    order: Order,
    taken: Mapping[Pair, int],
    shipped: Mapping[Pair, int] = EMPTY,
    subsidised: Collection[Pair] = (),
) -> tuple[Goods, ...]:
    goods: dict[Pair, Goods] = {}
    for line in order.all_lines:
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


def printings_of(order: Order) -> QuerySet[Printing]:
    """When and by whom the order's packing slip was printed, the latest first."""
    return order.printings.select_related("by")


def goods_of(package: Package) -> tuple[Item, ...]:
    return tuple(Item(i.product_id, i.sku_id, i.product_cnt) for i in package.items.all())


def goods_left(order: Order) -> dict[Pair, int]:
    """Pieces of each of the goods nobody has shipped or is shipping, from rows already loaded."""
    parcels = order.all_parcels
    ours = [package for package in order.all_packages if package.status in states.HOLDS_GOODS]
    return {goods.pair: goods.left for goods in _goods(order, taken(parcels, ours))}


def pieces_left(order: Order) -> int:
    return sum(goods_left(order).values())


def event_kind(kind: str, status: str) -> str:
    """What a status is called by: alone for goods that leave, else with the kind of the shipment."""
    return status if kind == SEND else f"{kind} {status}"


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
    packages = list(rows.prefetch_related("items", "shipment__attempts"))
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
    in_force = (h for h in order.all_holds if h.released_at is None and (h.until is None or h.until > now))
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


def own_parcels(order: Order) -> list[Shown]:
    """Parcels of ours that have left by courier, under the number each has now."""
    packages = list(order.packages.prefetch_related("items"))
    sent = [p for p in packages if p.status == states.SHIPPED and p.kind != CORRECTION and p.waybill_id]
    return [
        Shown(now.delivery_id, now.waybill_id, 1, tuple((*i.pair, i.count) for i in goods_of(package)))
        for package in sent
        for now in [current_parcel(package, packages)]
    ]


def couriers_for_user(user: User) -> dict[str, str]:
    """The couriers of all the user's stores, code -> name."""
    rows = Courier.objects.filter(merchant__in=merchants_for(user), is_listed=True).order_by("delivery_id")
    return dict(rows.values_list("delivery_id", "delivery_name"))
