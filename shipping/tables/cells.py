"""One cell as text: what a spreadsheet stored, wrapped or destroyed."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

# A double holds 15 digits; the ones after are no longer those that were typed.
MOST_DIGITS = 15
DIGITS_LOST, NO_VALUE, IS_ERROR = "digits_lost", "formula_without_value", "formula_error"

# What Excel makes of a long number in a CSV: 3.70E+18.
_DESTROYED = re.compile(r"[+-]?\d[\d.,]*E\+\d+", re.ASCII | re.IGNORECASE)
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!)|Err:\d+", re.IGNORECASE)
_WRAPPED = re.compile(r'="(.*)"', re.DOTALL)
_WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")

Value = str | int | float | bool | date | datetime | time | timedelta | None


def text_of(value: Value) -> tuple[str, str]:
    """A stored cell as (text, fault): 23424324253.0 reads 23424324253; fault is "" or a slug.

    A date is Beijing's as typed, 2026-11-24 08:30, the form in which a course's times are read.
    """
    if isinstance(value, str):
        return cleaned(value), ""
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).upper(), ""
    if isinstance(value, int | float):
        return _digits(value)
    if isinstance(value, date):
        return value.strftime("%Y-%m-%d %H:%M"), ""  # a date alone is its midnight
    return str(value), ""


def _digits(value: float) -> tuple[str, str]:
    is_whole = value == int(value) if abs(value) < 1e300 else False
    text = str(int(value)) if is_whole else repr(value)
    return text, DIGITS_LOST if abs(value) >= 10**MOST_DIGITS else ""


def cleaned(text: str) -> str:
    """Without blanks around, marks nobody sees, `="…"` and the leading `'` that keep Excel from counting."""
    plain = (text if text.isascii() else _UNSEEN.sub("", text)).strip()
    if plain[:1] not in ("=", "'"):
        return plain
    wrapped = _WRAPPED.fullmatch(plain)
    return (wrapped[1].replace('""', '"') if wrapped else plain.removeprefix("'")).strip()


def id_text(text: str) -> str:
    """An id as it was meant: no blank inside, plain digits, 23424324253.0 without its zero."""
    if not text.isascii() or not text.isalnum():
        text = "".join(unicodedata.normalize("NFKC", text).split())
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def is_destroyed(text: str) -> bool:
    """Whether Excel wrote the number in short, 3.71E+18: the digits are lost."""
    return "+" in text and _DESTROYED.fullmatch(text) is not None


def fault_of(text: str) -> str:
    """What a cell's own text gives away: a number written in short, a formula that ended in an error."""
    if is_destroyed(text):
        return DIGITS_LOST
    return IS_ERROR if text[:1] in ("#", "E", "e") and _ERROR.fullmatch(text) else ""


def full_width(sign: str) -> str:
    """The form of an ASCII sign that Chinese input methods type."""
    return chr(ord(sign) + 0xFEE0)
