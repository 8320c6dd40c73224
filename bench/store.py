"""A store on the sandbox and in the product, with orders to ship."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.db.transaction import atomic
from django.utils import timezone

from merchants.models import Merchant
from merchants.services import add_merchant
from sandbox import build
from sandbox.remote import Remote
from shipping import states
from shipping.drafts import Draft, PackageDraft
from shipping.labels import noted_of
from shipping.models import Allowance, Order, OrderBody, OrderLine, Package, PackageItem, Shipment
from shipping.pauses import READ, SEND
from shipping.services import queue_shipment
from shipping.syncing import read_order, sync_couriers, sync_return_address

SECRET = "b" * 32
OLD = timedelta(minutes=5)


def open_store(remote: Remote, appid: str) -> Merchant:
    """A store whose couriers are known and whose calls nobody slows down."""
    remote.merchant(appid, SECRET)
    store = add_merchant(appid=appid, name=appid, secret=SECRET)
    sync_couriers(store)
    sync_return_address(store)
    for call in (SEND, READ):
        Allowance.objects.create(merchant=store, call=call, read_at=timezone.now())
    store.refresh_from_db()
    return store


def place(remote: Remote, appid: str, count: int) -> list[str]:
    """So many new orders on the sandbox; their ids."""
    before = set(remote.ask("GET", f"/_sandbox/orders?appid={appid}"))
    first = remote.order(appid, [build.line("10000001", "20000001", 1)])
    remote.copy(first["order_id"], count - 1)
    return [key for key in remote.ask("GET", f"/_sandbox/orders?appid={appid}") if key not in before]


def take_in(store: Merchant, order_ids: list[str]) -> list[Order]:
    """The orders as the product has read them, some minutes ago: each send reads its order again."""
    orders = [order for key in order_ids if (order := read_order(store, key)[0])]
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(read_at=timezone.now() - OLD)
    return orders


def waybill(order_id: str) -> str:
    return f"SF{order_id[-13:]}"


def queue(orders: list[Order]) -> list[Shipment]:
    """Each order whole in one parcel, queued as the page queues it."""
    return [queue_shipment(order=order, user=None, draft=_draft(order.order_id)) for order in orders]


def _draft(order_id: str) -> Draft:
    return Draft(order_id, (PackageDraft(delivery_id="SF", waybill_id=waybill(order_id)),))


def read_first(store: Merchant, order_id: str) -> Order:
    """An order as the product reads it; raises ValueError when the sandbox has no such order."""
    order = read_order(store, order_id)[0]
    if order is None:
        raise ValueError(f"no order {order_id}")
    return order


def known_like(known: Order, store: Merchant, order_ids: list[str]) -> list[Order]:
    """Orders as `known` was left by a reading some minutes ago, its lines and body too, written at once."""
    shared = _columns(known, "id", "merchant_id", "order_id", "read_at", "due_at")
    orders = Order.objects.bulk_create(
        Order(**shared, merchant=store, order_id=key, read_at=timezone.now() - OLD) for key in order_ids
    )
    for line in known.lines.all():
        goods = _columns(line, "id", "order_id")
        OrderLine.objects.bulk_create(OrderLine(**goods, order=order) for order in orders)
    body = _columns(known.body, "id", "order_id")
    OrderBody.objects.bulk_create(OrderBody(**body, order=order) for order in orders)
    return orders


def _columns(row: Model, *but: str) -> dict[str, Any]:
    names = (field.attname for field in row._meta.concrete_fields)
    return {name: getattr(row, name) for name in names if name not in but}


@atomic
def known_in_bulk(store: Merchant, order_ids: list[str]) -> list[Order]:
    """Orders of one piece, read some minutes ago, written at once."""
    now = timezone.now()
    orders = Order.objects.bulk_create(
        Order(
            merchant=store, order_id=key, status=20, deliver_method=0, placed_at=now, paid_at=now,
            read_at=now - OLD, deadline_at=now + timedelta(days=2),
        )
        for key in order_ids
    )  # fmt: skip
    OrderLine.objects.bulk_create(
        OrderLine(order=order, position=0, product_id="10000001", sku_id="20000001", sku_cnt=1)
        for order in orders
    )
    return orders


@atomic
def queue_in_bulk(store: Merchant, order_ids: list[str], known: Order | None = None) -> list[int]:
    """As many orders with a parcel in the queue each, written at once; the packages' keys.

    `known`: what a reading leaves of such an order. A worker that runs meanwhile sees all of it or nothing,
    as it does of what the pages queue.
    """
    orders = known_like(known, store, order_ids) if known else known_in_bulk(store, order_ids)
    now = timezone.now()
    shipments = Shipment.objects.bulk_create(
        Shipment(merchant=store, order=order, due_at=now, noted=asdict(noted_of(order)), noted_at=now)
        for order in orders
    )
    packages = Package.objects.bulk_create(
        Package(
            merchant=store, order=each.order, shipment=each, position=0, deliver_type=1, delivery_id="SF",
            waybill_id=waybill(each.order.order_id), status=states.QUEUED,
        )
        for each in shipments
    )  # fmt: skip
    PackageItem.objects.bulk_create(
        PackageItem(package=package, product_id="10000001", sku_id="20000001", product_cnt=1)
        for package in packages
    )
    return [package.pk for package in packages]
