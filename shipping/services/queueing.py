"""From a draft to packages in the queue, and back; what a manager decides of a conflict."""

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone

from merchants.models import User
from wechat.waybills import normalise, without_blanks

from .. import states
from ..drafts import EXPRESS, Draft, OrderFacts, PackageDraft, Problem, SerialDraft, fill_blanks
from ..labels import noted_at_label, noted_before, noted_of
from ..models import (
    Course,
    Order,
    Package,
    PackageItem,
    Serial,
    Shipment,
)
from ..queries import draft_of_package, order_facts, rejected_with
from ..rules import check
from ..serials import numbers_in
from ..wake import wake
from .moving import close_attempt_if_settled, move


class Refused(Exception):
    """A draft that a rule stops; `problems` holds every finding, warnings too."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("the delivery rules stop this shipment")
        self.problems = problems


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
    note_corrected([corrects] if corrects else [])
    return shipment


def note_corrected(shipments: Collection[Shipment]) -> None:
    """What was refused of them needs no hands any more: what puts it right was saved."""
    if shipments:
        refused = Package.objects.filter(shipment__in=shipments, status=states.REJECTED)
        refused.update(corrected_at=timezone.now())


def catch_up() -> None:
    """Give open trouble the columns that an older version, running beside this one, left empty."""
    trouble = Package.objects.filter(in_trouble=True, corrected_at=None)
    creator = Shipment.objects.filter(pk=OuterRef("shipment")).values("created_by")
    trouble.filter(sent_by=None).update(sent_by=Subquery(creator[:1]))
    # What was refused only after that is not put right by it.
    later = Shipment.objects.filter(corrects=OuterRef("shipment"), created_at__gte=OuterRef("status_at"))
    trouble.filter(Exists(later), status=states.REJECTED).update(corrected_at=timezone.now())


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
        sent_by=shipment.created_by,
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
        # First: a worker that is putting it back is waited for, and what it put back is seen.
        Shipment.objects.filter(pk=shipment.pk).update(due_at=None)
        waiting = list(shipment.packages.filter(status__in=(states.DRAFT, states.QUEUED)))
        for package in waiting:
            move(package, states.CANCELLED, who=states.STAFF, by=user)
    return waiting


def withdrawn_of(shipments: Collection[Shipment]) -> set[int]:
    """Those of which nothing will leave: a form that is posted again finds them, and ships nothing."""
    keys = {shipment.pk for shipment in shipments}
    living = Package.objects.filter(shipment__in=keys).exclude(status=states.CANCELLED)
    return keys - set(living.values_list("shipment", flat=True))


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
