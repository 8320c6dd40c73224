"""The board's sums: finished hours and days kept in small rows, what came since counted along an index.

A package that was shipped or refused never moves again, so an hour that is over has its sums for ever.
`tally` is the one way to count: a day that is over, an hour of today, what no row holds yet. A day is one of
TIME_ZONE.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from merchants.models import Merchant
from wechat.errcodes import Code, meaning

from . import states
from .asked import whole
from .drafts import SEND
from .models import WHOLE_DAY, Figure, FigureCursor, Package
from .wake import wake

# What is summed; the key is an hour "09", a courier, a code or a slug, a person, minutes.
SHIPPED, REFUSED = "shipped", "refused"
COURIER, CODE, PERSON, PERSON_HOURS, TOOK = "courier", "code", "person", "hours", "took"
# Packages nobody had refused before: shipped at once, or not.
RIGHT, WRONG = "right", "wrong"
Key = tuple[str, str]
Sums = Counter[Key]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A move is seen by others when its transaction ends, and the clocks of two machines differ.
SETTLES = timedelta(minutes=10)
# What no row holds yet is counted for a page no further back than this.
LIVE = timedelta(days=2)
SLICE = 4.0
# Minutes from payment to shipping are kept in steps: up to so many minutes, steps of so many.
STEPS = ((60, 2), (240, 5), (720, 15), (1440, 30), (2880, 60))
LAST_STEP, LONGEST = 360, 60 * 24 * 60
COLUMNS = ("status_at", "person", "delivery_id", "errcode", "slug", "shipment__corrects", "order__paid_at")


def tally(store: int, since: datetime, until: datetime) -> Sums:
    """The sums of one store's packages that were shipped or refused from `since` to before `until`."""
    sums: Sums = Counter()
    hours: set[tuple[str, str]] = set()
    for at, person, courier, _, _, corrects, paid_at in _rows(store, states.SHIPPED, since, until):
        hour = f"{timezone.localtime(at):%m%d%H}"
        sums.update(((SHIPPED, hour[-2:]), (COURIER, courier)))
        sums[(RIGHT, "")] += corrects is None
        if person is not None:
            sums[(PERSON, str(person))] += 1
            hours.add((str(person), hour))
        if paid_at is not None:
            sums[(TOOK, str(step_of((at - paid_at).total_seconds() / 60)))] += 1
    sums.update((PERSON_HOURS, person) for person, _ in hours)
    for at, _, _, errcode, slug, corrects, _ in _rows(store, states.REJECTED, since, until):
        sums.update(((REFUSED, f"{timezone.localtime(at):%H}"), (CODE, code_key(errcode, slug))))
        sums[(WRONG, "")] += corrects is None
    return +sums


def _rows(store: int, status: str, since: datetime, until: datetime) -> Iterator[tuple[Any, ...]]:
    """Goods that leave; corrections and parcels sent again are no packages of their own."""
    rows = Package.objects.filter(merchant=store, status=status, status_at__gte=since, status_at__lt=until)
    return rows.filter(kind=SEND).order_by().values_list(*COLUMNS).iterator()


def code_key(errcode: int | None, slug: str) -> str:
    """How a refusal is named: by WeChat's number, or by our own word where there is none."""
    return slug if errcode is None else str(errcode)


def code_of(key: str) -> Code:
    """The table's row for how a refusal is named."""
    number = whole(key.removeprefix("-"))
    return meaning(None, key) if number is None else meaning(-number if key.startswith("-") else number)


def step_of(minutes: float) -> int:
    """The beginning, in minutes, of the step that so many minutes fall into."""
    whole = min(max(int(minutes), 0), LONGEST)
    width = next((width for end, width in STEPS if whole < end), LAST_STEP)
    return whole // width * width


def step_width(begin: int) -> int:
    return next((width for end, width in STEPS if begin < end), LAST_STEP)


# --- kept in rows -------------------------------------------------------------------------------------


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _step(counted_to: datetime, now: datetime) -> datetime | None:
    """Where the next sum ends, a day's or an hour's; None when nothing more is finished."""
    local = timezone.localtime(counted_to)
    day_ends = midnight(local.date() + DAY)
    ends = day_ends if day_ends + SETTLES <= now else local.replace(minute=0, second=0, microsecond=0) + HOUR
    return ends if ends + SETTLES <= now else None


def count_on(store: int, until: float) -> bool:
    """Keep the sums of what is finished up to `until` of the monotonic clock; whether any is left."""
    cursor = FigureCursor.objects.filter(merchant=store).first() or _first_cursor(store)
    while cursor and (ends := _step(cursor.counted_to, timezone.now())):
        if time.monotonic() > until:
            return True
        cursor = _keep(cursor, ends)
    return False


def _first_cursor(store: int) -> FigureCursor | None:
    """From the day of the store's first package on; None for a store without any."""
    rows = Package.objects.filter(merchant=store).exclude(status=states.DRAFT)
    first = rows.order_by("status_at").values_list("status_at", flat=True).first()
    if first is None:
        return None
    begin = midnight(timezone.localtime(first).date())
    return FigureCursor.objects.get_or_create(merchant_id=store, defaults={"counted_to": begin})[0]


