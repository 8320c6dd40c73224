"""What may be shown to WeChat's support about one call: nothing of the buyer, no token."""

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.conf import settings

from wechat.endpoints import DELIVERY_COMPENSATION, DELIVERY_SEND, DELIVERY_UPDATE
from wechat.secrets import redact

from .drafts import COMPENSATION, CORRECTION, SEND
from .models import Attempt

GONE = "***"
# A mobile number, whole or masked; longer rows of digits are ids.
PHONE = re.compile(r"(?<![\d*])1[3-9]\d[\d*]{4}\d{4}(?![\d*])", re.ASCII)
# A fixed line: an area code, a number, perhaps an extension.
FIXED_LINE = re.compile(r"(?<![\d-])0\d{2,3}-\d{7,8}(?:-\d{1,6})?(?!\d)", re.ASCII)
PERSONAL = re.compile(r"phone|tel|address|detail_info|receiver|user_name|openid|token|secret", re.IGNORECASE)
# The same fields where WeChat's words repeat a body: "user_name": "…", tel=….
REPEATED = re.compile(
    r'([\w"\\]*(?:phone|tel_|address|detail_info|receiver|user_name|openid|token|secret)[\w"\\]*\s*[:=]\s*)'
    r'(\\?"[^"]*"|[^\s,;}\uff0c\uff1b]+)',
    re.IGNORECASE,
)
# From a province or city down to a street: nothing but an address is written so.
ADDRESS = re.compile(
    r"[\u4e00-\u9fff]{2,8}(?:省|自治区|市)\s*[\u4e00-\u9fff]{1,10}?(?:市|州|盟|区|县|旗)[^\s,，。；;\"}]*"
)
PATHS = {SEND: DELIVERY_SEND, CORRECTION: DELIVERY_UPDATE, COMPENSATION: DELIVERY_COMPENSATION}


def call_path(attempt: Attempt) -> str:
    """How the call was made, without its token."""
    return f"POST {PATHS[attempt.shipment.kind].path}"


def request_shown(attempt: Attempt) -> str:
    """The body as it was sent, without what is personal; "" when it was erased."""
    if attempt.request is None:
        return ""
    return cleaned(json.dumps(_without(attempt.request), ensure_ascii=False, indent=2), attempt)


def cleaned(text: str, attempt: Attempt) -> str:
    """Tokens, phone numbers and this buyer's name, phone and address go; order and tracking numbers stay."""
    for own in _of_the_buyer(attempt):
        text = text.replace(own, GONE)
    text = REPEATED.sub(_without_value, redact(text))
    text = FIXED_LINE.sub(GONE, ADDRESS.sub(GONE, text))
    numbers = {package.waybill_id for package in attempt.shipment.packages.all()}
    return PHONE.sub(lambda found: found[0] if found[0] in numbers else GONE, text)


def _without_value(found: re.Match[str]) -> str:
    return f'{found[1]}"{GONE}"' if '"' in found[2] else f"{found[1]}{GONE}"


def _of_the_buyer(attempt: Attempt) -> Iterable[str]:
    order = attempt.order
    known = (order.receiver, order.phone, order.region, order.region.replace(" ", ""), order.openid)
    return (text for text in known if len(text) > 1)


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: GONE if PERSONAL.search(key) else _without(each) for key, each in value.items()}
    return [_without(each) for each in value] if isinstance(value, list) else value


@cache
def version() -> str:
    """As set, or the revision of the checkout this runs from."""
    if settings.VERSION:
        return str(settings.VERSION)
    command = ["git", "-C", str(settings.BASE_DIR), "describe", "--always", "--dirty"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unreleased"
    return told.stdout.strip()
