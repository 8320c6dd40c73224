"""Browser fields -> Draft, keeping every character that was typed; problems find their field by path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from wechat.couriers import named
from wechat.errcodes import meaning, problem_text
from wechat.waybills import guess, normalise, same_courier

from .asked import whole
from .drafts import VIRTUAL, CourseDraft, Draft, Item, Number, OrderFacts, PackageDraft, Problem, SerialDraft

TEXTS = (
    "deliver_type", "delivery_id", "waybill_id", "sn_code", "imei1", "imei2",
    "start_time", "end_time", "wxa_appid", "wxa_path",
)  # fmt: skip
# The last part of a problem's path -> the field of a card where it is shown.
OTHER_COURIER, OTHER_WORDS = "OTHER", ("其他", "其他快递公司", "qt")
# Room for what the other orders of one parcel add to it.
LONGEST_KEY = 40
SHOWN_AT = {"items": "goods", "course": "wxa_appid", "product_cnt": "goods", "product_id": "goods"}


def number(text: str) -> Number:
    """A whole number if it reads as one; blank is None; anything else stays text for the rule to name."""
    stripped = text.strip()
    is_whole = stripped.isascii() and stripped.removeprefix("-").isdigit() and len(stripped) < 19
    return int(stripped) if is_whole else stripped or None


def moment(text: str) -> Number:
    """Unix seconds, or a Beijing time like 2026-11-24 10:00; anything else stays text for its rule."""
    try:
        typed = datetime.strptime(text.strip().replace("T", " "), "%Y-%m-%d %H:%M")
    except ValueError:
        return number(text)
    return int(typed.replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp())


def resolve_courier(typed: str, facts: OrderFacts) -> str:
    """A name, a code or the initials of one courier -> its code; anything else stays for its rule to name.

    An old code stays as well: its rule warns, and WeChat decides.
    """
    listed = facts.couriers or {}
    by_name = [code for code, name in listed.items() if typed in (name, f"{name} {code}")]
    by_code = [code for code in listed if code.lower() == typed.lower()]
    by_initials = [code for code, letters in facts.courier_initials.items() if letters == typed.lower()]
    found = by_name or by_code or (by_initials if len(by_initials) == 1 else [])
    if not found and typed in OTHER_WORDS:
        return OTHER_COURIER
    is_old = typed.isascii() and any(same_courier(typed, code) for code in listed)
    return next(iter(found), typed) if found or is_old else named(typed, listed) or typed


def guess_courier(waybill: str, listed: Mapping[str, str], last: str) -> tuple[str, bool]:
    """The listed courier whose numbers look like this, else the one used last; whether that was by habit."""
    number = normalise(waybill)
    fitting = [code for maker in guess(number) for code in listed if same_courier(maker, code)]
    by_habit = bool(number) and not fitting and last in listed
    return (fitting[0] if fitting else last if by_habit else ""), by_habit


@dataclass
class Finding:
    """A problem in words, as it is shown."""

    text: str
    stops: bool
    errcode: int | None


@dataclass
class Card:
    """One package card: what was typed, and what is wrong with it, by field."""

    values: dict[str, str]
    counts: dict[tuple[str, str], str]
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    # The courier this person used last here, for a number that no guess fits.
    last_courier: str = ""
    # The name of the courier that an empty field was filled with, and whether by habit or by the number.
    guessed: str = ""
    by_habit: bool = False

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def touches(self, names: Iterable[str]) -> bool:
        """Whether something was typed into, or is wrong with, one of these fields: their part opens."""
        return any(self.value(name).strip() or name in self.findings for name in names)

    @property
    def wrong_fields(self) -> list[str]:
        """Those that one types into, the number first."""
        return [name for name in ("waybill_id", *TEXTS[1:]) if name in self.findings]

    @property
    def has_course(self) -> bool:
        return self.touches(("start_time", "end_time", "wxa_appid", "wxa_path"))

    @property
    def has_serial(self) -> bool:
        return self.touches(("sn_code", "imei1", "imei2"))

    def to_draft(self, facts: OrderFacts) -> PackageDraft:
        kind = number(self.value("deliver_type")) or facts.suggested_type
        return PackageDraft(
            deliver_type=kind,
            delivery_id=self._courier(facts) if kind != VIRTUAL else self.value("delivery_id"),
            waybill_id=self.value("waybill_id"),
            items=self._items(),
            course=self._course(),
            serial=self._serial(),
        )

    def _items(self) -> tuple[Item, ...]:
        typed = ((pair, text.strip()) for pair, text in self.counts.items())
        return tuple(Item(*pair, number(text)) for pair, text in typed if text not in ("", "0"))

    def _courier(self, facts: OrderFacts) -> str:
        """What was typed, as a code of the merchant's list; an empty field takes the best guess."""
        typed, listed = self.value("delivery_id").strip(), facts.couriers or {}
        if typed:
            return resolve_courier(typed, facts)
        code, self.by_habit = guess_courier(self.value("waybill_id"), listed, self.last_courier)
        self.guessed = listed.get(code, "")
        return code

    def _course(self) -> CourseDraft | None:
        names = ("start_time", "end_time", "wxa_appid", "wxa_path")
        if not any(self.value(name).strip() for name in names):
            return None
        start, end = (moment(self.value(name)) for name in names[:2])
        return CourseDraft(start, end, self.value("wxa_appid").strip(), self.value("wxa_path").strip())

    def _serial(self) -> SerialDraft | None:
        texts = [self.value(name).strip() for name in ("sn_code", "imei1", "imei2")]
        return SerialDraft(*texts) if any(texts) else None