def _keep(cursor: FigureCursor, ends: datetime) -> FigureCursor | None:
    """Write one step's sums, unless another worker did; a day that is over takes the place of its hours."""
    began = timezone.localtime(cursor.counted_to)
    is_day = ends == midnight(began.date() + DAY)
    since = midnight(began.date()) if is_day else began
    sums = tally(cursor.merchant_id, since, ends)
    with transaction.atomic():
        same = FigureCursor.objects.filter(pk=cursor.pk, counted_to=cursor.counted_to)
        if not same.update(counted_to=ends):
            return FigureCursor.objects.filter(pk=cursor.pk).first()
        own = Figure.objects.filter(merchant=cursor.merchant_id, day=began.date())
        (own if is_day else own.filter(hour=began.hour)).delete()
        Figure.objects.bulk_create(
            Figure(
                merchant_id=cursor.merchant_id, day=began.date(), hour=WHOLE_DAY if is_day else began.hour,
                what=what, key=key, count=count,
            )
            for (what, key), count in sums.items()
        )  # fmt: skip
    cursor.counted_to = ends
    return cursor


def wake_due() -> None:
    """Have the worker count, if some store's hour is over and not counted."""
    now = timezone.now()
    cursors = dict(FigureCursor.objects.values_list("merchant", "counted_to"))
    stores = Merchant.objects.filter(is_active=True).values_list("pk", flat=True)
    if any(_is_due(store, cursors.get(store), now) for store in stores):
        wake("count_figures")


def _is_due(store: int, counted_to: datetime | None, now: datetime) -> bool:
    if counted_to is None:
        return Package.objects.filter(merchant=store).exclude(status=states.DRAFT).exists()
    return _step(counted_to, now) is not None


def count_all() -> bool:
    """One slice of counting over all stores; whether something is left."""
    end = time.monotonic() + SLICE
    stores = Merchant.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)
    return any(count_on(store, end) for store in stores)


def recount(store: int, since: date | None = None) -> None:
    """Forget a store's sums from a day on, or all, and count them again from its packages."""
    with transaction.atomic():
        rows = Figure.objects.filter(merchant=store)
        (rows if since is None else rows.filter(day__gte=since)).delete()
        cursors = FigureCursor.objects.filter(merchant=store)
        if since is None:
            cursors.delete()
        else:
            cursors.filter(counted_to__gt=midnight(since)).update(counted_to=midnight(since))
    count_on(store, float("inf"))


# --- read ---------------------------------------------------------------------------------------------


class Read(NamedTuple):
    """The sums of some days: in all and day by day; `is_whole`: nothing of them is still to be counted."""

    total: Sums
    by_day: dict[date, Sums]
    is_whole: bool

    def of(self, what: str) -> dict[str, int]:
        """key -> count of one kind of sum."""
        return {key: count for (kind, key), count in self.total.items() if kind == what}

    def sum(self, what: str) -> int:
        return sum(self.of(what).values())


BY_DAY = (SHIPPED, REFUSED)


def read(stores: Sequence[int], first: date, last: date) -> Read:
    """The sums of these stores from the first to the last day, both included, up to this moment."""
    counted = _counted(stores)
    while True:
        found = _read(stores, first, last, counted)
        # An hour that was just being kept might have been counted twice, or not at all.
        before, counted = counted, _counted(stores)
        if before == counted:
            return found


def _counted(stores: Sequence[int]) -> dict[int, datetime]:
    return dict(FigureCursor.objects.filter(merchant__in=stores).values_list("merchant", "counted_to"))


def _read(stores: Sequence[int], first: date, last: date, counted: Mapping[int, datetime]) -> Read:
    total: Sums = Counter()
    by_day: dict[date, Sums] = {}
    is_whole = True
    for day, what, key, count in _kept(stores, first, last):
        total[(what, key)] += count
        if day is not None:
            by_day.setdefault(day, Counter())[(what, key)] += count
    for store in stores:
        missing = max(counted.get(store, midnight(first)), midnight(first))
        for day, sums in _live(store, missing, midnight(last + DAY)):
            total.update(sums)
            by_day.setdefault(day, Counter()).update(sums)
        is_whole &= _reaches_back(store, missing, midnight(last + DAY))
    return Read(total, by_day, is_whole)


def _kept(stores: Sequence[int], first: date, last: date) -> Iterable[tuple[date | None, str, str, int]]:
    rows = Figure.objects.filter(merchant__in=stores, day__gte=first, day__lte=last).order_by()
    sums = rows.exclude(what__in=BY_DAY).values_list("what", "key").annotate(count=Sum("count"))
    yield from ((None, what, key, count) for what, key, count in sums)
    yield from rows.filter(what__in=BY_DAY).values_list("day", "what", "key").annotate(count=Sum("count"))


def _live(store: int, since: datetime, until: datetime) -> Iterator[tuple[date, Sums]]:
    """What no row holds yet, day by day."""
    now = timezone.now()
    begin, end = max(since, now - LIVE), min(until, now + HOUR)
    while begin < end:
        day = timezone.localtime(begin).date()
        ends = min(midnight(day + DAY), end)
        yield day, tally(store, begin, ends)
        begin = ends


def _reaches_back(store: int, since: datetime, until: datetime) -> bool:
    """Whether nothing lies between what is kept and what is counted for the page."""
    gap = min(timezone.now() - LIVE, until)
    older = Package.objects.filter(merchant=store, status_at__gte=since, status_at__lt=gap)
    return since >= gap or not older.exists()


def percentile(took: dict[str, int], share: float) -> float | None:
    """The minutes within which this share of the packages left, read between the ends of its step."""
    steps = sorted((int(key), count) for key, count in took.items())
    rank, seen = share * sum(count for _, count in steps), 0
    for begin, count in steps:
        if seen + count >= rank:
            return begin + step_width(begin) * (rank - seen) / count
        seen += count
    return None
