"""The code table: what each answer means, who must act, what the worker does. Data in errcodes.toml."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Any

from .wording import PARTS, OwnWords, own_words

TABLE = Path(__file__).with_name("errcodes.toml")
LONGEST_TITLE = 12  # Chinese characters

_ALLOWED = {
    "fixed_by": ("staff", "manager", "admin", "buyer", "platform", "developer"),
    "then": ("later", "ask", "rejected", "pause_merchant", "renew_token", "unclear"),
    "until": ("", "next_minute", "midnight"),
    "scope": ("package", "merchant_call", "merchant"),
    "proof": ("", "read", "return_address"),
    "field": (
        *("", "order", "packages[].delivery_id", "packages[].waybill_id", "packages[].deliver_type"),
        *("packages[].items", "packages[].serial.sn_code", "packages[].serial.imei1"),
        *("packages[].course", "packages[].course.wxa_appid", "packages[].course.wxa_path"),
    ),
}
_TEXTS = ("title_zh", "title_en", "means_zh", "means_en", "do_zh", "do_en")
_TESTED = ("tested_means", "tested_do")
# What a person can do about a package: words of `remedy`, buttons in templatetags/remedies.py.
REMEDIES = ("fix", "again", "checked", "reread", "answer", "wechat", "resume", "report")
_PARAMS = {
    "left",
    "asked",
    "title",
    "other",
    "waybill_id",
    "delivery_id",
    "length",
    "most",
    "method",
    "reason",
    "who",
    "old",
    "new",
    "at",
}


@dataclass(frozen=True)
class Code:
    """One row. wait in seconds, doubled with each try; tries 0 means without end.

    flag: the short word of a badge, for what stands in an order's way before anybody ships it.
    proof: what shows that a pause of this reason is over: a read that works, a return address that is there.
    remedy: words of REMEDIES; "" is derived from who must act and where.
    """

    errcode: int | None = None
    slug: str = ""
    zh: str = ""
    title_zh: str = ""
    title_en: str = ""
    means_zh: str = ""
    means_en: str = ""
    do_zh: str = ""
    do_en: str = ""
    problem_zh: str = ""
    problem_en: str = ""
    tested_means_zh: str = ""
    tested_means_en: str = ""
    tested_do_zh: str = ""
    tested_do_en: str = ""
    flag_zh: str = ""
    flag_en: str = ""
    proof: str = ""
    field: str = ""
    fixed_by: str = "manager"
    remedy: str = ""
    then: str = "rejected"
    tries: int = 0
    wait: int = 0
    until: str = ""
    scope: str = "package"
    documented: bool = False
    listed: bool = True

    @property
    def key(self) -> str:
        """What names the row wherever a name must be text: the code, or our own slug."""
        return self.slug if self.errcode is None else str(self.errcode)

    @property
    def remedies(self) -> tuple[str, ...]:
        """The buttons that fit, the likeliest first."""
        if self.remedy:
            return tuple(self.remedy.split())
        if self.then == "pause_merchant":
            return ("resume",)
        in_the_form = self.fixed_by == "staff" or self.field.startswith("packages")
        return ("fix",) if in_the_form else ("reread", "wechat", "fix")

    def text(self, part: str, lang: str) -> str:
        """part is title, means, do, problem, or tested_means and tested_do, which fall back on means and do.

        The installation's own words come before the shipped ones; any language but Chinese reads English.
        """
        if own := self.own_text(part, lang):
            return own
        words = self.shipped_text(part, lang)
        return words or (self.text(part.removeprefix("tested_"), lang) if part in _TESTED else "")

    def shipped_text(self, part: str, lang: str) -> str:
        """What the table says, whatever an installation wrote over it."""
        return str(getattr(self, f"{part}_{'zh' if lang.startswith('zh') else 'en'}"))

    def own(self, lang: str) -> OwnWords | None:
        """What the installation wrote over the shipped words, None where it wrote nothing."""
        return own_words(self.key, lang)

    def own_text(self, part: str, lang: str) -> str:
        own = self.own(lang) if part in PARTS else None
        return str(getattr(own, part)) if own else ""


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def problem_text(code: Code, params: Mapping[str, Any], lang: str) -> str:
    """The sentence beside a form field; rows without one say what the code means."""
    sentences = code.text("problem", lang).split("\n")
    fitting = (sentence for sentence in sentences if _names(sentence) <= params.keys())
    chosen = next(fitting, sentences[-1])
    # What people wrote is no pattern: it may hold a brace.
    return chosen.format_map(_Blank(params)) if chosen else code.text("means", lang)


def meaning(errcode: int | None, slug: str = "") -> Code:
    """The row of a code or, without one, of our own slug; never fails."""
    if errcode is not None and errcode in CODES:
        return CODES[errcode]
    if errcode is None and slug in LOCAL:
        return LOCAL[slug]
    return replace(_UNLISTED, errcode=errcode, slug=slug)


def load(text: str) -> tuple[Mapping[int, Code], Mapping[str, Code]]:
    """The platform's codes and our own slugs. Raises ValueError naming row and field."""
    table = tomllib.loads(text)
    local = table.pop("local", {})
    codes = {_number(key): _row(key, values, errcode=_number(key)) for key, values in table.items()}
    slugs = {slug: _row(f"local.{slug}", values, slug=slug) for slug, values in local.items()}
    return MappingProxyType(codes), MappingProxyType(slugs)


