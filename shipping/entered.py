"""Orders that people enter because nobody may read them: their goods, and the status our parcels give."""

from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from merchants.models import Merchant, User

from .drafts import EnteredOrder
from .models import Order, OrderLine
from .pauses import may_not_read
from .queries import order_facts
from .wake import wake

TO_SHIP, PARTLY_SHIPPED, ALL_SHIPPED = 20, 21, 30


class Entered(StrEnum):
    """What entering an order came to; `read`: it was read from WeChat, and nothing was changed."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    READ = "read"


@transaction.atomic
def enter_order(*, merchant: Merchant, entered: EnteredOrder, user: User | None) -> Entered:
    """Write the goods of an order as a person knows them; a reading, now or later, takes their place."""
    order, is_new = Order.objects.get_or_create(merchant=merchant, order_id=entered.order_id)
    # Only while it was never read: whoever reads it meanwhile holds the row, and wins.
    taken = Order.objects.filter(pk=order.pk, read_at=None).update(revision=F("revision") + 1)
    if not taken:
        return Entered.READ
    if order.entered_at and _lines_of(order) == [tuple(vars(line).values()) for line in entered.lines]:
        return Entered.SAME
    Order.objects.filter(pk=order.pk).update(entered_at=timezone.now(), entered_by=user, status=TO_SHIP)
    order.lines.all().delete()
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order, position=position, product_id=line.product_id, sku_id=line.sku_id,
            sku_cnt=line.count, title=line.title,
        )
        for position, line in enumerate(entered.lines)
    )  # fmt: skip
    move_status_on(order)
    if not may_not_read(merchant.pk):
        wake("read_by_id", str(merchant.pk), entered.order_id)
    return Entered.ADDED if is_new or order.entered_at is None else Entered.CHANGED


def _lines_of(order: Order) -> list[tuple[str | int, ...]]:
    return list(order.lines.values_list("product_id", "sku_id", "sku_cnt", "title"))


def move_status_on(order: Order) -> None:
    """Where nobody can read an order, its status follows from our own parcels that have left."""
    if order.read_at is not None and not may_not_read(order.merchant_id):
        return
    goods = order_facts(order).goods
    if goods and not any(each.shipped for each in goods):
        return
    is_whole = all(each.shipped >= each.ordered - each.refunded for each in goods)
    waits = Order.objects.filter(Q(status=None) | Q(status__in=(TO_SHIP, PARTLY_SHIPPED)), pk=order.pk)
    waits.update(status=ALL_SHIPPED if is_whole else PARTLY_SHIPPED)
