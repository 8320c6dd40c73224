"""Tracking numbers as typed, pasted or scanned: one spelling, and a public guess which courier made them.

The patterns are public guesses, not WeChat's own (those are unpublished; errcode 6060479 decides), so a
caller may warn with them and never refuse. Source: BF-zh/Courier-Validation @ cb741165, restated.
"""

import re
import unicodedata
from functools import lru_cache

ALIASES = {"YD": "YUNDA", "DBL": "DBKD", "DB": "DBKD", "JDL": "JD", "ANE": "ANEKY", "HTKY": "BEST"}

# The most telling pattern first: `guess` keeps this order.
PATTERNS = {
    courier: re.compile(pattern, re.ASCII)
    for courier, pattern in {
        "SF": r"SF[A-Z0-9]\d{12}",
        "JTSD": r"JT\d{13}",
        "YTO": r"YT\d{13}",
        "JD": r"JD[A-Z0-9]{2}\d{11}",
        "DBKD": r"DPK\d{12}",
        "CNSD": r"621\d{12}",
        "STO": r"(77|43)\d{12,15}",
        "ZTO": r"7[3-68]\d{12}",
        "YUNDA": r"[34]\d{14}|5\d{12}",
        "EMS": r"[981]\d{12}|P[A-Z]\d{11}",
    }.items()
}

_CLEAN = re.compile(r"-*[A-Z0-9][A-Z0-9-]*")
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # controls, zero-width and direction marks, every kind of blank


def without_blanks(text: str) -> str:
    """Full-width to plain, no blanks, nothing invisible."""
    if text.isascii() and text.isalnum():
        return text
    plain = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in plain if unicodedata.category(sign) not in _UNSEEN)


# A file of thousands names the same few couriers in each row.
@lru_cache(maxsize=20_000)
def normalise(text: str) -> str:
    """One spelling: `without_blanks`, a-z in upper case; other letters stay the mistake they are."""
    plain = without_blanks(text)
    return plain.upper() if plain.isascii() else re.sub(r"[a-z]+", lambda found: found[0].upper(), plain)


def is_clean(waybill: str) -> bool:
    """True if the number, as it stands, is only A-Z, 0-9 and the hyphen, and not hyphens alone."""
    return _CLEAN.fullmatch(waybill) is not None


def same_courier(a: str, b: str) -> bool:
    """YD and YUNDA are the same courier for matching; the merchant's list decides what may be sent."""
    return _known_as(a) == _known_as(b)


def fits(delivery_id: str, waybill: str) -> bool | None:
    """Whether the number looks like its courier's; None where no pattern is public."""
    pattern = PATTERNS.get(_known_as(delivery_id))
    return None if pattern is None else pattern.fullmatch(normalise(waybill)) is not None


def guess(waybill: str) -> tuple[str, ...]:
    """The couriers whose pattern fits, the most telling first."""
    number = normalise(waybill)
    return tuple(courier for courier, pattern in PATTERNS.items() if pattern.fullmatch(number))


def _known_as(delivery_id: str) -> str:
    code = normalise(delivery_id)
    return ALIASES.get(code, code)
