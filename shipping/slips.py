"""Packing slips: the papers there are, the orders of a print job, and what a slip says of each."""

from collections.abc import Iterable
from typing import NamedTuple

from django.http import Http404
from django.utils.translation import gettext_lazy as _

from merchants.models import User

from .lists import TO_SHIP, with_everything
from .models import Hold, Order, OrderLine, Printing
from .queries import goods_left, hold_of, orders_for

PAPERS = {"100x150": _("100×150 毫米"), "a4": _("A4 纸，一页四张")}
USUAL_PAPER = "100x150"
# More would be a page that the browser lays out for a minute, and an address too long for web servers.
AT_ONCE = 200


class SlipLine(NamedTuple):
    """A line of the order and how many pieces of it are still to be packed."""

    line: OrderLine
    left: int


class Slip(NamedTuple):
    """One order on paper."""

    order: Order
    lines: list[SlipLine]
    hold: Hold | None
    printings: list[Printing]

    @property
    def left(self) -> int:
        return sum(row.left for row in self.lines)

    @property
    def ordered(self) -> int:
        return sum(row.line.sku_cnt for row in self.lines)

    @property
    def waits(self) -> bool:
        """Whether WeChat waits for this order's parcels; another one says on paper what it is."""
        return self.order.status in TO_SHIP


def orders_to_print(user: User, order_ids: list[str]) -> list[Order]:
    """The orders in the order asked for, or 404 for all when one of them is not the user's."""
    rows = with_everything(orders_for(user).filter(order_id__in=order_ids).order_by("-pk"))
    found = {order.order_id: order for order in rows}
    if len(found) < len(order_ids):
        raise Http404
    return [found[order_id] for order_id in order_ids]


def slip_of(order: Order) -> Slip:
    lines = _gifts_below(_what_is_left(order))
    return Slip(order, lines, hold_of(order), list(order.printings.all()))


def _what_is_left(order: Order) -> Iterable[SlipLine]:
    """Where goods stand on two lines, what has left is taken to be from the first."""
    left = goods_left(order)
    for line in reversed(list(order.lines.all())):
        pair = (line.product_id, line.sku_id)
        count = max(0, min(left[pair], line.sku_cnt - line.finish_aftersale_sku_cnt))
        left[pair] -= count
        yield SlipLine(line, count)


def _gifts_below(rows: Iterable[SlipLine]) -> list[SlipLine]:
    """The lines as ordered, a free gift under the goods it comes with."""
    rows = sorted(rows, key=lambda row: row.line.position)
    mains: dict[str, int] = {}
    for line, _left in rows:
        if not line.is_free_gift:
            mains.setdefault(line.product_id, line.position)
    return sorted(rows, key=lambda row: (mains.get(row.line.gift_of, row.line.position), row.line.position))
