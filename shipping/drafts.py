"""The words the rules speak: what someone wants to ship, what is known of the order, what is wrong.

Plain frozen dataclasses; no Django, no database, no clock. Numbers that arrived as something else stay text,
so that a rule can say which field is not a number instead of a door guessing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

Number = int | str | None
Pair = tuple[str, str]

EXPRESS, VIRTUAL = 1, 3
# What a shipment is: goods that leave, a number put right, a parcel sent a second time.
SEND, CORRECTION, COMPENSATION = KINDS = ("send", "correction", "compensation")
# store-api 2.4, 2.5: the most calls of an order.
CORRECTIONS, COMPENSATIONS = 3, 10
# Why a parcel is sent again, as the platform numbers it.
MISSED, SPLIT, DAMAGED, GIFT = REASONS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Item:
    """Goods of one line inside a package (document section 2, product_infos)."""

    product_id: str
    sku_id: str
    product_cnt: Number

    @property
    def pair(self) -> Pair:
        return (self.product_id, self.sku_id)

    @property
    def count(self) -> int:
        return self.product_cnt if isinstance(self.product_cnt, int) else 0


@dataclass(frozen=True)
class CourseDraft:
    """course_info: times in unix seconds, optional; path of type 0, a mini program."""

    start_time: Number = None
    end_time: Number = None
    wxa_appid: str = ""
    wxa_path: str = ""


@dataclass(frozen=True)
class SerialDraft:
    """sn_info: the subsidy serial number and up to two IMEIs."""

    sn_code: str = ""
    imei1: str = ""
    imei2: str = ""


@dataclass(frozen=True)
class PackageDraft:
    """One element of delivery_list. `items` None means: everything that is left.

    `old` of a correction: courier and number as WeChat shows them, which is what they are told by.
    """

    deliver_type: Number = None
    delivery_id: str = ""
    waybill_id: str = ""
    items: tuple[Item, ...] | None = None
    course: CourseDraft | None = None
    serial: SerialDraft | None = None
    old: tuple[str, str] | None = None


@dataclass(frozen=True)
class Noted:
    """What an order said when its tracking number was first entered, imported or printed.

    goods are (product_id, sku_id); the address is as read, masked, and equal hashes are equal addresses.
    """

    address_hash: str = ""
    address: str = ""
    goods: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Draft:
    """One submission for one order; `noted` None: nothing was noted that could have changed."""

    order_id: str
    packages: tuple[PackageDraft, ...]
    noted: Noted | None = None
    kind: str = SEND
    # Why a parcel is sent again: one of REASONS.
    reason: Number = None

    @cached_property
    def numbered(self) -> tuple[tuple[str, PackageDraft], ...]:
        """Each package with the path that a problem names it by: every rule asks for it."""
        return tuple((f"packages[{n}]", package) for n, package in enumerate(self.packages))

    @cached_property
    def numbered_items(self) -> tuple[tuple[str, Item], ...]:
        """The goods of all packages, each with its path."""
        packed = ((path, package.items or ()) for path, package in self.numbered)
        return tuple((f"{path}.items[{n}]", item) for path, own in packed for n, item in enumerate(own))

    @cached_property
    def numbered_courses(self) -> tuple[tuple[str, PackageDraft, CourseDraft], ...]:
        """The packages of courses, each with the path of its course."""
        return tuple((f"{path}.course", p, p.course) for path, p in self.numbered if p.course is not None)

    @cached_property
    def numbered_serials(self) -> tuple[tuple[str, SerialDraft], ...]:
        """The devices of all packages, each with its path."""
        return tuple((f"{path}.serial", p.serial) for path, p in self.numbered if p.serial is not None)


@dataclass(frozen=True)
class Goods:
    """One (product_id, sku_id) of an order, summed over its lines; counts in pieces.

    left = ordered - refunded - taken, at least 0; taken counts parcels read and our packages under way,
    shipped only those that have left.
    is_subsidy: the order shows that the subsidy is on these goods.
    """

    product_id: str
    sku_id: str
    title: str = ""
    ordered: int = 0
    refunded: int = 0
    taken: int = 0
    shipped: int = 0
    is_subsidy: bool = False

    @property
    def pair(self) -> Pair:
        return (self.product_id, self.sku_id)

    @property
    def left(self) -> int:
        return max(0, self.ordered - self.refunded - self.taken)


@dataclass(frozen=True)
class Shown:
    """A parcel that WeChat shows; items are (product_id, sku_id, product_cnt)."""

    delivery_id: str
    waybill_id: str
    deliver_type: int | None = EXPRESS
    items: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True)
class After:
    """What is known of an order since it left; both counts are of accepted calls of ours.

    is_closed: WeChat has refused another correction.
    """

    parcels: tuple[Shown, ...] = ()
    corrections: int = 0
    is_closed: bool = False
    resends: int = 0


@dataclass(frozen=True)
class SerialHolder:
    """Where a device's number is used: the order, who packed it, when; "" for what is not to be told."""

    order_id: str = ""
    who: str = ""
    at: str = ""


