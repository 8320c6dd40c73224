"""What WeChat says a store may call, in a window and in a day; a tenth of both is kept for settling reads."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from merchants import probing
from merchants.models import Merchant, platform_host
from merchants.services import pause_merchant
from shipping.models import Allowance, Attempt
from shipping.pauses import READ, SEND

from .pacing import next_midnight

# Of ten calls one is kept for reads that settle what may have been shipped.
KEPT = 10
RESERVED = "quota_reserved"


def read_allowances() -> int:
    """Ask for the quota of every store that has called since it was last asked; returns how many."""
    return sum(1 for merchant in _busy() if read_allowance(merchant))


def _busy() -> QuerySet[Merchant]:
    """Stores with calls since the last reading; each at most once in QUOTA_EVERY seconds."""
    young = timezone.now() - timedelta(seconds=settings.QUOTA_EVERY)
    asked = Allowance.objects.filter(merchant=OuterRef("pk"), call=SEND)
    calls = Attempt.objects.filter(merchant=OuterRef("pk"), sent_at__gt=young)
    rows = Merchant.objects.filter(is_active=True, credential__isnull=False, api_host=platform_host())
    return rows.filter(Exists(calls)).exclude(Exists(asked.filter(read_at__gt=young)))


def read_allowance(merchant: Merchant) -> bool:
    """Ask once and keep what is told; a store whose quota cannot be read is asked again in its time."""
    found = probing.quota(merchant)
    for told in found.facts.get("quotas", ()):
        if told["call"] in (SEND, READ):
            _keep(merchant, told)
    return found.reply.ok


def _keep(merchant: Merchant, told: dict[str, Any]) -> None:
    rate = min(told["rates"], key=lambda rate: rate["calls"] / rate["seconds"], default=None)
    values = {"day_limit": told["limit"], "day_left": told["left"], "read_at": timezone.now()}
    values |= {"calls": rate["calls"], "seconds": rate["seconds"]} if rate else {"calls": 0, "seconds": 0}
    Allowance.objects.update_or_create(merchant=merchant, call=told["call"], defaults=values)
    if told["call"] == READ and told["limit"] and told["left"] * KEPT <= told["limit"]:
        # Without fresh facts nothing leaves: what is left of the day's reads is for what has left.
        pause_merchant(merchant=merchant, call=READ, slug=RESERVED, until=next_midnight(timezone.now()))


# --- the window ---------------------------------------------------------------------------------------


def allowed(allowances: Iterable[Allowance]) -> bool:
    """Count one call in each window of a store; False when one of them is used up but for its tenth."""
    return all(_count(allowance, timezone.now()) for allowance in allowances)


def _count(allowance: Allowance, now: datetime) -> bool:
    if not allowance.calls or not allowance.seconds:
        return True
    row, window = Allowance.objects.filter(pk=allowance.pk), timedelta(seconds=allowance.seconds)
    if row.filter(began_at__lte=now - window).update(began_at=now, used=1, next_at=now):
        return True
    if row.filter(used__lt=allowance.calls - allowance.calls // KEPT).update(used=F("used") + 1):
        return True
    row.update(next_at=allowance.began_at + window)
    return False


def allowances_by_merchant() -> dict[int, list[Allowance]]:
    """The windows of the stores that have one."""
    found: dict[int, list[Allowance]] = {}
    for allowance in Allowance.objects.filter(calls__gt=0):
        found.setdefault(allowance.merchant_id, []).append(allowance)
    return found


def used_up() -> QuerySet[Allowance]:
    """The windows whose next one is still to begin."""
    return Allowance.objects.filter(next_at__gt=timezone.now())
