"""Codes that the table does not know: collected as they are answered, for the operator to write words for."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from merchants.models import Role, User
from merchants.queries import merchants_for
from wechat.errcodes import CODES
from wechat.replies import Reply

from .models import Attempt, CodeText, UnknownCode
from .support import cleaned

LONGEST = 300


def note_unknown(attempt: Attempt, reply: Reply) -> None:
    """Count a code that is not in the table, with WeChat's words as they may be shown.

    In no transaction of the caller's: two of them might wait for each other's rows.
    """
    seen: dict[str, Any] = {
        "last_seen_at": timezone.now(),
        "errmsg": cleaned(reply.errmsg, attempt)[:LONGEST],
        "rid": reply.rid,
    }
    key: dict[str, int] = {"merchant_id": attempt.merchant_id, "errcode": int(reply.errcode or 0)}
    rows = UnknownCode.objects.filter(**key)
    if rows.update(count=F("count") + 1, **seen):
        return
    try:
        with transaction.atomic():
            UnknownCode.objects.create(**key, **seen)
    except IntegrityError:
        rows.update(count=F("count") + 1, **seen)


def unknown_codes() -> QuerySet[UnknownCode]:
    """What the table still does not know: a later release may list a code that was collected."""
    return UnknownCode.objects.exclude(errcode__in=list(CODES)).select_related("merchant")


def unexplained_codes() -> QuerySet[UnknownCode]:
    """Those that nobody has written words for either: worth an alert."""
    written = CodeText.objects.filter(ended_at=None).values_list("code", flat=True).order_by()
    numbers = [int(code) for code in written if code.removeprefix("-").isdigit()]
    return unknown_codes().exclude(errcode__in=numbers)


def unknown_codes_for(user: User) -> QuerySet[UnknownCode]:
    """Of the stores where the user is an admin."""
    return unknown_codes().filter(merchant__in=merchants_for(user, Role.ADMIN))
