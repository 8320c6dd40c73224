"""Between claim and call: fresh facts, the rules once more, the payload."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from merchants.once import knowing, once
from shipping import states
from shipping.around import Around, look_around
from shipping.drafts import COMPENSATION, CORRECTION, MISSED, SEND, Draft, Problem
from shipping.labels import noted_by
from shipping.models import Attempt, Order, Package, Reading, Shipment
from shipping.pauses import CALLS, is_stopped, may_not_read
from shipping.queries import around, draft_of_package, facts_of
from shipping.restored import doubt, facts_begin
from shipping.rules import check
from shipping.serials import numbers_in
from shipping.services import is_unsettled, move
from shipping.storing import store_reply
from wechat.endpoints import DELIVERY_COMPENSATION, DELIVERY_SEND, DELIVERY_UPDATE
from wechat.payload import (
    ChangeWire,
    CourseWire,
    ItemWire,
    PackageWire,
    SerialWire,
    compensation_body,
    send_body,
    update_body,
)
from wechat.replies import Reply

from .matching import Match, match
from .pacing import backoff, requeue_at
from .pausing import note_refusal

FRESH = timedelta(seconds=60)
PARTLY_SHIPPED = 21
ENDED = ("ended_at", "then", "slug", "errcode", "errmsg", "rid", "elapsed_ms", "closed_at", "next_read_at")


def needs_read(attempt: Attempt) -> bool:
    """Facts must be younger than a minute with no event since, unless this account may not read orders.

    An attempt may have waited for its line, and another worker read the order meanwhile: ours are then old.
    """
    order = attempt.order
    newest = Order.objects.filter(pk=order.pk, read_at=order.read_at, reading=None)
    if _is_fresh(order) and newest.exists():
        return False
    return not may_not_read(attempt.merchant_id)


def take_facts(attempt: Attempt, reply: Reply, began: datetime) -> bool:
    """Store a read made for this attempt. False: nothing may be sent now, the packages have been moved."""
    if reply.errcode == 100002:
        _give_up(attempt, Problem("order", errcode=100002), reply)
        return False
    order = store_reply(attempt.merchant, attempt.order.order_id, reply, began)
    if order is None or not _is_fresh(order):
        note_refusal(attempt.merchant, reply, began)
        put_back(attempt, slug=reply.slug or "facts_unreadable", reply=reply)
        return False
    if _was_asked_for_since(order, began):
        let_go(attempt, who=states.WORKER, reason="event_meanwhile")
        return False
    attempt.order = order
    return True


def _was_asked_for_since(order: Order, began: datetime) -> bool:
    """Whether an event told of the order while it was being read: what was read may be what was before."""
    reading: Reading | None = getattr(order, "reading", None)
    return reading is not None and reading.asked_at > began


def _is_fresh(order: Order) -> bool:
    """A read of an older state than the one we have is not stored and freshens nothing."""
    if order.read_at is None or order.read_at <= timezone.now() - FRESH:
        return False
    begin = facts_begin()
    return begin is None or order.read_at >= begin


@transaction.atomic(savepoint=False)
def prepare(attempt: Attempt) -> dict[str, object] | None:
    """The body to send, with `sent_at` committed before the first byte; None when nothing is to be sent."""
    if is_stopped(attempt.merchant_id, CALLS[attempt.shipment.kind]):
        let_go(attempt, who=states.WORKER, reason="merchant_paused")
        return None
    packages = _not_there_yet(attempt)
    if packages and (slug := doubt(attempt.shipment, attempt.order)):
        _ask_a_manager(attempt, packages, slug)
        return None
    if packages and (problem := _stopping(attempt.order, packages, attempt)):
        _reject(attempt, packages, problem)
        packages = []
    if not packages:
        end(attempt, then="not_sent")
        return None
    attempt.sent_at = timezone.now()
    attempt.request = BODIES[attempt.shipment.kind](attempt, packages)
    return attempt.request if _take_off(attempt) else None


def _take_off(attempt: Attempt) -> bool:
    """The last step before the first byte. False: we were taken for dead, and the parcel is another's."""
    still = Attempt.objects.filter(pk=attempt.pk, ended_at=None)
    return still.update(sent_at=attempt.sent_at, request=attempt.request) == 1


