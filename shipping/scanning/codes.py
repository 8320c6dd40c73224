"""What a scanned text is by itself: one of our printed commands, a badge, a retail barcode, an IMEI."""

import re
from typing import NamedTuple

from stdnum import ean, imei

from wechat.waybills import normalise

# No courier's number begins like this, so what does is never taken for one.
PREFIX = "FH-"
# Short: every letter is four millimetres of bars.
COURIER, BADGE = "K", "B"
COMMANDS = ("done", "next", "undo", "skip", "yes")
ORDER_ID = re.compile(r"\d{19}", re.ASCII)


class Command(NamedTuple):
    """A printed command; `argument` is a courier's code or a badge, "" for the others."""

    name: str
    argument: str = ""


def command_code(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def courier_code(delivery_id: str) -> str:
    return f"{PREFIX}{COURIER}-{delivery_id}"


def badge_code(badge: str) -> str:
    return f"{PREFIX}{BADGE}-{badge}"


def command_of(text: str) -> Command | None:
    """The command in a text; one nobody knows, too, so that it is refused and not taken for a number."""
    plain = normalise(text)
    if not plain.startswith(PREFIX):
        return None
    name, _, argument = plain.removeprefix(PREFIX).partition("-")
    return Command(name.lower(), argument)


def is_order_id(text: str) -> bool:
    """store-api: order ids have 19 digits, which no courier's number has."""
    return ORDER_ID.fullmatch(text) is not None


def is_ean13(text: str) -> bool:
    return len(text) == 13 and text.isascii() and text.isdigit() and bool(ean.is_valid(text))


def is_imei(text: str) -> bool:
    return len(text) == 15 and text.isascii() and text.isdigit() and bool(imei.is_valid(text))


def same_code(one: str, other: str) -> bool:
    """One spelling of a goods' code; a UPC of twelve digits is an EAN-13 that begins with a nought."""
    return bool(other.strip()) and _goods_code(one) == _goods_code(other)


def _goods_code(text: str) -> str:
    plain = normalise(text)
    return plain.zfill(13) if plain.isdigit() and len(plain) == 12 else plain
