"""A file of parcels -> one Draft per order, with the row and column of everything in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
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
from .filewords import why
from .models import Order
from .tables.columns import Mapping as Columns
from .tables.columns import normalised
from .tables.hostile import COMMAND, Limits
from .tables.reading import Table, open_table, values_of
from .tables.refusing import Refused

COLUMNS = (
    "order_id", "deliver_type", "delivery_id", "waybill_id", "product_id", "sku_id", "product_cnt",
    "sn_code", "imei1", "imei2", "start_time", "end_time", "wxa_appid", "wxa_path",
)  # fmt: skip
# Known from other systems' files: a merchant's own code of the goods; what only people read.
# A fault in a column that only people read stops nothing.
READ_BY_PEOPLE = ("package_no", "note")
ALSO = ("sku_code", *READ_BY_PEOPLE)
NO_ANSWERS: Mapping[str, str] = {}
GOODS = ("product_id", "sku_id", "product_cnt")
COURSE = ("start_time", "end_time", "wxa_appid", "wxa_path")
PACKAGE = tuple(name for name in COLUMNS if name not in (*GOODS, "order_id"))
# The end of a problem's path -> the column it stands in, where the two differ.
COLUMN_OF = {"items": "product_id", "course": "wxa_appid", "order": "order_id"}
BEIJING = ZoneInfo("Asia/Shanghai")


class UnusableSheet(Exception):
    """The file cannot be read as a whole; str is a sentence for the person."""


@dataclass
class Row:
    """One line of the file; `number` counts the header as 1; faults: field -> slug of what its cell lost."""

    number: int
    cells: dict[str, str]
    faults: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass
class SheetPackage:
    """The rows that make one package."""

    rows: list[Row]

    def value(self, name: str) -> str:
        for row in self.rows:
            if found := row.cells.get(name):
                return found
        return ""

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
        for name in PACKAGE if len(self.rows) > 1 else ():
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

    @cached_property
    def packages(self) -> list[SheetPackage]:
        """Asked for once couriers and goods of the rows are filled in."""
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


def read_sheet(
    data: bytes | Path, name: str = "", answers: Mapping[str, str] = NO_ANSWERS
) -> list[SheetOrder]:
    """Read a file into orders, in the file's order. Raises UnusableSheet.

    answers: a column's name -> its field, or IGNORED, for names that are not known.
    """
    orders: dict[str, SheetOrder] = {}
    current = ""
    for row in read_rows(data, (*COLUMNS, *ALSO), name=name, answers=answers):
        current = row["order_id"] or current
        orders.setdefault(current, SheetOrder(current)).rows.append(row)
    return list(orders.values())


def read_rows(
    data: bytes | Path,
    columns: tuple[str, ...],
    limits: Limits = COMMAND,
    *,
    name: str = "",
    answers: Mapping[str, str] = NO_ANSWERS,
) -> Iterator[Row]:
    """The rows of a file with these columns, empty ones left out. Raises UnusableSheet."""
    own = {normalised(column): column for column in columns}
    try:
        table = open_table(data, name, limits)
        known = own | {normalised(column): field for column, field in answers.items()}
        mapping = _checked(table, table.mapping(known), columns)
        for row in table.rows:
            if any(cell and not _is_named(table, n) for n, cell in enumerate(row.cells)):
                raise UnusableSheet(_("第 %d 行有单元格不在任何一列下面。") % row.number)
            texts, faults = values_of(row, mapping)
            if texts or faults:
                yield Row(row.number, texts, faults)
    except Refused as refused:
        raise UnusableSheet(why(refused)) from None


def _is_named(table: Table, column: int) -> bool:
    return column < len(table.columns) and bool(table.columns[column])


def _checked(table: Table, mapping: Columns, columns: tuple[str, ...]) -> Columns:
    """What the columns are, if nothing is left to ask: a command has nobody to answer."""
    names = table.columns
    foreign = [column for field, column in mapping.fields.items() if field not in columns]
    blank = [n for n, name in enumerate(names) if not name] if table.kind == "csv" else []
    if unknown := sorted({*mapping.unrecognised, *foreign, *blank}):
        shown = {"unknown": ", ".join(names[n] or _("（空）") for n in unknown), "known": ", ".join(columns)}
        raise UnusableSheet(_("不认识的列：%(unknown)s；可用的列是 %(known)s。") % shown)
    if "order_id" not in mapping.fields or not table.header_rows:
        raise UnusableSheet(_("缺少 order_id 列。"))
    keys = [normalised(name) for name in names if name]
    if len(set(keys)) < len(keys):
        raise UnusableSheet(_("有重复的列名。"))
    return mapping


def fill_goods(row: Row, order: Order) -> None:
    """A merchant's own code names the line that carries it; one that no line has stays for its rule."""
    code = row["sku_code"]
    if not code or row["product_id"]:
        return
    lines = [line for line in order.all_lines if line.sku_code.lower() == code.lower()]
    pairs = {(line.product_id, line.sku_id) for line in lines}
    row.cells["product_id"], row.cells["sku_id"] = pairs.pop() if len(pairs) == 1 else (code, "")


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
    """40097: no order id, or a cell whose content a spreadsheet has lost."""
    first = order.rows[0]
    if not names_an_order(order):
        yield first.number, "order_id", Problem("order", 40097, first.faults.get("order_id", ""))
    for row in order.rows:
        lost = {name: slug for name, slug in row.faults.items() if name not in READ_BY_PEOPLE}
        if not names_an_order(order) and row is first:
            lost.pop("order_id", None)
        yield from ((row.number, name, Problem(name, 40097, slug)) for name, slug in lost.items())


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
