"""Which shipment leaves next, and taking it so that nobody else can."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from merchants.models import Merchant, platform_host
from shipping import states
from shipping.around import open_holds
from shipping.drafts import CORRECTION
from shipping.models import Attempt, BatchOrder, Package, Shipment
from shipping.pauses import CALLS, stores_without
from shipping.services import move

from .sending import whole
from .turns import Turns, waits_for_turn

BETWEEN_CALLS = timedelta(seconds=1)
# So many of a store are looked up at once, and again after so many seconds; sooner when none of them is left.
LOOK_AHEAD, LOOK_AGAIN, LOOK_SOON = 200, 1.0, 0.2
# Looking through thousands is left alone for so many times as long as it took, for so many seconds at most: a
# process that was stopped while it looked must not keep a store waiting.
LOOK_RESTS, LONGEST_REST = 20, 2.0


def recent_calls() -> QuerySet[Attempt]:
    """The calls of a shipment's order that ended less than a second ago."""
    return Attempt.objects.filter(order=OuterRef("order"), ended_at__gt=timezone.now() - BETWEEN_CALLS)


def unblocked(only: Collection[int] | None = None) -> QuerySet[Shipment]:
    """Shipments with something queued and nothing of their order open, whenever they are due."""
    calls = Attempt.objects.filter(order=OuterRef("order"), closed_at=None)
    unsettled = Package.objects.filter(order=OuterRef("order"), status__in=states.OPEN)
    rows = Shipment.objects.filter(
        due_at__isnull=False, merchant__is_active=True, merchant__api_host=platform_host()
    )
    rows = rows.exclude(Exists(calls)).exclude(Exists(unsettled))
    # A hold keeps goods back; a number is put right all the same.
    rows = rows.exclude(~Q(kind=CORRECTION), Exists(open_holds(OuterRef("order"))))
    rows = rows.exclude(
        Exists(BatchOrder.objects.filter(shipment=OuterRef("pk"), batch__paused_at__isnull=False))
    )
    return rows if only is None else rows.filter(pk__in=only)


def not_paused(rows: QuerySet[Shipment]) -> QuerySet[Shipment]:
    """Without those whose own call stands still at their store."""
    for kind, call in CALLS.items():
        if stopped := stores_without(call):
            rows = rows.exclude(kind=kind, merchant__in=stopped)
    return rows


def due(only: Collection[int] | None = None) -> QuerySet[Shipment]:
    """What may be claimed now: nothing of the order open, a second since its last call.

    A store that stood still goes on with what is due first; without deadlines, with what waited longest.
    """
    rows = unblocked(only).filter(due_at__lte=timezone.now()).exclude(Exists(recent_calls()))
    rows = not_paused(rows)
    by_deadline = F("order__deadline_at").asc(nulls_last=True)
    return rows.select_related("merchant", "order").order_by(by_deadline, "due_at", "id")


class Backlog:
    """Each store's next shipments, looked up for many claims at once: looking through thousands takes time.

    What became of one meanwhile is seen when its turn comes, with as many as there is room for.
    """

    def __init__(self, only: Collection[int] | None = None) -> None:
        self._only = only
        # Of each store: until when its keys are good, and as long as none of them is left.
        self._kept: dict[int, tuple[float, float, deque[int]]] = {}

    def of(self, merchant_id: int, room: int) -> Iterator[Shipment]:
        """What may be claimed of one store, the most urgent first, looked at `room` at a time.

        Where others have taken all of those, twice as many are looked at next.
        """
        keys = self._keys(merchant_id)
        while keys:
            some = list(islice(keys, room))
            ready = {shipment.pk: shipment for shipment in due(some)}
            for _ in some:
                if shipment := ready.get(keys.popleft()):
                    yield shipment
            room = room if ready else 2 * room

    def _keys(self, merchant_id: int) -> deque[int]:
        """One shipment an order: its next is not claimed within the time that these are good for."""
        again_at, soon_at, keys = self._kept.get(merchant_id, (0.0, 0.0, deque[int]()))
        began = time.monotonic()
        if began >= (again_at if keys else soon_at):
            keys = self._look(merchant_id)
            now = time.monotonic()
            rest = min(LONGEST_REST, LOOK_RESTS * (now - began))
            self._kept[merchant_id] = now + max(LOOK_AGAIN, rest), now + max(LOOK_SOON, rest), keys
        return keys

    def _look(self, merchant_id: int) -> deque[int]:
        rows = due(self._only).filter(merchant_id=merchant_id).values_list("order__pk", "pk")
        first: dict[int, int] = {}
        for order, key in rows[:LOOK_AHEAD]:
            first.setdefault(order, key)
        return deque(first.values())


