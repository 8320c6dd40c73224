"""A courier as people and other systems write it -> the code of a store's own list (couriers.toml)."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from .waybills import normalise, same_courier

_TABLE = tomllib.loads(Path(__file__).with_name("couriers.toml").read_text(encoding="utf-8"))
_NAMES = {normalise(name): code for code, names in _TABLE["names"].items() for name in names}
_PARCEL = tuple(sorted(_TABLE["services"]["parcel"], key=len, reverse=True))
# 顺丰速运(SF), SF-顺丰, 顺丰 / SF
_PARTS = re.compile(r"[()\[\]【】/|:;,-]+")


def named(text: str, listed: Mapping[str, str]) -> str | None:
    """The listed code that a code, an old code, a name or a short name means; None if that is not certain.

    listed: code -> Chinese name, as the platform gives them; empty when they were never read, and then the
    platform's public codes stand for them. Two parts that mean two couriers mean none.
    """
    whole = _one(normalise(text), listed)
    if whole is not None:
        return whole
    parts = [part for part in _PARTS.split(normalise(text)) if part]
    found = {_one(part, listed) for part in parts} if len(parts) > 1 else set()
    return found.pop() if len(found) == 1 else None


def _one(text: str, listed: Mapping[str, str]) -> str | None:
    return next(_readings(text, listed), None) if text else None


def _readings(text: str, listed: Mapping[str, str]) -> Iterator[str]:
    """Every way to read it, the surest first."""
    yield from (code for code in listed if normalise(code) == text)
    yield from (code for code, name in listed.items() if normalise(name) == text)
    yield from (code for code in listed if same_courier(code, text))
    known = _NAMES.get(text)
    yield from (code for code in listed if known and same_courier(code, known))
    if known and not listed:
        yield known
    yield from _by_stem(text, listed)


def _by_stem(text: str, listed: Mapping[str, str]) -> Iterator[str]:
    """百世 and 百世快递 for a listed 百世速递, whose last word differs; 百世快运 is another courier."""
    found = [code for code, name in listed.items() if _stem(normalise(name)) == _stem(text)]
    if len(found) == 1 and len(_stem(text)) > 1:
        yield found[0]


def _stem(name: str) -> str:
    end = next((end for end in _PARCEL if name.endswith(end) and len(name) > len(end)), "")
    return name.removesuffix(end)
