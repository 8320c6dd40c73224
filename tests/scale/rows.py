"""Rows in bulk: stores with years of orders, most of them shipped long ago."""

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from merchants.models import Merchant, User
from shipping.models import Attempt, Hold, Order, OrderLine, Package, PackageItem, Parcel, Serial, Shipment

# Of a hundred orders: waiting, partly shipped, gifts, closed; the others shipped or done.
STATUSES = [20] * 3 + [21, 12, 200, 250] + [30] * 10 + [100] * 83
TITLES = ("手机 黑色", "手机壳", "口红 哑光", "面膜", "课程 十讲")


def fill(stores: list[Merchant], people: list[User], orders: int, batch: int = 2000, of: int = 0) -> None:
    """So many orders over the stores, the first of which has half of them; the oldest, if there are to be `of`."""
    chance = random.Random(7)
    for first in range(0, orders, batch):
        _batch(stores, people, range(first, min(first + batch, orders)), of or orders, chance)


def _batch(stores: Any, people: Any, numbers: Iterable[int], total: int, chance: random.Random) -> None:
    now = timezone.now()
    rows = []
    for number in numbers:
        store, at = chance.choice([stores[0], *stores]), now - timedelta(hours=12) * (total - number) / 1000
        rows.append(_order(store, number, at, chance))
    made = Order.objects.bulk_create(rows)
    lines = [_line(order, chance) for order in made]
    OrderLine.objects.bulk_create(lines)
    gone = [order for order in made if order.status in (21, 30, 100) or chance.random() < 0.02]
    _ship(gone, people, chance)
    held = [order for order in made if order.status == 20 and chance.random() < 0.05]
    Hold.objects.bulk_create(Hold(order=order, reason="缺货") for order in held)


def _order(store: Merchant, number: int, at: Any, chance: random.Random) -> Order:
    return Order(
        merchant=store, order_id=f"37{number:017d}", status=chance.choice(STATUSES), deliver_method=0,
        placed_at=at, paid_at=at, platform_updated_at=at, read_at=at, openid=f"o{number // 2}",
        deadline_at=at + timedelta(days=2) if chance.random() < 0.95 else None, is_present=number % 97 == 0,
        phone_last4=f"{number % 10000:04d}", alarm_at=at if number % 300 == 0 else None, address_hash="h",
    )  # fmt: skip


def _line(order: Order, chance: random.Random) -> OrderLine:
    title = chance.choice(TITLES)
    return OrderLine(order=order, position=0, product_id=f"1{len(title)}", sku_id="2", sku_cnt=1, title=title)


def _ship(orders: list[Order], people: list[User], chance: random.Random) -> None:
    shipments = Shipment.objects.bulk_create(
        Shipment(merchant=order.merchant, order=order, created_by=chance.choice(people)) for order in orders
    )
    packages = [_package(shipment, chance) for shipment in shipments]
    calls = Attempt.objects.bulk_create(
        Attempt(
            merchant=p.merchant, order=p.order, shipment=p.shipment, run="1", started_at=p.status_at,
            errcode=p.errcode or 0, ended_at=p.status_at, closed_at=p.status_at,
        )
        for p in packages
    )  # fmt: skip
    for package, call in zip(packages, calls, strict=True):
        package.attempt = call
    Package.objects.bulk_create(packages)
    PackageItem.objects.bulk_create(
        PackageItem(package=package, product_id="14", sku_id="2", product_cnt=1) for package in packages
    )
    shown = [package for package in packages if package.status == "shipped"]
    Parcel.objects.bulk_create(
        Parcel(order=package.order, delivery_id="SF", waybill_id=package.waybill_id, deliver_type=1)
        for package in shown
    )
    Serial.objects.bulk_create(Serial(package=package, sn_code=f"SN{package.pk}") for package in shown[::50])


def _package(shipment: Shipment, chance: random.Random) -> Package:
    status = chance.choices(("shipped", "rejected", "unknown", "cancelled"), (96, 2, 0.5, 1.5))[0]
    return Package(
        merchant=shipment.merchant, order=shipment.order, shipment=shipment, position=0,
        person=shipment.created_by, sent_by=shipment.created_by, deliver_type=1,
        delivery_id="SF", waybill_id=f"SF{shipment.order.order_id[-12:]}", status=status,
        status_at=shipment.order.placed_at, errcode=606005 if status == "rejected" else None,
    )  # fmt: skip
