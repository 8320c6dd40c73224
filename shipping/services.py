"""Every write a person causes, and `move`, the only door to a package's status."""

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from merchants.models import Merchant, Pause, User
from merchants.services import resume_pause
from wechat.waybills import normalise, without_blanks

from . import states
from .around import open_holds
from .drafts import CORRECTION, EXPRESS, Draft, OrderFacts, PackageDraft, Problem, SerialDraft, fill_blanks
from .entered import move_status_on
from .labels import noted_at_label, noted_before, noted_of
from .models import (
    Attempt,
    Course,
    Hold,
    Order,
    Package,
    PackageItem,
    Printing,
    Reading,
    Serial,
    Shipment,
    StatusChange,
    SyncCursor,
    Typed,
    Visit,
)
from .queries import PRESENT, draft_of_package, order_facts, rejected_with
from .rules import check
from .serials import follow_move, numbers_in
from .wake import wake


class Refused(Exception):
    """A draft that a rule stops; `problems` holds every finding, warnings too."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("the delivery rules stop this shipment")
        self.problems = problems


def move(
    package: Package,
    target: str,
    *,
    who: str,
    by: User | None = None,
    packer: User | None = None,
    attempt: Attempt | None = None,
    reason: str = "",
    **columns: Any,
) -> None:
    """Move a package along the table of states, with its StatusChange row, in the caller's transaction.

    The update hits one row only if nobody moved the package first. The ledger of devices follows. Raises
    states.IllegalMove.
    """
    source = package.status
    if not states.is_allowed(source, target, who):
        raise states.IllegalMove(f"{source} -> {target} by {who}")
    values = {"status": target, "status_at": timezone.now(), **columns}
    if attempt is not None:
        values["attempt"] = attempt
    if not Package.objects.filter(pk=package.pk, status=source).update(**values):
        raise states.IllegalMove(f"package {package.pk} is no longer {source}")
    for name, value in values.items():
        setattr(package, name, value)
    StatusChange.objects.create(
        package=package, source=source, target=target, who=who, by=by, packer=packer, attempt=attempt,
        reason=reason[:300],
    )  # fmt: skip
    follow_move([package], source, target)
    if target == states.SHIPPED:
        move_status_on(package.order_id)


def move_all(packages: Collection[Package], target: str, *, who: str, by: User | None = None) -> None:
    """`move` for many that nobody has moved meanwhile; raises states.IllegalMove if one of them was."""
    now, sources = timezone.now(), {package.status for package in packages}
    for source in sources:
        if not states.is_allowed(source, target, who):
            raise states.IllegalMove(f"{source} -> {target} by {who}")
        keys = [package.pk for package in packages if package.status == source]
        rows = Package.objects.filter(pk__in=keys, status=source)
        if rows.update(status=target, status_at=now) != len(keys):
            raise states.IllegalMove(f"some of {len(keys)} packages are no longer {source}")
        follow_move([package for package in packages if package.status == source], source, target)
    StatusChange.objects.bulk_create(
        StatusChange(package=p, source=p.status, target=target, at=now, who=who, by=by) for p in packages
    )
    for package in packages:
        package.status, package.status_at = target, now


def tidy(draft: Draft) -> Draft:
    """Normalise what people type: blanks and full-width forms, lower case in waybills and codes."""
    packages = tuple(_tidy_package(package) for package in draft.packages)
    return replace(draft, order_id=draft.order_id.strip(), packages=packages)


def _tidy_package(package: PackageDraft) -> PackageDraft:
    return replace(
        package,
        waybill_id=normalise(package.waybill_id),
        delivery_id=normalise(package.delivery_id),
        serial=package.serial and _tidy_serial(package.serial),
    )


def _tidy_serial(serial: SerialDraft) -> SerialDraft:
    """An SN keeps its case: nobody says that a maker's does not matter."""
    return SerialDraft(*map(without_blanks, (serial.sn_code, serial.imei1, serial.imei2)))


