"""The demo's past: orders that left before the demo began, as if they had been shipped here.

Only new rows, each with the changes that lead to it: what a demonstration shows has a history like any other.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from merchants.models import Merchant, User
from merchants.services import set_membership
from shipping import states
from shipping.models import Attempt, Order, Package, PackageItem, Shipment, StatusChange
from shipping.services import note_corrected

LEFT = (30, 100)
PACKERS = {"packer-li": "小李", "packer-zhang": "小张"}
# What went wrong before a parcel left, and how often.
REFUSALS = {606005: 5, 6060479: 4, 10020115: 2, 606008: 1, 109000: 1}
ONCE_REFUSED, WAITING = 0.09, 4
MINUTE = timedelta(minutes=1)


@transaction.atomic
def make_history(merchant: Merchant) -> list[Shipment]:
    """Shipments for every order that has left and was not shipped here; some were refused at first."""
    if Shipment.objects.filter(merchant=merchant, door="demo-past").exists():
        return []
    dice, packers = random.Random(merchant.appid), _packers(merchant)  # noqa: S311 - the same demo each time
    orders = Order.objects.filter(merchant=merchant, status__in=LEFT, deliver_method=0, shipments=None)
    made = [_shipped(order, dice, packers) for order in orders.prefetch_related("parcels", "lines")]
    waiting = Order.objects.filter(merchant=merchant, status=20, deliver_method=0, shipments=None)
    for number, order in enumerate(waiting.order_by("-deadline_at")[:WAITING]):
        code, at = list(REFUSALS)[number], timezone.now() - (7 + 25 * number) * MINUTE
        made.append(_one(order, "ZTO", f"7391{order.order_id[-10:]}", at, packers[0], errcode=code))
    return made


def _packers(merchant: Merchant) -> list[User]:
    people = [User.objects.get(username="staff")]
    for username, name in PACKERS.items():
        person, _ = User.objects.get_or_create(username=username, defaults={"display_name": name})
        set_membership(user=person, merchant=merchant, role="staff")
        people.append(person)
    return people


def _shipped(order: Order, dice: random.Random, packers: Sequence[User]) -> Shipment:
    parcel = order.parcels.all()[0]
    at, person = parcel.delivered_at or timezone.now(), dice.choices(packers, (5, 3, 2))[0]
    corrects = None
    if dice.random() < ONCE_REFUSED:
        code = dice.choices(list(REFUSALS), list(REFUSALS.values()))[0]
        before = at - dice.randrange(8, 90) * MINUTE
        wrong = f"{parcel.waybill_id[:-1]}X"
        corrects = _one(order, parcel.delivery_id, wrong, before, person, errcode=code)
    shipment = _one(order, parcel.delivery_id, parcel.waybill_id, at, person, corrects=corrects)
    note_corrected([corrects] if corrects else [])
    return shipment


def _one(
    order: Order,
    courier: str,
    waybill: str,
    at: datetime,
    person: User,
    *,
    errcode: int = 0,
    corrects: Shipment | None = None,
) -> Shipment:
    """One shipment of the whole order with its call, answered `errcode` at `at`."""
    shipment = Shipment.objects.create(
        merchant=order.merchant, order=order, door="demo-past", created_by=person, corrects=corrects
    )
    call = Attempt.objects.create(
        merchant=order.merchant, order=order, shipment=shipment, run="demo", started_at=at - MINUTE / 60,
        sent_at=at - MINUTE / 60, ended_at=at, closed_at=at, errcode=errcode, elapsed_ms=300,
        then="rejected" if errcode else "accepted",
    )  # fmt: skip
    end = states.REJECTED if errcode else states.SHIPPED
    package = Package.objects.create(
        merchant=order.merchant, order=order, shipment=shipment, person=person, sent_by=person, position=0,
        deliver_type=1, delivery_id=courier, waybill_id=waybill, status=end, status_at=at, attempt=call,
        errcode=errcode or None,
    )  # fmt: skip
    PackageItem.objects.bulk_create(
        PackageItem(package=package, product_id=line.product_id, sku_id=line.sku_id, product_cnt=line.sku_cnt)
        for line in order.lines.all()
    )
    StatusChange.objects.bulk_create(_changes(package, person, call, at, end))
    Shipment.objects.filter(pk=shipment.pk).update(created_at=at - MINUTE)
    return shipment


def _changes(package: Package, person: User, call: Attempt, at: datetime, end: str) -> list[StatusChange]:
    steps = ((states.DRAFT, states.QUEUED, at - MINUTE), (states.QUEUED, states.SENDING, at - MINUTE / 60))
    waited = [
        StatusChange(package=package, source=source, target=target, at=when, who=who, by=by, attempt=attempt)
        for (source, target, when), who, by, attempt in zip(
            steps, (states.STAFF, states.WORKER), (person, None), (None, call), strict=True
        )
    ]
    last = StatusChange(
        package=package, source=states.SENDING, target=end, at=at, who=states.WORKER, attempt=call
    )
    return [*waited, last]
