"""How old what the lists show may be: when each store's orders were last read from WeChat."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from merchants.models import Merchant, User
from merchants.queries import stores_of

from .models import SyncCursor

MARGIN = timedelta(minutes=1)
# A page names so many stores; of more only those that are late.
NAMED = 3


class Freshness(NamedTuple):
    """One store: when everything was read last, whether that is too long ago, and what is in the way."""

    name: str
    read_at: datetime | None
    is_late: bool
    error: str
    # Of the first reading, which may take an hour.
    read: int
    appid: str

    @property
    def may_not_read(self) -> bool:
        """Whether its account lacks the right to read orders: nothing is broken, people enter them."""
        return self.error.startswith("48001")

    @property
    def is_bad(self) -> bool:
        return (self.is_late or bool(self.error)) and not self.may_not_read


def freshness(user: User, appid: str = "") -> list[Freshness]:
    """The user's stores, or the one asked for; of many only the bad ones and the oldest."""
    own = {pk: store.merchant for pk, store in stores_of(user).items() if appid in ("", store.merchant.appid)}
    rows = SyncCursor.objects.filter(merchant__in=list(own))
    rows = rows.order_by(F("succeeded_at").asc(nulls_first=True), "pk")
    stores = [_freshness(cursor, own[cursor.merchant_id]) for cursor in rows]
    if len(stores) <= NAMED:
        return stores
    return [store for number, store in enumerate(stores) if store.is_bad or store.may_not_read or not number]


def _freshness(cursor: SyncCursor, store: Merchant) -> Freshness:
    # A first reading is late when nobody has worked on it for so long.
    since = cursor.succeeded_at or cursor.lease_until
    longest = timedelta(seconds=3 * settings.SYNC_EVERY) + MARGIN
    is_late = bool(settings.SYNC_EVERY) and since < timezone.now() - longest
    return Freshness(store.name, cursor.succeeded_at, is_late, cursor.error, cursor.read, store.appid)
