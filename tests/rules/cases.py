"""A sound draft and its order, and the one way a table names what it expects."""

from dataclasses import replace
from typing import Any

from shipping.drafts import CourseDraft, Draft, Goods, Item, OrderFacts, PackageDraft, Problem, SerialDraft
from shipping.rules import check

IMEI, OTHER_IMEI = "490154203237518", "356938035643809"
A, B = ("12345", "678910"), ("12346", "678911")
COURSE = CourseDraft(1675180800, 1675958400, "wxabcdes", "path")


def item(count: Any = 1, pair: tuple[str, str] = A) -> Item:
    return Item(*pair, count)


def express(**changes: Any) -> PackageDraft:
    sound = PackageDraft(1, "SF", "SF1234567890123", (item(),))
    return replace(sound, **changes)


def virtual(**changes: Any) -> PackageDraft:
    return replace(PackageDraft(3, items=(item(3), item(3, B))), **changes)


def course(**changes: Any) -> PackageDraft:
    info = {name: changes.pop(name) for name in list(changes) if name in COURSE.__dataclass_fields__}
    return virtual(course=replace(COURSE, **info), **changes)


def serial(sn_code: str = "SN1", imei1: str = "", imei2: str = "", **changes: Any) -> PackageDraft:
    return express(serial=SerialDraft(sn_code, imei1, imei2), **changes)


def draft(*packages: PackageDraft, order_id: str = "123456") -> Draft:
    return Draft(order_id, packages)


def facts(**changes: Any) -> OrderFacts:
    sound = OrderFacts(
        "123456",
        status=20,
        is_paid=True,
        deliver_method=0,
        goods=(Goods(*A, "tea", 3), Goods(*B, "cup", 3)),
        has_return_address=True,
        couriers={"SF": "顺丰速运", "YD": "韵达", "JD": "京东"},
    )
    return replace(sound, **changes)


def virtual_facts(**changes: Any) -> OrderFacts:
    return facts(**{"deliver_method": 1, **changes})


def named(problems: list[Problem]) -> list[tuple[int | str, str, bool]]:
    return sorted(((p.errcode or p.slug, p.path, p.stops) for p in problems), key=str)


def found(packages: Draft | PackageDraft | tuple[PackageDraft, ...], known: OrderFacts | None = None) -> Any:
    whole = packages if isinstance(packages, Draft) else draft(*_as_tuple(packages))
    return named(check(whole, known or facts()))


def _as_tuple(packages: Any) -> tuple[PackageDraft, ...]:
    return packages if isinstance(packages, tuple) else (packages,)


def expected(*problems: tuple[int | str, str, bool]) -> list[tuple[int | str, str, bool]]:
    return sorted(problems, key=str)