@contextmanager
def whole_or_nothing() -> Iterator[None]:
    """A transaction that is either committed or raises, though its steps are caught one by one.

    A step whose savepoint is lost too, with its connection or on a full disk, would else be rolled back in
    silence together with all the others, and their calls would be made without a row that says so.
    """
    with transaction.atomic():
        yield
        if transaction.get_rollback():
            raise transaction.TransactionManagementError("a savepoint was lost: nothing of it is written")


def claim_some(
    run_id: str,
    room: int,
    only: Collection[int] | None = None,
    but: Collection[int] = (),
    backlog: Backlog | None = None,
) -> list[Attempt]:
    """Claim up to `room` shipments, the merchant with the fewest in flight first, `but` those named."""
    queues = _queues(backlog or Backlog(only), room, only, but) if room > 0 else {}
    picked = list(islice(_picked(queues), room)) if queues else []
    if not picked:
        return []
    # One commit for all of them: a disk may take longer over it than we over a claim.
    with whole_or_nothing():
        waiting = _queued(picked)
        return [attempt for each in picked if (attempt := claim(each, run_id, waiting.get(each.pk, [])))]


def _queued(shipments: Collection[Shipment]) -> dict[int, list[Package]]:
    """Shipment -> its packages that wait, with all that goes on the wire."""
    waiting: dict[int, list[Package]] = defaultdict(list)
    for package in whole(Package.objects.filter(shipment__in=shipments, status=states.QUEUED)):
        waiting[package.shipment_id].append(package)
    return waiting


def _picked(queues: dict[int, Iterator[Shipment]]) -> Iterator[Shipment]:
    """Who comes next, as long as anybody has something and may send it."""
    open_calls = Attempt.objects.filter(closed_at=None, ended_at=None)
    flying, turns = Counter(open_calls.values_list("merchant_id", flat=True)), Turns()
    while queues:
        fewest = min(queues, key=lambda merchant_id: flying[merchant_id])
        shipment = next(queues[fewest], None)
        if shipment is None or not turns.take(fewest):
            del queues[fewest]
        else:
            flying[fewest] += 1
            yield shipment


def _queues(
    backlog: Backlog, room: int, only: Collection[int] | None, but: Collection[int]
) -> dict[int, Iterator[Shipment]]:
    """Each merchant's own queue, so that thousands of one never hide another's; read when its turn comes."""
    waiting = Shipment.objects.filter(merchant=OuterRef("pk"), due_at__lte=timezone.now())
    waiting = waiting if only is None else waiting.filter(pk__in=only)
    # The first of each store along an index: there may be thousands behind it.
    oldest = Subquery(waiting.order_by("due_at").values("due_at")[:1])
    stores = Merchant.objects.exclude(pk__in=but).exclude(waits_for_turn("pk")).annotate(oldest=oldest)
    waits = stores.filter(oldest__isnull=False).order_by("oldest")
    return {store: backlog.of(store, room) for store in waits.values_list("pk", flat=True)}


def claim(shipment: Shipment, run_id: str, packages: list[Package]) -> Attempt | None:
    """Take a shipment: attempt and packages committed before the first byte; None if someone was faster."""
    try:
        with transaction.atomic():
            return _claim(shipment, run_id, packages)
    except (IntegrityError, states.IllegalMove):
        return None


def _claim(shipment: Shipment, run_id: str, packages: list[Package]) -> Attempt | None:
    taken = Shipment.objects.filter(pk=shipment.pk, due_at=shipment.due_at).update(due_at=None)
    if not taken or not packages:
        return None
    attempt = Attempt.objects.create(
        merchant=shipment.merchant, order=shipment.order, shipment=shipment, run=run_id
    )
    for package in packages:
        move(package, states.SENDING, who=states.WORKER, attempt=attempt)
    attempt.claimed = packages
    return attempt
