"""Many orders through the door of `services.queue_shipment` at once: the same guarantees, a few queries."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for

from . import states
from .around import look_around
from .drafts import Draft, Problem, fill_blanks
from .labels import noted_of, noted_of_many
from .models import Course, Order, Package, PackageItem, Serial, Shipment
from .queries import facts_of
from .rules import check, stops
from .serials import numbers_in
from .services import Refused, move_all, note_corrected, package_row, queue_shipment, tidy
from .wake import wake


@dataclass(frozen=True)
class Wish:
    """One order to ship; `form_key` finds the shipment again when it is asked for twice."""

    order: Order
    draft: Draft
    form_key: str
    corrects: Shipment | None = None


Outcome = Shipment | list[Problem]


def queue_many(wishes: Sequence[Wish], *, user: User, door: str) -> list[Outcome]:
    """Save and queue each order, or say what stops it, in one transaction; one order stops no other.

    Each order may be wished for once. What a colleague did at the very same moment sends each through
    the single door instead.
    """
    known = Shipment.objects.filter(form_key__in=[wish.form_key for wish in wishes])
    by_key = {(shipment.form_key, shipment.order_id): shipment for shipment in known}
    fresh = [wish for wish in wishes if (wish.form_key, wish.order.pk) not in by_key]
    try:
        with transaction.atomic():
            done = _queue(fresh, user, door)
            wake("send_ticket")
    except IntegrityError:
        done = {wish.form_key: _one(wish, user, door) for wish in fresh}
    return [by_key.get((wish.form_key, wish.order.pk)) or done[wish.form_key] for wish in wishes]


def _one(wish: Wish, user: User, door: str) -> Outcome:
    try:
        return queue_shipment(
            order=wish.order, draft=wish.draft, user=user, door=door, form_key=wish.form_key,
            corrects=wish.corrects,
        )  # fmt: skip
    except Refused as refused:
        return refused.problems


def _queue(wishes: Sequence[Wish], user: User, door: str) -> dict[str, Outcome]:
    # Taking the orders first makes the second of two people count after the first has queued.
    keys = [wish.order.pk for wish in wishes]
    Order.objects.filter(pk__in=keys).update(revision=F("revision") + 1)
    rows = Order.objects.select_related("merchant").prefetch_related("lines", "parcels")
    now = rows.in_bulk(keys)
    checked = check_many(wishes, now, user)
    done: dict[str, Outcome] = {key: problems for key, (_, problems) in checked.items() if stops(problems)}
    going = [(wish, checked[wish.form_key][0]) for wish in wishes if wish.form_key not in done]
    done |= _save(going, now, user, door)
    return done


def check_many(
    wishes: Sequence[Wish], now: dict[int, Order], user: User
) -> dict[str, tuple[Draft, list[Problem]]]:
    """Each draft as it will be sent, and everything the rules find on the order as it is now; by form key.

    `now`: the orders by their key, with merchant, lines and parcels at hand.
    """
    orders = list(now.values())
    drafts = {wish.order.pk: tidy(wish.draft) for wish in wishes}
    waybills = {key: _waybills(draft) for key, draft in drafts.items()}
    serials = {key: numbers_in(draft.packages) for key, draft in drafts.items()}
    stores = set(merchants_for(user).values_list("pk", flat=True))
    arounds = look_around(orders, waybills=waybills, serials=serials, stores=stores)
    noted = noted_of_many(orders, waybills, {w.order.pk: w.corrects for w in wishes if w.corrects})
    found = {}
    for wish in wishes:
        key, draft = wish.order.pk, drafts[wish.order.pk]
        facts = facts_of(now[key], arounds[key])
        filled = fill_blanks(Draft(draft.order_id, draft.packages, draft.noted or noted[key]), facts)
        found[wish.form_key] = (filled, check(filled, facts))
    return found


def _waybills(draft: Draft) -> list[str]:
    return [package.waybill_id for package in draft.packages if package.waybill_id]


def _save(
    going: Sequence[tuple[Wish, Draft]], now: dict[int, Order], user: User, door: str
) -> dict[str, Outcome]:
    moment = timezone.now()
    shipments = [
        Shipment(
            merchant=now[wish.order.pk].merchant,
            order=now[wish.order.pk],
            form_key=wish.form_key,
            door=door,
            created_by=user,
            corrects=wish.corrects,
            noted=asdict(draft.noted or noted_of(now[wish.order.pk])),
            noted_at=moment,
            due_at=moment + timedelta(seconds=now[wish.order.pk].merchant.undo_seconds),
        )
        for wish, draft in going
    ]
    Shipment.objects.bulk_create(shipments)
    note_corrected([wish.corrects for wish, _ in going if wish.corrects])
    pairs = [(s, draft) for s, (_, draft) in zip(shipments, going, strict=True)]
    packages = _save_packages(pairs)
    move_all(packages, states.QUEUED, who=states.STAFF, by=user)
    return {str(shipment.form_key): shipment for shipment in shipments}


def _save_packages(pairs: Iterable[tuple[Shipment, Draft]]) -> list[Package]:
    made = [
        (package_row(shipment, position, each), each)
        for shipment, draft in pairs
        for position, each in enumerate(draft.packages)
    ]
    packages = Package.objects.bulk_create(package for package, _ in made)
    PackageItem.objects.bulk_create(
        PackageItem(package=package, product_id=i.product_id, sku_id=i.sku_id, product_cnt=i.count)
        for package, draft in made
        for i in draft.items or ()
    )
    Course.objects.bulk_create(Course(package=p, **vars(d.course)) for p, d in made if d.course)
    numbered = ((p, d.serial) for p, d in made if d.serial and d.serial.sn_code)
    Serial.objects.bulk_create(Serial(package=package, **vars(serial)) for package, serial in numbered)
    return packages


@transaction.atomic
def cancel_many(shipments: Collection[int], *, user: User) -> int:
    """Cancel the packages of these shipments that have not been claimed; returns how many."""
    _take_back(shipments)
    waiting = (states.DRAFT, states.QUEUED)
    packages = list(Package.objects.filter(shipment__in=shipments, status__in=waiting))
    move_all(packages, states.CANCELLED, who=states.STAFF, by=user)
    return len(packages)


def _take_back(shipments: Collection[int]) -> None:
    """What is due is due no more, taken as a worker claims it: one after the other, in the order of orders.

    Two that took them in different orders would wait for each other. What a worker has in hand is left alone.
    """
    due = Shipment.objects.filter(pk__in=shipments, due_at__isnull=False)
    for key in list(due.order_by("order", "pk").values_list("pk", flat=True)):
        Shipment.objects.filter(pk=key, due_at__isnull=False).update(due_at=None)
