"""A CSV, or the fields of a page -> orders as people enter them, with the place of all that is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from .asked import whole
from .drafts import EnteredLine, EnteredOrder
from .models.orders import ID
from .sheets import Row, read_rows
from .tables.cells import is_destroyed
from .tables.hostile import Limits

GOODS = ("product_id", "sku_id", "product_cnt", "title")
COLUMNS = ("order_id", *GOODS)
LONGEST_ORDER_ID, LONGEST_TITLE, MOST_PIECES, MOST_LINES = 32, 300, 100_000, 50
FIRST_LINES = 2


class Wrong(NamedTuple):
    """One thing wrong, at a row (of the file, or a line of the form from 0) and a column."""

    row: int
    column: str
    text: str


@dataclass
class EntryRows:
    """The rows that make one order."""

    order_id: str
    rows: list[Row] = field(default_factory=list)
    # Where an order without any goods is told so.
    first_row: int = 0

    def to_order(self) -> EnteredOrder:
        """The order, once nothing is wrong with it."""
        lines = (
            EnteredLine(r["product_id"], r["sku_id"], int(r["product_cnt"]), r["title"]) for r in self.rows
        )
        return EnteredOrder(self.order_id, tuple(lines))


def read_entries(raw: bytes) -> list[EntryRows]:
    """A UTF-8 CSV into orders; a row without an order id belongs to the one above. Raises UnusableSheet."""
    orders: dict[str, EntryRows] = {}
    current = ""
    for row in read_rows(raw, COLUMNS, Limits(lenient=True)):
        current = row["order_id"] or current
        orders.setdefault(current, EntryRows(current, first_row=row.number)).rows.append(row)
    return list(orders.values())


class EntryForm:
    """The page's form for one order, as it was typed."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.order_id = str(data.get("order_id") or "").strip()
        total = max(FIRST_LINES, min(whole(str(data.get("lines") or "")) or 0, MOST_LINES))
        total = min(MOST_LINES, total + 1) if "add" in data else total
        self.lines = [_typed(data, number) for number in range(total)]

    def to_rows(self) -> EntryRows:
        """The lines that hold something."""
        rows = [row for row in self.lines if any(row.cells.values())]
        return EntryRows(self.order_id, rows)


def _typed(data: Mapping[str, Any], number: int) -> Row:
    return Row(number, {name: str(data.get(f"l{number}-{name}") or "").strip() for name in GOODS})


def wrong_in(order: EntryRows) -> list[Wrong]:
    """Everything wrong with one order, in the order of its rows."""
    return [*_wrong_order_id(order), *(found for row in order.rows for found in _wrong_row(row))]


def _wrong_order_id(order: EntryRows) -> Iterator[Wrong]:
    named = order.order_id
    if not (named.isascii() and named.isdigit() and len(named) <= LONGEST_ORDER_ID):
        words = _(
            "订单号要是一串数字，例如 3700000000000000001；在表格里请把这一列设成文本，否则长号码会变样。"
        )
        yield Wrong(order.first_row, "order_id", words)
    if not order.rows:
        yield Wrong(
            order.first_row, "product_id", _("还没有商品：至少填一行，商品编号在微信小店后台的订单里。")
        )


def _wrong_row(row: Row) -> Iterator[Wrong]:
    for name in ("product_id", "sku_id"):
        if not row[name]:
            yield Wrong(row.number, name, _("缺少 %s；在微信小店后台的订单或商品页可以看到。") % name)
        elif is_destroyed(row[name]) or len(row[name]) > ID:
            yield Wrong(row.number, name, _("%s 的号码变了样：请把这一列设成文本，重新粘贴。") % name)
    if not 1 <= (whole(row["product_cnt"]) or 0) <= MOST_PIECES:
        yield Wrong(row.number, "product_cnt", _("件数要是 1 到 %d 的整数。") % MOST_PIECES)
    if len(row["title"]) > LONGEST_TITLE:
        yield Wrong(row.number, "title", _("商品名最多 %d 个字。") % LONGEST_TITLE)
