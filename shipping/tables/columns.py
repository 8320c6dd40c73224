"""What the columns of a file are, by the names that shops, malls, ERPs and other systems give them."""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Named
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

# The person says that a column is of no use here.
IGNORED = "ignored"

_TABLE = tomllib.loads(Path(__file__).with_name("columns.toml").read_text(encoding="utf-8"))
FIELDS: tuple[str, ...] = tuple(_TABLE["fields"])
_FIELD_OF: dict[str, tuple[str, int]] = {
    name: (key, rank) for key, names in _TABLE["fields"].items() for rank, name in enumerate(names)
}
_UNUSED, _UNUSED_STARTS = frozenset(_TABLE["unused"]["names"]), tuple(_TABLE["unused"]["starts"])

_DROPPED = re.compile(r"[\s_\-.:*#/]+")
_BRACKETS = re.compile(r"\([^)]*\)")


# A field -> what all its cells look like, the most telling first.
_LOOKS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("order_id", re.compile(r"37\d{17}", re.ASCII).fullmatch),
    ("waybill_id", re.compile(r"(?=.*\d{5})[A-Za-z0-9-]{8,32}", re.ASCII).fullmatch),
    ("delivery_id", re.compile(r"[^\W\d_]{2,20}").fullmatch),
)


@dataclass(frozen=True)
class Mapping:
    """Field -> column; `names_courier` stands beside a courier's code; what is unrecognised a person says.

    `guessed` says that there was no header and the cells themselves told the columns.
    """

    fields: Named[str, int] = field(default_factory=dict)
    unused: tuple[int, ...] = ()
    unrecognised: tuple[int, ...] = ()
    courier_name: int | None = None
    guessed: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "fields": dict(self.fields),
            "unused": list(self.unused),
            "unrecognised": list(self.unrecognised),
            "courier_name": self.courier_name,
            "guessed": self.guessed,
        }

    @classmethod
    def from_json(cls, stored: Named[str, Any]) -> "Mapping":
        lists = {name: tuple(stored.get(name) or ()) for name in ("unused", "unrecognised")}
        fields = {str(name): int(column) for name, column in (stored.get("fields") or {}).items()}
        return cls(
            fields, **lists, courier_name=stored.get("courier_name"), guessed=bool(stored.get("guessed"))
        )

    def answered(self, answers: Named[int, str]) -> "Mapping":
        """With what a person said of columns: a field's name, or IGNORED. The last word on a field counts."""
        fields = {name: column for name, column in self.fields.items() if column not in answers}
        fields |= {name: column for column, name in answers.items() if name != IGNORED}
        unused = {*self.unused, *self.fields.values(), *answers} - {*fields.values()}
        left = tuple(column for column in self.unrecognised if column not in answers)
        name = None if self.courier_name in answers else self.courier_name
        return Mapping(fields, tuple(sorted(unused)), left, name, self.guessed)


def normalised(header: str) -> str:
    """快递单号（必填）, Tracking Number and tracking_number by the key under which they are known."""
    plain = unicodedata.normalize("NFKC", header).lower()
    shown = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    return _DROPPED.sub("", shown)


def field_of(header: str, remembered: Named[str, str] | None = None) -> str:
    """The field a column's name means, IGNORED, or "" for a name that is not known."""
    key = normalised(header)
    if remembered and key in remembered:
        return remembered[key]
    for name in _spellings(key):
        if name in _FIELD_OF:
            return _FIELD_OF[name][0]
        if name in _UNUSED or name.startswith(_UNUSED_STARTS):
            return IGNORED
    return ""


def _spellings(key: str) -> tuple[str, str, str]:
    """As it is, with what is in brackets, without it: IMEI(1), 数量(件)."""
    return key, key.replace("(", "").replace(")", ""), _BRACKETS.sub("", key)


def recognise(columns: Sequence[str], remembered: Named[str, str] | None = None) -> Mapping:
    """What each column is. `remembered`: normalised name -> field or IGNORED, a merchant's earlier answers.

    Of two columns of one field the likelier name is taken and the other is unused; of two that name the
    courier the code is taken, and the name is kept beside it.
    """
    found = {column: field_of(name, remembered) for column, name in enumerate(columns)}
    fields: dict[str, int] = {}
    for column in sorted(found, key=lambda column: _rank(columns[column])):
        if found[column] not in ("", IGNORED):
            fields.setdefault(found[column], column)
    _add_conditional(columns, found, fields)
    used = set(fields.values())
    couriers = (column for column, name in found.items() if name == "delivery_id" and column not in used)
    unused = tuple(column for column, name in found.items() if name and column not in used)
    asked = (column for column, name in found.items() if not name and column not in used)
    unrecognised = tuple(column for column in asked if columns[column])
    return Mapping(fields, unused, unrecognised, next(couriers, None))


def guess_columns(sample: Sequence[Sequence[str]]) -> Mapping:
    """Rows without a header, by what they hold: an order's long number, a tracking number, a courier's name.

    The rest is unrecognised. A person confirms it: the mapping is marked as guessed.
    """
    columns = [[cell for cell in column if cell] for column in zip_longest(*sample, fillvalue="")]
    fields: dict[str, int] = {}
    for name, fits in _LOOKS:
        free = (n for n, cells in enumerate(columns) if cells and n not in fields.values())
        found = next((n for n in free if all(map(fits, columns[n]))), None)
        if found is not None:
            fields[name] = found
    left = tuple(n for n, cells in enumerate(columns) if cells and n not in fields.values())
    return Mapping(fields, unrecognised=left, guessed=True)


def _add_conditional(columns: Sequence[str], found: Named[int, str], fields: dict[str, int]) -> None:
    names = {normalised(columns[column]): column for column, name in found.items() if not name}
    for rule in _TABLE["beside"]:
        if rule["name"] in names and rule["field"] not in fields and rule["beside"] in fields:
            fields[rule["field"]] = names.pop(rule["name"])


def _rank(header: str) -> int:
    """How likely a name is; what a merchant said comes first."""
    names = (_FIELD_OF[name][1] for name in _spellings(normalised(header)) if name in _FIELD_OF)
    return next(names, -1)


def to_remember(columns: Sequence[str], answers: Named[int, str]) -> dict[str, str]:
    """A person's answers under the names of their columns, as `recognise` takes them next time."""
    named = {column: name for column, name in answers.items() if normalised(columns[column])}
    return {normalised(columns[column]): name for column, name in named.items()}
