"""Keeps every store's orders current: what changed since the last run, read in slices, one store at a time.

A run belongs to whoever took the store's SyncCursor by conditional UPDATE; each write to the row renews that
lease and fails once it is lost. The cursor moves only over a window that was read whole, so that a run which
was killed, refused or stopped costs nothing but a page read twice.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from merchants.models import Merchant, Pause, platform_host
from merchants.queries import open_pauses
from merchants.services import pause_merchant
from wechat.endpoints import ORDER_GET, ORDER_LIST
from wechat.outcomes import read_outcome

from .dispatch.pacing import until
from .dispatch.tempo import seconds_between, slow_down
from .models import SyncCursor
from .syncing import (
    WINDOW,
    ReadFailed,
    SyncResult,
    list_page,
    sync_couriers,
    sync_order,
    sync_return_address,
)
from .wake import wake

log = logging.getLogger(__name__)

# The list shows a change a little later than it happened, and two clocks differ.
OVERLAP = timedelta(minutes=5)
# A run ends after so many seconds and goes on after the other stores had their turn.
SLICE = 20.0
# Longer than one order can take, with all its repeated calls.
LEASE = timedelta(minutes=3)
# A task that has not begun after this long was lost.
LOST = timedelta(minutes=10)
# More orders than these cannot be unreadable one by one: the platform is ill, and the cursor waits for it.
MOST_MISSED = 20
SLOWEST = timedelta(minutes=5)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
CALLS = (ORDER_LIST.name, ORDER_GET.name)
STORE_FACTS, STORE_FACTS_MISSING = timedelta(days=1), timedelta(hours=1)


def sync_due() -> int:
    """Enqueue a run for each store whose time has come; returns how many."""
    if settings.SYNC_EVERY:
        _add_cursors()
    now = timezone.now()
    waiting = _stores().filter(Q(asked_at=None) | Q(asked_at__lte=now - LOST), due_at__lte=now)
    due = waiting.filter(lease_until__lte=now).order_by("due_at").values_list("pk", "merchant_id")
    taken = [merchant for pk, merchant in due if waiting.filter(pk=pk).update(asked_at=now)]
    for merchant in taken:
        wake("sync_merchant", str(merchant))
    return len(taken)


def _stores() -> QuerySet[SyncCursor]:
    return SyncCursor.objects.filter(merchant__is_active=True, merchant__api_host=platform_host())


def _add_cursors() -> None:
    new = Merchant.objects.filter(is_active=True, credential__isnull=False, sync_cursor=None)
    SyncCursor.objects.bulk_create((SyncCursor(merchant=m) for m in new), ignore_conflicts=True)


def follow(merchant: Merchant) -> bool:
    """Read on for about SLICE seconds; False when it is not this store's time, or another worker reads it."""
    cursor = take(merchant)
    if cursor is None:
        return False
    try:
        Run(merchant, cursor).go()
    except LeaseLost:
        log.warning("merchant=%s: another worker took over reading its orders", merchant.pk)
    return True


def take(merchant: Merchant) -> SyncCursor | None:
    """The cursor of a store that is due and in nobody's hands."""
    SyncCursor.objects.get_or_create(merchant=merchant)
    now = timezone.now()
    next_time = now + timedelta(seconds=settings.SYNC_EVERY) if settings.SYNC_EVERY else NEVER
    free = _stores().filter(merchant=merchant, lease_until__lte=now, due_at__lte=now)
    taken = free.update(lease_until=now + LEASE, due_at=next_time, asked_at=None)
    return SyncCursor.objects.get(merchant=merchant) if taken else None


class LeaseLost(Exception):
    """The row was taken by another worker: this one writes nothing more."""


class SliceOver(Exception):
    """The other stores have their turn; this one goes on after them."""