def _number(key: str) -> int:
    if not re.fullmatch(r"-?\d+", key, re.ASCII):
        raise _wrong(key, "key", "is no number")
    return int(key)


def _row(key: str, values: object, **own: Any) -> Code:
    if not isinstance(values, dict):
        raise _wrong(key, "row", "is no table")
    for field, fault in _faults(values, is_platforms="errcode" in own):
        raise _wrong(key, field, fault)
    return Code(**values, **own)


def _faults(values: Mapping[str, Any], *, is_platforms: bool) -> Iterator[tuple[str, str]]:
    """Each as (field, what is wrong with it); a later check may lean on what an earlier one passed."""
    yield from ((name, "is unknown") for name in values if name not in _TYPES)
    typed = [(name, value) for name, value in values.items() if name in _TYPES]
    yield from ((name, f"is not {_TYPES[name].__name__}") for name, value in typed if not _is(name, value))
    required = [*_TEXTS, "fixed_by", *["then"] * is_platforms, *["zh"] * values.get("documented", False)]
    yield from ((name, "is missing") for name in required if not values.get(name))
    yield from ((name, f"is {value!r}") for name, value in typed if value not in _ALLOWED.get(name, (value,)))
    yield from (
        ("remedy", f"asks for {name!r}") for name in values.get("remedy", "").split() if name not in REMEDIES
    )
    yield from _text_faults(values)
    yield from _pace_faults(values, is_platforms)


def _pace_faults(values: Mapping[str, Any], is_platforms: bool) -> Iterator[tuple[str, str]]:
    """Our own rows wait as the engine says; a code of the platform's must not be tried in a tight loop."""
    yield from ((name, "is below zero") for name in ("tries", "wait") if values.get(name, 0) < 0)
    waits = values.get("wait") or values.get("until")
    if is_platforms and values["then"] == "later" and not waits:
        yield "wait", "is missing: later needs wait or until"


def _is(name: str, value: object) -> bool:
    return type(value) is _TYPES[name]


def _text_faults(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if len(re.findall(r"[\u4e00-\u9fff]", values["title_zh"])) > LONGEST_TITLE:
        yield "title_zh", f"has more than {LONGEST_TITLE} Chinese characters"
    for part in ("problem", "flag", *_TESTED):
        if bool(values.get(f"{part}_zh")) != bool(values.get(f"{part}_en")):
            yield f"{part}_en", f"and {part}_zh come together"
    for name in ("problem_zh", "problem_en"):
        if unknown := _names(values.get(name, "")) - _PARAMS:
            yield name, f"asks for {sorted(unknown)}"


def _names(sentence: str) -> set[str]:
    """The {names} in a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def _wrong(key: str, field: str, fault: str) -> ValueError:
    return ValueError(f"{TABLE.name} [{key}]: {field} {fault}")


_TYPES: dict[str, type] = {
    field.name: type(field.default)
    for field in fields(Code)
    if field.name not in ("errcode", "slug", "listed")
}

_UNLISTED = Code(
    title_zh="未收录的错误码",
    title_en="Code not listed yet",
    means_zh="微信返回了本系统还没有收录的错误码，原文见下。",
    means_en="WeChat answered with a code this system does not know yet; its own words are below.",
    do_zh="先把包裹放一边，请主管按微信的原话处理；系统会先核对订单再下结论。",
    do_en="Put the parcel aside and let a manager act on WeChat's words; the order is checked first.",
    fixed_by="manager",
    then="ask",
    listed=False,
)

CODES, LOCAL = load(TABLE.read_text(encoding="utf-8"))
