"""What WeChat pushes about an order: a hint that it is to be read, nothing more (store-api 4.1, 4.4)."""

from datetime import datetime

from merchants.models import Merchant

from .models import Order
from .services import ask_reading
from .told import EXT_INFO, URGED


def take(merchant: Merchant, order_id: str, event: str, detail: int | None, when: datetime) -> None:
    """An event came: until it is read, what we know of the order is old. In the caller's transaction.

    An order that nobody has read yet is from now on known by its name.
    """
    order, _ = Order.objects.get_or_create(merchant=merchant, order_id=order_id)
    if event == EXT_INFO and detail == URGED:
        Order.objects.filter(pk=order.pk).update(urged_at=when)
    ask_reading(order=order)
