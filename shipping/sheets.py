"""A UTF-8 CSV of parcels -> one Draft per order, with the row and column of everything in it."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from wechat.waybills import normalise

from .drafts import (
    VIRTUAL,
    CourseDraft,
    Draft,
    Item,
    Number,
    OrderFacts,
    PackageDraft,
    Problem,
    SerialDraft,
)

COLUMNS = (
    "order_id", "deliver_type", "delivery_id", "waybill_id", "product_id", "sku_id", "product_cnt",
    "sn_code", "imei1", "imei2", "start_time", "end_time", "wxa_appid", "wxa_path",
)  # fmt: skip
GOODS = ("product_id", "sku_id", "product_cnt")
COURSE = ("start_time", "end_time", "wxa_appid", "wxa_path")
PACKAGE = tuple(name for name in COLUMNS if name not in (*GOODS, "order_id"))
IDS = ("order_id", "waybill_id", "product_id", "sku_id", "sn_code", "imei1", "imei2")
# What Excel makes of a long id: 3.70E+18. The digits are lost.
DESTROYED = re.compile(r"\d[\d.]*E\+\d+", re.ASCII | re.IGNORECASE)
# The end of a problem's path -> the column it stands in, where the two differ.
COLUMN_OF = {"items": "product_id", "course": "wxa_appid", "order": "order_id"}
BEIJING = ZoneInfo("Asia/Shanghai")


class UnusableSheet(Exception):
    """The file cannot be read as a whole; str is a sentence for the person."""


@dataclass
class Row:
    """One line of the file; `number` counts the header as 1."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass
class SheetPackage:
    """The rows that make one package."""

    rows: list[Row]

    def value(self, name: str) -> str:
        return next((row[name] for row in self.rows if row[name]), "")

    def row_of(self, name: str) -> int:
        return next((row.number for row in self.rows if row[name]), self.rows[0].number)

    @property
    def goods_rows(self) -> list[Row]:
        """The rows that say something about goods, in step with the draft's items."""
        return [row for row in self.rows if any(row[name] for name in GOODS)]

    @property
    def names_goods(self) -> bool:
        return bool(self.goods_rows)

    def differing(self) -> Iterator[tuple[int, str]]:
        """Each package field that its rows do not agree on, with the first row that says another thing."""
        for name in PACKAGE:
            first = _plain(name, self.value(name))
            others = (row.number for row in self.rows if row[name] and _plain(name, row[name]) != first)
            if (number := next(others, None)) is not None:
                yield number, name


@dataclass
class SheetOrder:
    """The packages the file wants for one order."""

    order_id: str
    rows: list[Row] = field(default_factory=list)

    @property
    def waybills(self) -> set[str]:
        return {normalise(row["waybill_id"]) for row in self.rows} - {""}

    @property
    def serials(self) -> set[str]:
        return {row[name] for row in self.rows for name in ("sn_code", "imei1", "imei2")} - {""}

    @property
    def packages(self) -> list[SheetPackage]:
        courses = {_sku(row) for row in self.rows if any(row[name] for name in COURSE)}
        groups: dict[tuple[str, ...], SheetPackage] = {}
        for row in self.rows:
            groups.setdefault(_package_key(row, courses), SheetPackage([])).rows.append(row)
        return list(groups.values())


def _plain(name: str, text: str) -> str:
    """The spelling that counts when the rows of a package are compared."""
    return normalise(text) if name in ("waybill_id", "delivery_id") else text


def _sku(row: Row) -> tuple[str, ...]:
    return (row["product_id"], row["sku_id"])


def _package_key(row: Row, courses: set[tuple[str, ...]]) -> tuple[str, ...]:
    """Same waybill, same package; a course is one package per sku; the rest of an order is one package."""
    if waybill := normalise(row["waybill_id"]):
        return ("waybill", waybill)
    return ("course", *_sku(row)) if _sku(row) in courses else ()


def read_sheet(raw: bytes) -> list[SheetOrder]:
    """Read a file into orders, in the file's order. Raises UnusableSheet."""
    orders: dict[str, SheetOrder] = {}
    current = ""
    for row in read_rows(raw):
        current = row["order_id"] or current
        orders.setdefault(current, SheetOrder(current)).rows.append(row)
    return list(orders.values())


def read_rows(raw: bytes, columns: tuple[str, ...] = COLUMNS) -> Iterator[Row]:
    """The lines of a CSV with these columns, empty ones left out. Raises UnusableSheet."""
    try:
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(header, columns)
        for count, cells in enumerate(reader, 2):
            if row := _row(count, header, [cell.strip() for cell in cells]):
                yield row
    except UnicodeDecodeError:
        raise UnusableSheet(_("文件不是 UTF-8 编码；请在 Excel 里另存为“CSV UTF-8”。")) from None
    except csv.Error as error:
        raise UnusableSheet(_("文件不是有效的 CSV：%s") % error) from None


def _row(count: int, header: list[str], cells: list[str]) -> Row | None:
    """None for an empty line. A cell without a column name is never dropped in silence."""
    named = dict(zip(header, cells, strict=False))
    if any(cells[len(header) :]):
        raise UnusableSheet(_("第 %d 行有单元格不在任何一列下面。") % count)
    return Row(count, named) if any(named.values()) else None