def _send_body(attempt: Attempt, packages: list[Package]) -> dict[str, Any]:
    return send_body(attempt.order.order_id, [wire(package) for package in packages])


def _update_body(attempt: Attempt, packages: list[Package]) -> dict[str, Any]:
    """The older form where it fits, which both pages of the platform know (store-api 2.4)."""
    order, changes = attempt.order, [_change(package) for package in packages]
    is_whole = order.status != PARTLY_SHIPPED and order.parcels.count() <= 1
    return update_body(order.order_id, changes, is_whole=is_whole)


def _compensation_body(attempt: Attempt, packages: list[Package]) -> dict[str, Any]:
    reason = attempt.shipment.reason or MISSED
    return compensation_body(attempt.order.order_id, reason, [wire(package) for package in packages])


BODIES: dict[str, Callable[[Attempt, list[Package]], dict[str, Any]]] = {
    SEND: _send_body,
    CORRECTION: _update_body,
    COMPENSATION: _compensation_body,
}
ENDPOINTS = {SEND: DELIVERY_SEND, CORRECTION: DELIVERY_UPDATE, COMPENSATION: DELIVERY_COMPENSATION}


def sending(attempt: Attempt) -> list[Package]:
    """What of an attempt is on its way: as this process claimed it, else as its rows say."""
    if attempt.claimed is not None:
        return [package for package in attempt.claimed if package.status == states.SENDING]
    return list(whole(attempt.packages.filter(status=states.SENDING)))


def whole(packages: QuerySet[Package]) -> QuerySet[Package]:
    """With all that goes on the wire, in the order of the form."""
    return packages.select_related("course", "serial").prefetch_related("items").order_by("position")


def _not_there_yet(attempt: Attempt) -> list[Package]:
    """What is still to be sent; a parcel that the platform shows already is shipped."""
    packages = sending(attempt)
    there = [package for package in packages if match(attempt.order, package) is Match.OURS]
    for package in there:
        move(package, states.SHIPPED, who=states.WORKER, attempt=attempt, reason="already_on_platform",
             slug="already_on_platform", errcode=None, errmsg="")  # fmt: skip
    return [package for package in packages if package not in there]


def look_ahead(attempts: Collection[Attempt]) -> None:
    """What the rules will ask about these orders, asked for all at once; a device is asked for alone."""
    plain = [attempt for attempt in attempts if not any(_devices(package) for package in sending(attempt))]
    orders, own = [attempt.order for attempt in plain], [attempt.shipment for attempt in plain]
    arounds = look_around(orders, waybills={}, serials={}, excluding=own)
    for attempt in plain:
        knowing(("around", attempt.pk), arounds[attempt.order.pk])


def _devices(package: Package) -> list[str]:
    return numbers_in([draft_of_package(package)])


def _stopping(order: Order, packages: list[Package], attempt: Attempt) -> Problem | None:
    described = tuple(draft_of_package(package) for package in packages)
    shipment, serials = attempt.shipment, numbers_in(described)
    draft = Draft(order.order_id, described, noted_by(shipment), shipment.kind, shipment.reason)
    found = once(("around", attempt.pk), lambda: _around(order, shipment, serials))
    return next((problem for problem in check(draft, facts_of(order, found)) if problem.stops), None)


def _around(order: Order, shipment: Shipment, serials: list[str]) -> Around:
    return around(order, excluding=shipment, serials=serials, user=shipment.created_by if serials else None)