@dataclass(frozen=True)
class EnteredLine:
    """Goods of an order as a person entered them; count in pieces."""

    product_id: str
    sku_id: str
    count: int
    title: str = ""


@dataclass(frozen=True)
class EnteredOrder:
    """An order of a store whose orders nobody may read, as a person entered it."""

    order_id: str
    lines: tuple[EnteredLine, ...]


@dataclass(frozen=True)
class OrderFacts:
    """What was read about an order and its merchant. None: never read, so a rule may only warn."""

    order_id: str
    is_read: bool = True
    # Not read: its goods are as a person entered them.
    is_entered: bool = False
    status: int | None = None
    is_paid: bool = False
    deliver_method: int | None = None
    goods: tuple[Goods, ...] = ()
    waybills_used: frozenset[str] = frozenset()
    on_aftersale: int = 0
    address_under_review: bool = False
    sku_change_waiting: bool = False
    is_subsidy: bool = False
    quality_inspect_type: int = 0
    inspect_status: int | None = None
    has_risk: bool = False
    needs_ewaybill: bool = False
    has_online_waybill: bool = False
    has_return_address: bool | None = None
    # Parcels of the store are saved and wait; told to preflight only.
    is_paused: bool = False
    couriers: Mapping[str, str] | None = None
    courier_initials: Mapping[str, str] = field(default_factory=dict)
    # Numbers of the draft, SN or IMEI, that other packages hold.
    serials_used: Mapping[str, SerialHolder] = field(default_factory=dict)
    address_hash: str = ""
    address: str = ""
    changed_at: str = ""
    held_reason: str | None = None
    held_by: str = ""
    # Waybills of the draft that another buyer's order carries already -> that order's id.
    waybills_elsewhere: Mapping[str, str] = field(default_factory=dict)
    met_before: frozenset[tuple[int, str, str]] = frozenset()
    after: After = After()

    @property
    def has_goods(self) -> bool:
        """Whether the lines were read; an answer without any tells nothing about them."""
        return self.is_read and bool(self.goods)

    @property
    def noted(self) -> Noted:
        pairs = tuple(goods.pair for goods in self.goods) if self.is_read else ()
        return Noted(self.address_hash, self.address, pairs)

    def find(self, pair: Pair) -> Goods | None:
        return next((goods for goods in self.goods if goods.pair == pair), None)

    @property
    def suggested_type(self) -> int:
        """deliver_method 1 is virtual by the document, 3 by other sources."""
        return VIRTUAL if self.deliver_method in (1, 3) else EXPRESS


@dataclass(frozen=True)
class Problem:
    """One thing wrong: the platform's number it prevents (or our slug), where, and whether it stops."""

    path: str
    errcode: int | None = None
    slug: str = ""
    stops: bool = True
    params: Mapping[str, str | int] = field(default_factory=dict)


def everything_left(facts: OrderFacts) -> tuple[Item, ...]:
    return tuple(Item(g.product_id, g.sku_id, g.left) for g in facts.goods if g.left)


def fill_blanks(draft: Draft, facts: OrderFacts) -> Draft:
    """Give a blank deliver_type the order's own, and blank goods everything that is left."""
    return replace(draft, packages=tuple(_fill(package, facts) for package in draft.packages))


def _fill(package: PackageDraft, facts: OrderFacts) -> PackageDraft:
    kind = facts.suggested_type if package.deliver_type in (None, "") else package.deliver_type
    items = everything_left(facts) if package.items is None else package.items
    return replace(package, deliver_type=kind, items=items)