def _check_header(header: list[str], columns: tuple[str, ...]) -> None:
    while header and not header[-1]:
        header.pop()
    if len(header) == 1 and (other := re.search(r"[;\t|；，]", header[0])):
        raise UnusableSheet(_("各列之间要用英文逗号，这个文件用的是“%s”。") % other[0])
    unknown = [name or _("（空）") for name in header if name not in columns]
    if unknown:
        names = {"unknown": ", ".join(unknown), "known": ", ".join(columns)}
        raise UnusableSheet(_("不认识的列：%(unknown)s；可用的列是 %(known)s。") % names)
    if "order_id" not in header:
        raise UnusableSheet(_("缺少 order_id 列。"))
    if len(set(header)) < len(header):
        raise UnusableSheet(_("有重复的列名。"))


def number(text: str) -> Number:
    """A whole number if it reads as one; blank is None; anything else stays text for the rule to name."""
    is_whole = text.isascii() and text.removeprefix("-").isdigit() and len(text) < 19
    return int(text) if is_whole else text or None


def moment(text: str) -> Number:
    """Unix seconds, or YYYY-MM-DD HH:MM in Beijing."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING).timestamp())
    except ValueError:
        return number(text)


def to_draft(order_id: str, packages: list[SheetPackage], facts: OrderFacts) -> Draft:
    """The packages as the rules see them: a blank count means all that is left of that line."""
    return Draft(order_id, tuple(_filled(as_written(package, facts), facts) for package in packages))


def as_written(package: SheetPackage, facts: OrderFacts) -> PackageDraft:
    """The package as the file has it: a blank count is None."""
    return PackageDraft(
        deliver_type=number(package.value("deliver_type")),
        delivery_id=package.value("delivery_id"),
        waybill_id=package.value("waybill_id"),
        items=tuple(_items(package, facts)) if package.names_goods else None,
        course=_course(package),
        serial=_serial(package),
    )


def _items(package: SheetPackage, facts: OrderFacts) -> Iterator[Item]:
    for row in package.goods_rows:
        sku = row["sku_id"] or _only_sku(row["product_id"], facts)
        yield Item(row["product_id"], sku, number(row["product_cnt"]))


def _filled(package: PackageDraft, facts: OrderFacts) -> PackageDraft:
    if package.items is None:
        return package
    items = (
        i if i.product_cnt is not None else replace(i, product_cnt=_left(i, facts)) for i in package.items
    )
    return replace(package, items=tuple(items))


def _only_sku(product_id: str, facts: OrderFacts) -> str:
    skus = [goods.sku_id for goods in facts.goods if goods.product_id == product_id]
    return skus[0] if len(skus) == 1 else ""


def _left(item: Item, facts: OrderFacts) -> int:
    """A blank count means all that is left; at least 1, so that nothing left is said by its own rule."""
    goods = facts.find(item.pair)
    return max(1, goods.left) if goods else 1


def _course(package: SheetPackage) -> CourseDraft | None:
    if not any(package.value(name) for name in COURSE):
        return None
    start, end = moment(package.value("start_time")), moment(package.value("end_time"))
    return CourseDraft(start, end, package.value("wxa_appid"), package.value("wxa_path"))


def _serial(package: SheetPackage) -> SerialDraft | None:
    texts = [package.value(name) for name in ("sn_code", "imei1", "imei2")]
    return SerialDraft(*texts) if any(texts) else None


def sheet_problems(order: SheetOrder) -> list[tuple[int, str, Problem]]:
    """What is wrong with the rows themselves, as (row, column, problem)."""
    return [*_unreadable_ids(order), *_rows_that_differ(order), *_blank_goods(order)]


def names_an_order(order: SheetOrder) -> bool:
    return order.order_id.isascii() and order.order_id.isdigit()


def _unreadable_ids(order: SheetOrder) -> Iterator[tuple[int, str, Problem]]:
    """40097: no order id, or an id that a spreadsheet turned into a number."""
    if not names_an_order(order):
        yield order.rows[0].number, "order_id", Problem("order", 40097)
    for row in order.rows:
        for name in IDS[1:]:
            if DESTROYED.fullmatch(row[name]):
                yield row.number, name, Problem(name, 40097)


def _rows_that_differ(order: SheetOrder) -> Iterator[tuple[int, str, Problem]]:
    for package in order.packages:
        for count, name in package.differing():
            yield count, name, Problem(name, slug="package_rows_differ")


def _blank_goods(order: SheetOrder) -> Iterator[tuple[int, str, Problem]]:
    blank = [package for package in order.packages if not package.names_goods]
    for package in blank if len(order.packages) > 1 else ():
        yield package.rows[0].number, "product_id", Problem("product_id", slug="goods_blank_in_many")


def place(problem: Problem, packages: list[SheetPackage], order: SheetOrder) -> tuple[int, str]:
    """The row and column of a problem's path."""
    index, name, item = _split(problem.path)
    column = COLUMN_OF.get(name, name)
    if index is None or index >= len(packages):
        return order.rows[0].number, "order_id"
    package = packages[index]
    if item is not None and item < len(package.goods_rows):
        return package.goods_rows[item].number, column
    return package.row_of(column), column


def _split(path: str) -> tuple[int | None, str, int | None]:
    """`packages[1].items[2].product_cnt` -> (1, "product_cnt", 2)."""
    if not path.startswith("packages["):
        return None, path, None
    index, _, rest = path.removeprefix("packages[").partition("]")
    item = rest.partition("items[")[2].partition("]")[0]
    return int(index), rest.rpartition(".")[2].partition("[")[0], int(item) if item else None


def leaves_blanks(package: SheetPackage) -> bool:
    """Whether its goods can be told only from what is left of the order."""
    rows = package.goods_rows
    return not rows or any(not (row["sku_id"] and row["product_cnt"]) for row in rows)


def is_virtual(package: SheetPackage, facts: OrderFacts) -> bool:
    return (number(package.value("deliver_type")) or facts.suggested_type) == VIRTUAL