class Run:
    """One slice of reading one store."""

    def __init__(self, merchant: Merchant, cursor: SyncCursor) -> None:
        self.merchant, self.cursor = merchant, cursor
        self.result = SyncResult(merchant.appid, cursor.read, cursor.changed, cursor.failed)
        self.began = timezone.now().replace(microsecond=0)
        self.end = time.monotonic() + SLICE
        self.next_call = 0.0
        asked = 1 / settings.SYNC_RATE if settings.SYNC_RATE else 0.0
        self.rest = max(asked, seconds_between(merchant, ORDER_GET.name))

    def go(self) -> None:
        """Read until nothing is left, the slice is over, or a call is refused."""
        try:
            if pause := open_pauses().filter(merchant=self.merchant, call__in=CALLS).first():
                self._wait_for(pause)
            else:
                self._catch_up()
                self._retry_missed()
                self._succeed()
        except SliceOver:
            self._let_go(due_at=timezone.now())
        except ReadFailed as failure:
            self._fail(failure)

    # --- reading --------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        started, succeeded = self.cursor.started_at, self.cursor.succeeded_at
        if started is None or (succeeded and succeeded >= started):
            self.result = SyncResult(self.merchant.appid)
            self._keep(started_at=timezone.now())
        self._read_window()
        while self.cursor.read_to and self.cursor.read_to < self.began:
            self._end_slice()
            self._read_window()

    def _read_window(self) -> None:
        """Read a window whole and move the cursor over it."""
        if self.cursor.window_to is None:
            self._open_window()
        next_key: str | None = self.cursor.next_key
        while next_key is not None:
            next_key = self._read_page(next_key)
            if next_key is not None:
                self._keep(next_key=next_key)
                self._end_slice()
        self._keep(read_to=self.cursor.window_to, window_from=None, window_to=None, next_key="")

    def _open_window(self) -> None:
        if self.cursor.read_to is None:
            start = self.began - timedelta(days=settings.SYNC_FIRST_DAYS)
        else:
            # A clock that was put back must not leave a hole.
            start = min(self.cursor.read_to, self.began) - OVERLAP
        self._keep(window_from=start, window_to=min(start + WINDOW, self.began), next_key="")

    def _read_page(self, key: str) -> str | None:
        start, stop = self.cursor.window_from, self.cursor.window_to
        page = list_page(self.merchant, _seconds(start), _seconds(stop), key)
        for order_id in page.ids:
            self._read(order_id)
        return page.next_key()

    def _read(self, order_id: str) -> None:
        """Read one order; one that alone cannot be read is remembered and does not stop the others."""
        missed = self.cursor.missed
        if self._try(order_id):
            missed[:] = [other for other in missed if other != order_id]
        elif order_id not in missed:
            missed.append(order_id)
        if len(missed) > MOST_MISSED:
            raise ReadFailed(self.result.error)
        if self.cursor.lease_until < timezone.now() + LEASE / 2:
            self._keep()

    def _try(self, order_id: str) -> bool:
        self._pace()
        try:
            return sync_order(self.merchant, order_id, self.result)
        except ReadFailed:
            raise
        except Exception:
            log.exception("merchant=%s order=%s: fault of our own", self.merchant.pk, order_id)
            self.result.failed += 1
            self.result.error = self.result.error or "facts_unreadable"
            return False

    def _retry_missed(self) -> None:
        for order_id in tuple(self.cursor.missed):
            if time.monotonic() < self.end:
                self._read(order_id)

    def _pace(self) -> None:
        if self.rest:
            time.sleep(max(0.0, self.next_call - time.monotonic()))
            self.next_call = time.monotonic() + self.rest

    def _end_slice(self) -> None:
        if time.monotonic() >= self.end:
            raise SliceOver

    # --- how it ended ---------------------------------------------------------------------------------

    def _succeed(self) -> None:
        self._read_store_facts()
        now, error = timezone.now(), ""
        if self.cursor.missed:
            error = self.result.error or "facts_unreadable"
        self._let_go(succeeded_at=now, error=error[:300])
        Merchant.objects.filter(pk=self.merchant.pk).update(orders_read_at=now)

    def _read_store_facts(self) -> None:
        """Couriers and the default return address, once a day; once an hour while they are not known."""
        known = self.merchant.couriers_read_at and self.merchant.return_address_read_at
        now, asked_at = timezone.now(), self.cursor.store_asked_at
        if asked_at is None or asked_at < now - (STORE_FACTS if known else STORE_FACTS_MISSING):
            self._keep(store_asked_at=now)
            sync_couriers(self.merchant)
            sync_return_address(self.merchant)

    def _fail(self, failure: ReadFailed) -> None:
        """A quota stops the call until it is renewed; anything else is tried again, more and more slowly."""
        now, values = timezone.now(), {"error": str(failure)[:300]}
        outcome = read_outcome(failure.reply) if failure.reply else None
        if failure.call and outcome and outcome.code.scope == "merchant_call":
            if outcome.code.until == "next_minute":
                slow_down(self.merchant, failure.call.name, now)
            pause = pause_merchant(
                merchant=self.merchant, call=failure.call.name, errcode=outcome.reply.errcode,
                errmsg=outcome.reply.errmsg, rid=outcome.reply.rid, until=until(outcome.code, now),
            )  # fmt: skip
            return self._wait_for(pause)
        if failure.call == ORDER_LIST and outcome and outcome.then in ("rejected", "ask"):
            # The key of a page may have grown too old: the window begins anew.
            values["next_key"] = ""
        self._let_go(failed_at=now, due_at=max(self.cursor.due_at, now + self._backoff(now)), **values)

    def _backoff(self, now: datetime) -> timedelta:
        """A quarter of the time it has been failing, at most five minutes."""
        since = self.cursor.succeeded_at or self.cursor.started_at or now
        return min((now - since) / 4, SLOWEST)

    def _wait_for(self, pause: Pause) -> None:
        error = f"{pause.errcode or pause.slug} {pause.errmsg}".strip()[:300]
        self._let_go(failed_at=timezone.now(), error=error, due_at=pause.until or self.cursor.due_at)

    def _let_go(self, **values: Any) -> None:
        self._keep(lease_until=timezone.now(), **values)

    def _keep(self, **values: Any) -> None:
        """Write to the row while it is ours, and so stay its holder. Raises LeaseLost."""
        counted = {name: getattr(self.result, name) for name in ("read", "changed", "failed")}
        values = {"lease_until": timezone.now() + LEASE, "missed": self.cursor.missed} | counted | values
        ours = SyncCursor.objects.filter(pk=self.cursor.pk, lease_until=self.cursor.lease_until)
        if not ours.update(**values):
            raise LeaseLost
        for name, value in values.items():
            setattr(self.cursor, name, value)


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
