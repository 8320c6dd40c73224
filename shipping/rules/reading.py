"""How the rules read a draft, and how they say what is wrong with it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import wraps

from shipping.drafts import CourseDraft, Draft, Item, OrderFacts, PackageDraft, Pair, Problem, SerialDraft
from wechat.waybills import normalise

Problems = Iterator[Problem]
Rule = Callable[[Draft, OrderFacts], Problems]
Packages = Iterator[tuple[str, PackageDraft]]

ORDER = "order"


def when_read(rule: Rule) -> Rule:
    """A rule about facts of the order stays silent until the order was read."""

    @wraps(rule)
    def silent_until_read(draft: Draft, facts: OrderFacts) -> Problems:
        return rule(draft, facts) if facts.is_read else iter(())

    return silent_until_read


def as_far_as_known(rule: Rule) -> Rule:
    """What a person entered of an order is not the platform's word: there the rule only warns."""

    @wraps(rule)
    def warns_when_entered(draft: Draft, facts: OrderFacts) -> Problems:
        if facts.is_read:
            return rule(draft, facts)
        return (replace(found, stops=False) for found in rule(draft, facts) if facts.is_entered)

    return warns_when_entered


def packages(draft: Draft) -> Packages:
    return iter(draft.numbered)


def sent_as(kind: int, draft: Draft) -> Packages:
    return ((path, package) for path, package in packages(draft) if package.deliver_type == kind)


def items(draft: Draft) -> Iterator[tuple[str, Item]]:
    return iter(draft.numbered_items)


def courses(draft: Draft) -> Iterator[tuple[str, PackageDraft, CourseDraft]]:
    return iter(draft.numbered_courses)


def serials(draft: Draft) -> Iterator[tuple[str, SerialDraft]]:
    return iter(draft.numbered_serials)


def pairs(package: PackageDraft) -> set[Pair]:
    return {item.pair for item in package.items or ()}


def asked_for(packages: Iterable[PackageDraft]) -> Counter[Pair]:
    asked = Counter[Pair]()
    for item in (item for package in packages for item in package.items or ()):
        asked[item.pair] += max(0, item.count)
    return asked


def repeated(numbers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen = Counter[str]()
    for path, number in ((path, normalise(text)) for path, text in numbers):
        seen[number] += 1
        if number and seen[number] > 1:
            yield path, number


def stop(path: str, errcode: int | None = None, slug: str = "", **params: str | int) -> Problem:
    return Problem(path, errcode, slug, True, params)


def warn(path: str, errcode: int | None = None, slug: str = "", **params: str | int) -> Problem:
    return Problem(path, errcode, slug, False, params)