def rehearse(
    *,
    order: Order,
    draft: Draft,
    facts: OrderFacts | None = None,
    corrects: Shipment | None = None,
    user: User | None = None,
) -> tuple[Draft, list[Problem]]:
    """The draft as it would be sent, and everything the rules find; nothing is written.

    `user`: in whose stores numbers are looked for; without one, in the order's.
    """
    tidied = tidy(draft)
    waybills = [package.waybill_id for package in tidied.packages if package.waybill_id]
    facts = facts or order_facts(order, waybills=waybills, serials=numbers_in(tidied.packages), user=user)
    noted = tidied.noted or noted_before(order, waybills, corrects)
    filled = fill_blanks(replace(tidied, noted=noted), facts)
    return filled, check(filled, facts)


def queue_shipment(
    *,
    order: Order,
    draft: Draft,
    user: User | None,
    door: str = "page",
    form_key: str | None = None,
    corrects: Shipment | None = None,
    packer: User | None = None,
) -> Shipment:
    """Save the packages and hand them to the worker; the same form key finds the first shipment again.

    `packer`: whose badge was scanned, beside the login. Raises Refused with the problems of the rules.
    """
    if known := shipment_with_key(order=order, form_key=form_key):
        return known
    try:
        with transaction.atomic():
            shipment = _save_under_lock(order, draft, user, door, form_key, corrects, packer)
            _queue_packages(shipment, user)
            wake("send_ticket")
    except IntegrityError:
        return _first_with_key(form_key, order, draft, user)
    return shipment


def shipment_with_key(*, order: Order, form_key: str | None) -> Shipment | None:
    """The shipment this form already made, so that a repeated POST is answered with it."""
    return Shipment.objects.filter(form_key=form_key, order=order).first() if form_key else None


def _first_with_key(form_key: str | None, order: Order, draft: Draft, user: User | None) -> Shipment:
    """Somebody was faster: with this very form, with this device, or with this number."""
    known = shipment_with_key(order=order, form_key=form_key)
    if known is None:
        problems = rehearse(order=order, draft=draft, user=user)[1]
        taken = Problem("packages[0].waybill_id", slug="waybill_already_on_order")
        raise Refused(problems if any(problem.stops for problem in problems) else [taken])
    return known


def _save_under_lock(
    order: Order,
    draft: Draft,
    user: User | None,
    door: str,
    form_key: str | None,
    corrects: Shipment | None,
    packer: User | None,
) -> Shipment:
    # Taking the order first makes the second of two people count after the first has queued.
    Order.objects.filter(pk=order.pk).update(revision=F("revision") + 1)
    order.refresh_from_db()
    filled, problems = rehearse(order=order, draft=draft, corrects=corrects, user=user)
    if any(problem.stops for problem in problems):
        raise Refused(problems)
    shipment = Shipment.objects.create(
        merchant=order.merchant,
        order=order,
        kind=filled.kind,
        reason=filled.reason if isinstance(filled.reason, int) else None,
        form_key=form_key or None,
        door=door,
        created_by=user,
        packer=packer,
        corrects=corrects,
        noted=asdict(filled.noted or noted_of(order)),
        noted_at=timezone.now(),
    )
    for position, package in enumerate(filled.packages):
        save_package(shipment, position, package)
    return shipment


def save_package(shipment: Shipment, position: int, draft: PackageDraft) -> Package:
    """Write one package of a draft whose numbers the rules have passed."""
    package = package_row(shipment, position, draft)
    package.save()
    PackageItem.objects.bulk_create(
        PackageItem(package=package, product_id=i.product_id, sku_id=i.sku_id, product_cnt=i.count)
        for i in draft.items or ()
    )
    _save_extras(package, draft)
    return package


def package_row(shipment: Shipment, position: int, draft: PackageDraft) -> Package:
    """The row of one package, not written yet."""
    is_express = draft.deliver_type == EXPRESS
    return Package(
        merchant=shipment.merchant,
        order=shipment.order,
        shipment=shipment,
        kind=shipment.kind,
        person=shipment.packer or shipment.created_by,
        position=position,
        deliver_type=int(draft.deliver_type or 0),
        delivery_id=draft.delivery_id if is_express else "",
        waybill_id=draft.waybill_id if is_express else "",
        old_delivery_id=draft.old[0] if draft.old else "",
        old_waybill_id=draft.old[1] if draft.old else "",
    )


