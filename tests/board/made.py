"""A history of packages made at random, with the moments that borders are made of."""

import random
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client
from django.utils import timezone

from merchants.models import Merchant, User
from shipping import states
from shipping.models import Order, Package, Shipment

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
ENDS = {"shipped": 80, "rejected": 15, "unknown": 2, "cancelled": 3}
CODES = ((606005, ""), (-1, ""), (None, "address_changed"), (6060479, ""))


def package(store: Merchant, at: datetime, dice: random.Random, people: list[User], **more: Any) -> Package:
    """One package that reached a status of chance at this moment, with order and shipment of its own."""
    number = Order.objects.count()
    paid = at - timedelta(minutes=dice.choice((0, 1, 59, 60, 61, 700, 3000, 90000)))
    order = Order.objects.create(
        merchant=store, order_id=f"37{number:017d}", status=30, paid_at=paid if dice.random() < 0.9 else None
    )
    first = Shipment.objects.create(merchant=store, order=order)
    shipment = first
    if dice.random() < 0.2:
        shipment = Shipment.objects.create(merchant=store, order=order, corrects=first)
    status = dice.choices(list(ENDS), list(ENDS.values()))[0]
    errcode, slug = dice.choice(CODES) if status == states.REJECTED else (None, "")
    courier = dice.choice(("SF", "ZTO", ""))
    values = {
        "status": status, "status_at": at, "errcode": errcode, "slug": slug, "delivery_id": courier,
        "waybill_id": f"{courier}{number:012d}" if courier else "", "deliver_type": 1 if courier else 3,
        "person": dice.choice([*people, None]), "kind": dice.choice(["send"] * 9 + ["correction"]),
    }  # fmt: skip
    return Package.objects.create(
        merchant=store, order=order, shipment=shipment, position=0, **(values | more)
    )


def moments(dice: random.Random, first: datetime, last: datetime, count: int) -> list[datetime]:
    """Moments between two, some of them the very first and last of a Beijing day or hour."""
    found = []
    for _ in range(count):
        at = first + (last - first) * dice.random()
        border = at.replace(hour=16, minute=0, second=0, microsecond=0)
        at = dice.choice(
            (at, at, at, border, border - timedelta(microseconds=1), at.replace(minute=0, second=0))
        )
        found.append(min(max(at, first), last))
    return sorted(found)


def again(client: Client) -> Client:
    """A session of the morning is over by the afternoon."""
    client.force_login(User.objects.get(username="boss"))
    return client


def order(store: Merchant, *, status: int = 20, due: timedelta = timedelta(hours=2), **more: Any) -> Order:
    number = Order.objects.count()
    return Order.objects.create(
        merchant=store, order_id=f"38{number:017d}", status=status, deadline_at=timezone.now() + due,
        read_at=timezone.now(), **more,
    )  # fmt: skip


def in_trouble(order: Order, status: str, ago: timedelta, **more: Any) -> Package:
    shipment = Shipment.objects.create(merchant=order.merchant, order=order)
    values = {"deliver_type": 1, "delivery_id": "SF", "waybill_id": f"SF{order.pk:013d}", "position": 0}
    return Package.objects.create(
        merchant=order.merchant, order=order, shipment=shipment, status=status,
        status_at=timezone.now() - ago, **(values | more),
    )  # fmt: skip