@dataclass
class ShipForm:
    """The whole ship page's input."""

    cards: list[Card]
    form_key: str = ""
    also: list[str] = field(default_factory=list)
    order_findings: list[Finding] = field(default_factory=list)

    def to_draft(self, facts: OrderFacts) -> Draft:
        return Draft(facts.order_id, tuple(card.to_draft(facts) for card in self.cards))

    def fit_what_is_left(self, facts: OrderFacts) -> None:
        """Ask for no more than is left, the first cards first; what is no number stays as typed."""
        left = {goods.pair: goods.left for goods in facts.goods}
        for card in self.cards:
            for pair, text in card.counts.items():
                if isinstance(asked := number(text), int):
                    card.counts[pair] = str(min(asked, left[pair]))
                    left[pair] -= min(asked, left[pair])

    @property
    def waybills(self) -> list[str]:
        return [number for card in self.cards if (number := normalise(card.value("waybill_id")))]

    def know(self, last_courier: str) -> "ShipForm":
        for card in self.cards:
            card.last_courier = last_courier
        return self

    def show(self, problems: Iterable[Problem]) -> None:
        """Put each problem at its field; what belongs to no field stands above the cards."""
        for problem in problems:
            self.put(problem.path, in_words(problem))

    def put(self, path: str, finding: Finding) -> None:
        index, name = split_path(path)
        if index is None or index >= len(self.cards):
            self.order_findings.append(finding)
        else:
            self.cards[index].findings.setdefault(name, []).append(finding)


def in_words(problem: Problem) -> Finding:
    language = get_language() or "zh-hans"
    text = problem_text(meaning(problem.errcode, problem.slug), problem.params, language)
    return Finding(text, problem.stops, problem.errcode)


def split_path(path: str) -> tuple[int | None, str]:
    """`packages[1].serial.sn_code` -> (1, "sn_code"); a path outside the packages -> (None, path)."""
    if not path.startswith("packages["):
        return None, path
    index, _, rest = path.removeprefix("packages[").partition("]")
    name = rest.rpartition(".")[2].partition("[")[0]
    return int(index), SHOWN_AT.get(name, name)


def read_form(data: Mapping[str, Any], facts: OrderFacts) -> ShipForm:
    """The posted cards, in order, whatever they hold."""
    total = min(whole(str(data.get("cards") or "")) or 1, 50)
    removed = str(data.get("remove") or "")
    cards = [_card(data, number, facts) for number in range(total) if str(number) != removed]
    return ShipForm(cards or [blank_card(facts, [])], str(data.get("form_key") or "")[:LONGEST_KEY])


def _card(data: Mapping[str, Any], index: int, facts: OrderFacts) -> Card:
    values = {name: str(data.get(f"p{index}-{name}") or "") for name in TEXTS}
    counts = {
        goods.pair: str(data.get(f"p{index}-cnt-{position}") or "")
        for position, goods in enumerate(facts.goods)
    }
    return Card(values, counts)


def blank_card(facts: OrderFacts, others: list[Card]) -> Card:
    """A new card holds what the others leave of each line."""
    counts = {}
    for goods in facts.goods:
        taken = sum(value for card in others if isinstance(value := number(card.counts[goods.pair]), int))
        counts[goods.pair] = str(max(0, goods.left - taken))
    return Card({"deliver_type": str(facts.suggested_type)}, counts)


def card_of(draft: PackageDraft, facts: OrderFacts) -> Card:
    """A stored package back in the fields, for a correction or a kept draft."""
    values = {name: str(getattr(draft, name) or "") for name in ("deliver_type", "delivery_id", "waybill_id")}
    for part in (draft.course, draft.serial):
        values |= {name: str(value) for name, value in vars(part).items() if value} if part else {}
    counts = dict.fromkeys((goods.pair for goods in facts.goods), "")
    for item in draft.items or ():
        counts[item.pair] = str(item.product_cnt)
    return Card(values, counts)