def _save_extras(package: Package, draft: PackageDraft) -> None:
    if draft.course is not None:
        Course.objects.create(package=package, **vars(draft.course))
    if draft.serial is not None and draft.serial.sn_code:
        Serial.objects.create(package=package, **vars(draft.serial))


def _queue_packages(shipment: Shipment, user: User | None) -> None:
    for package in shipment.packages.filter(status=states.DRAFT):
        move(package, states.QUEUED, who=states.STAFF, by=user, packer=shipment.packer)
    shipment.due_at = timezone.now() + timedelta(seconds=shipment.merchant.undo_seconds)
    shipment.save(update_fields=["due_at"])


def save_draft(*, order: Order, draft: Draft, user: User | None, door: str = "page") -> Shipment:
    """Keep what someone filled in without queueing it; the ship page opens with it."""
    filled = fill_blanks(tidy(draft), order_facts(order))
    noted = noted_at_label(order, [package.waybill_id for package in filled.packages])
    with transaction.atomic():
        shipment = Shipment.objects.create(
            merchant=order.merchant, order=order, door=door, created_by=user,
            noted=asdict(noted), noted_at=timezone.now(),
        )  # fmt: skip
        for position, package in enumerate(filled.packages):
            save_package(shipment, position, package)
    return shipment


def cancel_shipment(*, shipment: Shipment, user: User) -> list[Package]:
    """Cancel the packages that have not been claimed; returns those it reached."""
    with transaction.atomic():
        waiting = list(shipment.packages.filter(status__in=(states.DRAFT, states.QUEUED)))
        for package in waiting:
            move(package, states.CANCELLED, who=states.STAFF, by=user)
        Shipment.objects.filter(pk=shipment.pk).update(due_at=None)
    return waiting


def queue_together(
    *, orders: list[Order], drafts: list[Draft], user: User, form_key: str, door: str = "page"
) -> list[Shipment]:
    """One parcel for several orders of one buyer: a shipment, a call and a status for each.

    Raises Refused, and queues none, when a rule stops one of them.
    """
    keys = [form_key, *(f"{form_key}-{order.pk}" for order in orders[1:])]
    with transaction.atomic():
        return [
            queue_shipment(order=order, draft=draft, user=user, door=door, form_key=key)
            for order, draft, key in zip(orders, drafts, keys, strict=True)
        ]


def confirm_change(*, package: Package, user: User) -> Shipment:
    """A person compared label and goods with the order as it is now: ship again what stopped, as it was."""
    packages = tuple(draft_of_package(each) for each in rejected_with(package))
    draft = Draft(package.order.order_id, packages, noted_of(package.order))
    return queue_shipment(
        order=package.order, draft=draft, user=user, corrects=package.shipment,
        form_key=f"confirm-{package.shipment_id}",
    )  # fmt: skip


def settle_conflict(*, package: Package, target: str, user: User, reason: str) -> None:
    """A manager decides what became of a package that the records disagree on. Raises IllegalMove."""
    with transaction.atomic():
        move(package, target, who=states.MANAGER, by=user, reason=reason)
        close_attempt_if_settled(package.attempt, timezone.now())
        # What waited behind it may go on.
        wake("send_ticket")


def close_attempt_if_settled(attempt: Attempt | None, now: datetime) -> None:
    """An attempt is closed when none of its packages is sending, unknown or in conflict any more."""
    if attempt is None:
        return
    if not attempt.packages.filter(status__in=states.OPEN).exists():
        Attempt.objects.filter(pk=attempt.pk, closed_at=None).update(closed_at=now, next_read_at=None)


def wake_read(merchant: Merchant, order_id: str) -> None:
    """Ask the worker to read one order from the platform, known or not."""
    wake("read_by_id", str(merchant.pk), order_id)


