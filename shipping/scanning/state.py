"""What a station has in hand, what it tells, and what it asks of the world."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

from shipping.drafts import Pair, Problem

from .codes import same_code

Step = Literal["slip", "label", "count", "courier", "serial"]
# ok: saved. wait: not saved yet. bad: look up. idle: nothing in hand.
Tone = Literal["ok", "wait", "bad", "idle"]
Params = Mapping[str, str | int]


@dataclass(frozen=True)
class Goods:
    """Goods of the order in hand: `left` pieces may be packed; `codes` are what a scanner reads on them."""

    pair: Pair
    title: str
    left: int
    codes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return "/".join(self.pair)


@dataclass(frozen=True)
class Opened:
    """An order as it is now. `problems` are about the order itself, whatever is packed.

    couriers: code -> name of the store's list.
    """

    order_id: str
    goods: tuple[Goods, ...]
    problems: tuple[Problem, ...] = ()
    couriers: Mapping[str, str] = field(default_factory=dict)
    is_virtual: bool = False
    # The packer whose badge was scanned does not work for this store.
    is_foreign_packer: bool = False

    @property
    def left(self) -> int:
        return sum(goods.left for goods in self.goods)

    def find(self, code: str) -> tuple[Goods, ...]:
        """The goods that carry a code: one code may stand on several lines."""
        return tuple(goods for goods in self.goods if any(same_code(code, known) for known in goods.codes))


@dataclass(frozen=True)
class Parcel:
    """The package in hand. counted: goods key -> pieces scanned; row: of a file, in scanning out."""

    order_id: str
    counted: Mapping[str, int] = field(default_factory=dict)
    waybill: str = ""
    courier: str = ""
    sn: str = ""
    imei1: str = ""
    imei2: str = ""
    wants_serial: bool = False
    wants_courier: bool = False
    row: int = 0
    # More packages of this order follow; packages of it went before.
    goes_on: bool = False
    is_further: bool = False

    @property
    def pieces(self) -> int:
        return sum(self.counted.values())

    def knows(self, code: str) -> bool:
        """Whether this was scanned for this package before."""
        return bool(code) and code in (self.waybill, self.sn, self.imei1, self.imei2)


@dataclass(frozen=True)
class Question:
    """What only a scanned yes goes on with: `kind` names the answer's deed, `code` what it is about.

    `seen`: what the screen showed of address and goods, so that a yes counts for that and nothing newer.
    """

    kind: Literal["waybill", "serial", "switch", "short", "problems"]
    code: str = ""
    seen: str = ""


@dataclass(frozen=True)
class Saved:
    """A package that was queued: its shipment's key, where undo finds it again."""

    order_id: str
    waybill: str
    shipment: int
    codes: tuple[str, ...] = ()
    # The shipments of other orders that left under the same label.
    also: tuple[int, ...] = ()


@dataclass(frozen=True)
class Told:
    """The answer to a scan: how it sounds, which sentence, what stands in the way."""

    tone: Tone
    slug: str
    params: Params = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything a station remembers between two scans."""

    parcel: Parcel | None = None
    asks: Question | None = None
    last: Saved | None = None
    # Earlier looks of the package in hand, for undo; the latest at the end.
    past: tuple[Parcel, ...] = ()
    # Every piece must be scanned.
    must_count: bool = False
    # Scanning out: labels are looked for in this file.
    batch: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "State":
        last, asks = kept.get("last"), kept.get("asks")
        return cls(
            parcel=_parcel(kept.get("parcel")),
            asks=Question(**asks) if asks else None,
            last=_saved(last),
            past=tuple(parcel for each in kept.get("past", ()) if (parcel := _parcel(each))),
            must_count=bool(kept.get("must_count")),
            batch=int(kept.get("batch") or 0),
        )

    def put(self, parcel: Parcel) -> "State":
        """The package as it is after a scan; undo leads back to how it was."""
        past = (*self.past, self.parcel)[-30:] if self.parcel else ()
        return replace(self, parcel=parcel, asks=None, past=tuple(each for each in past if each))

    def empty(self) -> "State":
        return replace(self, parcel=None, asks=None, past=())


def _saved(kept: Mapping[str, Any] | None) -> Saved | None:
    return Saved(**{**kept, "codes": tuple(kept["codes"]), "also": tuple(kept["also"])}) if kept else None


def _parcel(kept: Mapping[str, Any] | None) -> Parcel | None:
    return Parcel(**kept) if kept else None


def step_of(state: State) -> Step:
    """What the next scan is expected to be."""
    parcel = state.parcel
    if parcel is None:
        return "slip"
    if not parcel.waybill:
        return "label"
    if parcel.wants_courier:
        return "courier"
    return "serial" if parcel.wants_serial else "count"


class Refused(Exception):
    """The world did not save the package; `problems` say why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("not saved")
        self.problems = problems


class World(Protocol):
    """What the machine asks for; every answer is of the moment and of what this person may see."""

    def open(self, order_id: str) -> Opened | None:
        """The order with this id, None if there is none for this person."""

    def rehearse(self, parcel: Parcel) -> tuple[Parcel, tuple[Problem, ...], str]:
        """The package with its courier, all that the rules find, and a word for what was looked at."""

    def save(self, parcel: Parcel, seen: str) -> Saved:
        """Queue it; `seen`: a person agreed to the order as it was then. Raises Refused."""

    def withdraw(self, saved: Saved) -> bool:
        """Take a saved package back; False when it has left."""

    def wear(self, badge: str) -> str:
        """Whose badge this is, who packs from now on; "" if it is nobody's of these stores."""

    def find_row(self, waybill: str) -> Parcel | Told:
        """Scanning out: the file's package with this label, or why there is none to send."""
