"""A sensitiveinfo/decode answer as typed data (store-api 2.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLACE = ("province_name", "city_name", "county_name", "detail_info", "house_number")


@dataclass(frozen=True, repr=False)
class Receiver:
    """Name, phone and address in clear; with a virtual number `phone` stays covered. Shown, never kept.

    `expires` in unix seconds. Its repr says nothing: it may end in a log.
    """

    name: str = ""
    phone: str = ""
    address: str = ""
    postal_code: str = ""
    virtual_number: str = ""
    extension: str = ""
    expires: int | None = None

    def __repr__(self) -> str:
        return "Receiver(…)"


def parse_receiver(data: Mapping[str, Any]) -> Receiver:
    """Tolerant like the other readers: what is missing is blank."""
    address, virtual = _obj(data.get("address_info")), _obj(data.get("virtual_number_info"))
    expires = str(virtual.get("expiration") or "")
    return Receiver(
        name=_text(address, "user_name"),
        phone=_text(address, "tel_number"),
        address=" ".join(dict.fromkeys(part for name in PLACE if (part := _text(address, name)))),
        postal_code=_text(address, "postal_code"),
        virtual_number=_text(virtual, "virtual_number"),
        extension=_text(virtual, "extension"),
        expires=int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 12 else None,
    )


def _obj(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""