@transaction.atomic
def ask_reading(*, order: Order, by: User | None = None) -> None:
    """Have an order read as soon as possible; a person's wish also looks at what else is in its way."""
    now = timezone.now()
    values: dict[str, Any] = {"asked_at": now, "due_at": now, "tries": 0, "errcode": None, "slug": ""}
    if by is not None:
        values["asked_by"] = by
    Reading.objects.update_or_create(order=order, defaults=values)
    wake("read_asked", str(order.pk))


def wake_sync(merchant: Merchant) -> None:
    """Ask the worker to read now what changed among this merchant's orders."""
    SyncCursor.objects.update_or_create(merchant=merchant, defaults={"due_at": timezone.now()})
    wake("sync_merchant", str(merchant.pk))


@transaction.atomic
def resume_sending(*, pause: Pause, user: User) -> bool:
    """End a pause and let the worker look at once; False if someone was faster."""
    wake("send_ticket")
    return resume_pause(pause=pause, by=user)


# --- holding an order back ----------------------------------------------------------------------------


@transaction.atomic
def hold_order(*, order: Order, user: User | None, reason: str, until: datetime | None = None) -> Hold:
    """Keep an order from leaving; what is queued and not claimed goes back to draft."""
    Order.objects.filter(pk=order.pk).update(revision=F("revision") + 1)
    order.holds.filter(released_at=None, until__lte=timezone.now()).update(released_at=F("until"))
    order.holds.filter(released_at=None).update(released_at=timezone.now(), released_by=user)
    hold = Hold.objects.create(order=order, held_by=user, reason=reason[:200], until=until)
    # A number being put right keeps nothing from leaving.
    for package in order.packages.filter(status=states.QUEUED).exclude(kind=CORRECTION):
        move(package, states.DRAFT, who=states.STAFF, by=user, reason=reason)
    order.shipments.filter(due_at__isnull=False).exclude(kind=CORRECTION).update(due_at=None)
    return hold


def release_order(*, order: Order, user: User) -> int:
    """End the hold in force; returns how many there were."""
    return open_holds(order).update(released_at=timezone.now(), released_by=user)


def tick_intercept(*, order: Order, user: User) -> None:
    """The parcel of an order that changed after it left was found, or nothing can be done any more."""
    Order.objects.filter(pk=order.pk).update(alarm_done_at=timezone.now(), alarm_done_by=user)


# --- what is being typed ------------------------------------------------------------------------------


def save_typed(*, order: Order, user: User, fields: dict[str, Any], waybills: list[str]) -> bool:
    """Keep what a person has typed; the first tracking number notes what the order says at that moment.

    False when the form was sent meanwhile: looked at after the write, so that a save that comes late does
    not bring it back as unsent.
    """
    now, known = timezone.now(), Typed.objects.filter(order=order, user=user).first()
    values: dict[str, Any] = {"fields": fields, "saved_at": now}
    if waybills and (known is None or known.noted is None):
        values |= {"noted": asdict(noted_at_label(order, waybills)), "noted_at": now}
    Typed.objects.update_or_create(order=order, user=user, defaults=values)
    if shipment_with_key(order=order, form_key=fields.get("form_key")) is None:
        return True
    forget_typed(order=order, user=user)
    return False


def forget_typed(*, order: Order, user: User) -> None:
    """The form was sent, or its owner began anew."""
    Typed.objects.filter(order=order, user=user).delete()


def note_visit(*, order: Order, user: User, opens: bool) -> Visit:
    """Someone opened the order's form (`opens`), or still has it open."""
    now = timezone.now()
    visit, created = Visit.objects.get_or_create(order=order, user=user)
    if created or not (opens or visit.seen_at < now - PRESENT):
        visit.seen_at = now
    else:
        visit.opened_at = visit.seen_at = now
    visit.save(update_fields=["opened_at", "seen_at"])
    return visit


def leave_order(*, order: Order, user: User) -> None:
    """The form was sent: its sender does not have it open any more."""
    Visit.objects.filter(order=order, user=user).delete()


@transaction.atomic
def note_printing(*, orders: list[Order], user: User, paper: str) -> None:
    """Packing slips went to the printer: by whom, when, and what each order said."""
    Printing.objects.bulk_create(
        Printing(order=order, by=user, paper=paper, noted=asdict(noted_of(order))) for order in orders
    )
