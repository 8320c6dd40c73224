"""The numbers that a scrape shows, read from the database at that moment by queries that walk little.

A store is its number here, nothing of it is named. What is read: the packages on their way, open calls, one
row per store of a few small tables. Never a whole table of orders, packages or calls.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min
from django.utils import timezone

from merchants.models import Credential, Merchant
from merchants.queries import open_pauses
from merchants.telling import unsaid

from . import states
from .health import last_seen
from .models import Attempt, Package, Shipment, SyncCursor, Tally

UNKNOWN_TOO_LONG = timedelta(minutes=30)
ON_THE_WAY = (states.QUEUED, states.SENDING, states.UNKNOWN, states.CONFLICT)
MANY = 10_000
Row = tuple[tuple[str, ...], float]


class Gauge(NamedTuple):
    """One name of the exposition. `rows`: the labels' values, and the number; of a time, seconds."""

    name: str
    help: str
    labels: tuple[str, ...]
    rows: list[Row]
    is_counter: bool = False


def gauges() -> Iterator[Gauge]:
    """Everything there is to scrape."""
    now = timezone.now()
    stores = list(Merchant.objects.filter(is_active=True).values_list("pk", flat=True))
    yield from _packages(stores, now)
    yield from _calls()
    yield from _tokens(stores, now)
    yield from _standing(stores, now)
    yield from _desk(now)


def _packages(stores: list[int], now: datetime) -> Iterator[Gauge]:
    rows = Package.objects.filter(merchant__in=stores, status__in=ON_THE_WAY).order_by()
    grouped = list(rows.values_list("merchant", "status").annotate(Count("pk"), Min("status_at")))
    labels = ("store", "state")
    depth: list[Row] = [((str(store), state), count) for store, state, count, _since in grouped]
    yield Gauge("fahuo_packages", "Packages on their way, by state", labels, depth)
    waiting = [(store, state, since) for store, state, _count, since in grouped if state != states.QUEUED]
    waiting += [(store, states.QUEUED, since) for store, since in _due(now).items() if store in stores]
    ages: list[Row] = [((str(store), state), _age(since, now)) for store, state, since in waiting]
    yield Gauge("fahuo_oldest_due_seconds", "Age of the oldest due package, by state", labels, ages)
    old = rows.filter(status=states.UNKNOWN, status_at__lte=now - UNKNOWN_TOO_LONG)
    counts = old.values_list("merchant").annotate(Count("pk"))
    yield Gauge("fahuo_unknown_too_long", "Packages unknown for half an hour", ("store",), _by_store(counts))


def _due(now: datetime) -> dict[int, datetime]:
    """Each store's oldest due shipment, walked from the oldest on: grouping would read all there are."""
    rows = Shipment.objects.filter(due_at__lte=now).order_by("due_at", "id")
    found: dict[int, datetime] = {}
    for store, since in rows.values_list("merchant", "due_at")[:MANY]:
        found.setdefault(store, since or now)
    return found


def _calls() -> Iterator[Gauge]:
    flying = Attempt.objects.filter(closed_at=None, ended_at=None).order_by()
    counts = Counter(flying.values_list("merchant", flat=True)[:MANY]).items()
    yield Gauge("fahuo_in_flight", "Calls that have begun and not ended", ("store",), _by_store(counts))
    ended = Tally.objects.values_list("merchant", "code", "then", "count")
    tally: list[Row] = [((str(store), code, then), count) for store, code, then, count in ended]
    labels = ("store", "code", "then")
    yield Gauge(
        "fahuo_outcomes", "How calls ended, by answer and what was done", labels, tally, is_counter=True
    )


def _tokens(stores: list[int], now: datetime) -> Iterator[Gauge]:
    held = Credential.objects.filter(merchant__in=stores, token_expires_at__isnull=False)
    rows = list(held.values_list("merchant", "mode", "token_fetched_at", "token_expires_at"))
    labels = ("store", "way")
    ages: list[Row] = [((str(store), way), _age(at, now)) for store, way, at, _end in rows if at]
    left: list[Row] = [((str(store), way), -_age(end, now)) for store, way, _at, end in rows if end]
    yield Gauge("fahuo_token_age_seconds", "Age of the access_token", labels, ages)
    yield Gauge("fahuo_token_left_seconds", "Time left of the access_token, below 0 when over", labels, left)


def _standing(stores: list[int], now: datetime) -> Iterator[Gauge]:
    cursors = SyncCursor.objects.filter(merchant__in=stores, succeeded_at__isnull=False)
    lag: list[Row] = [
        ((str(store),), _age(at, now)) for store, at in cursors.values_list("merchant", "succeeded_at") if at
    ]
    yield Gauge("fahuo_sync_lag_seconds", "Time since a store's orders were all read", ("store",), lag)
    paused: list[Row] = [
        ((str(store), call, slug if errcode is None else str(errcode)), 1)
        for store, call, errcode, slug in open_pauses().values_list("merchant", "call", "errcode", "slug")
    ]
    yield Gauge(
        "fahuo_paused", "Stores, or one call of them, that stand still", ("store", "call", "code"), paused
    )


def _desk(now: datetime) -> Iterator[Gauge]:
    seen: list[Row] = [((who,), _age(at, now)) for who, at in last_seen().items() if at]
    yield Gauge("fahuo_worker_seen_seconds", "Time since a worker showed itself", ("worker",), seen)
    waiting = unsaid()[:MANY].count()
    yield Gauge("fahuo_messages_waiting", "Messages to people that have not got through", (), [((), waiting)])


def _by_store(counts: Iterable[tuple[int, int]]) -> list[Row]:
    return [((str(store),), count) for store, count in counts]


def _age(moment: datetime, now: datetime) -> float:
    return (now - moment).total_seconds()
