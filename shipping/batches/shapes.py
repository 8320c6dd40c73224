"""What a rehearsal found, as the rows keep it: packages, problems, the cause by which many are counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shipping.drafts import (
    CourseDraft,
    Draft,
    Item,
    Noted,
    OrderFacts,
    PackageDraft,
    Problem,
    SerialDraft,
)
from shipping.labels import read_noted
from shipping.models import BatchOrder

LONGEST_CAUSE = 160
COURIER = 606004
PARTS = ("course", "serial")


class Placed(NamedTuple):
    """A problem at its row and column."""

    row: int
    column: str
    problem: Problem


def packages_json(packages: Iterable[PackageDraft]) -> list[dict[str, Any]]:
    return [_package_json(package) for package in packages]


def _package_json(package: PackageDraft) -> dict[str, Any]:
    # dataclasses.asdict copies deeply, which thousands of packages feel.
    parts = {name: part and dict(vars(part)) for name, part in vars(package).items() if name in PARTS}
    items = None if package.items is None else [dict(vars(item)) for item in package.items]
    return {**vars(package), **parts, "items": items}


def package_from(kept: dict[str, Any]) -> PackageDraft:
    items, course, serial = kept["items"], kept["course"], kept["serial"]
    return PackageDraft(
        deliver_type=kept["deliver_type"],
        delivery_id=kept["delivery_id"],
        waybill_id=kept["waybill_id"],
        items=None if items is None else tuple(Item(**item) for item in items),
        course=course and CourseDraft(**course),
        serial=serial and SerialDraft(**serial),
    )


def draft_of(row: BatchOrder) -> Draft:
    """The submission as it was rehearsed."""
    packages = tuple(package_from(kept) for kept in row.packages)
    return Draft(row.key, packages, read_noted(row.noted))


def problems_json(problems: Iterable[Placed]) -> list[list[Any]]:
    return [[row, column, p.errcode, p.slug, p.stops, dict(p.params)] for row, column, p in problems]


def problems_of(row: BatchOrder) -> list[Placed]:
    return [
        Placed(number, column, Problem(column, errcode, slug, stops, params))
        for number, column, errcode, slug, stops, params in row.problems
    ]


def cause_of(problems: Sequence[Placed]) -> str:
    """The first thing that stops: its code, its column, and for a courier the name nobody knows."""
    stopping = next((placed for placed in problems if placed.problem.stops), None)
    if stopping is None:
        return ""
    problem = stopping.problem
    name = problem.params.get("delivery_id", "") if problem.errcode == COURIER else ""
    return f"{problem.errcode or problem.slug}|{stopping.column}|{name}"[:LONGEST_CAUSE]


@dataclass(frozen=True)
class Cause:
    """`cause_of` taken apart again."""

    code: str
    column: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "Cause":
        code, column, name = [*text.split("|", 2), "", ""][:3]
        return cls(code, column, name)

    @property
    def is_courier(self) -> bool:
        return self.code == str(COURIER) and self.column == "delivery_id"


def leaves(facts: OrderFacts, packages: Iterable[PackageDraft]) -> int:
    """Pieces that stay unshipped after these packages."""
    sent = sum(max(0, item.count) for package in packages for item in package.items or ())
    return max(0, sum(goods.left for goods in facts.goods) - sent)


def noted_json(noted: Noted) -> dict[str, Any]:
    return dict(vars(noted))