def _ask_a_manager(attempt: Attempt, packages: list[Package], slug: str) -> None:
    """Nothing was sent by us; whether it has left, the records of before the restore cannot tell."""
    for package in packages:
        for target in (states.UNKNOWN, states.CONFLICT):
            move(package, target, who=states.WORKER, attempt=attempt, reason=slug, slug=slug)
    end(attempt, then="not_sent", slug=slug)


def _reject(attempt: Attempt, packages: list[Package], problem: Problem) -> None:
    for package in packages:
        move(package, states.REJECTED, who=states.WORKER, attempt=attempt, reason="checked_before_sending",
             errcode=problem.errcode, slug=problem.slug, errmsg="", rid="")  # fmt: skip


@transaction.atomic
def _give_up(attempt: Attempt, problem: Problem, reply: Reply) -> None:
    for package in sending(attempt):
        move(package, states.REJECTED, who=states.WORKER, attempt=attempt, reason="checked_before_sending",
             errcode=problem.errcode, slug="", errmsg=reply.errmsg, rid=reply.rid)  # fmt: skip
    end(attempt, then="not_sent", reply=reply)


@transaction.atomic
def put_back(attempt: Attempt, *, slug: str, reply: Reply | None = None) -> None:
    """Nothing was sent: back to the queue, later and later, without end."""
    for package in sending(attempt):
        move(package, states.QUEUED, who=states.WORKER, attempt=attempt, reason=slug, slug=slug)
    _postpone(attempt.shipment)
    end(attempt, then="not_sent", reply=reply, slug=slug)


@transaction.atomic
def let_go(attempt: Attempt, *, who: str, reason: str) -> None:
    """Our own side stopped before the first byte: back to the queue, nothing a person need read."""
    for package in sending(attempt):
        move(package, states.QUEUED, who=who, attempt=attempt, reason=reason)
    _postpone(attempt.shipment)
    end(attempt, then="not_sent", slug=reason)


def _postpone(shipment: Shipment) -> None:
    shipment.unsent += 1
    shipment.save(update_fields=["unsent"])
    requeue_at(shipment, timezone.now() + backoff(shipment.unsent))


def end(attempt: Attempt, *, then: str, reply: Reply | None = None, slug: str = "") -> None:
    """Write what came of an attempt; it closes when each of its packages is settled."""
    attempt.ended_at, attempt.then = timezone.now(), then
    attempt.slug = slug or (reply.slug if reply else "")
    if reply is not None:
        attempt.errcode, attempt.errmsg, attempt.rid = reply.errcode, reply.errmsg, reply.rid
        attempt.elapsed_ms = reply.elapsed_ms
    if not _is_unsettled(attempt):
        attempt.closed_at, attempt.next_read_at = attempt.ended_at, None
    attempt.save(update_fields=ENDED)


def _is_unsettled(attempt: Attempt) -> bool:
    """Of what this process claimed it knows itself."""
    if attempt.claimed is not None:
        return any(package.status in states.OPEN for package in attempt.claimed)
    return is_unsettled(attempt)


def _change(package: Package) -> ChangeWire:
    """A correction as it goes on the wire; the parcel's old number as WeChat wrote it."""
    items = wire(package).items
    old, new = (package.old_delivery_id, package.old_waybill_id), (package.delivery_id, package.waybill_id)
    return ChangeWire(*old, *new, items)


def wire(package: Package) -> PackageWire:
    """A stored package as it goes on the wire (document section 2)."""
    course, serial = getattr(package, "course", None), getattr(package, "serial", None)
    return PackageWire(
        deliver_type=package.deliver_type,
        delivery_id=package.delivery_id,
        waybill_id=package.waybill_id,
        items=tuple(ItemWire(i.product_id, i.sku_id, i.product_cnt) for i in package.items.all()),
        course=course and CourseWire(course.start_time, course.end_time, course.wxa_appid, course.wxa_path),
        serial=serial and SerialWire(serial.sn_code, serial.imei1, serial.imei2),
    )
