"""What the worker does with a batch: a slice of the stage it is in, so that no other batch waits for it."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for
from shipping import states
from shipping.bulk import Wish, cancel_many, queue_many
from shipping.drafts import Problem
from shipping.models import Batch, BatchOrder, BatchRow, Package, Shipment
from shipping.wake import wake

from .fixes import note_stores, remember_columns
from .reading import read_upload
from .rehearsal import Rehearsal, Verdict
from .retries import corrected_by
from .shapes import Placed, cause_of, draft_of, problems_json

log = logging.getLogger(__name__)
# Orders in one transaction: some tenths of a second in which nobody else can write.
CHECKED, QUEUED, CANCELLED = 500, 100, 200
# Enough for a file of five thousand rows on a slow day: to take up where one left off costs half a second.
SLICE = 8.0
LEASE, PATIENCE = timedelta(seconds=90), timedelta(seconds=60)
Stage = Batch.Stage


def wake_stuck() -> None:
    """What a killed worker left in the middle, or a wish that came while one was just leaving, goes on."""
    now = timezone.now()
    stuck = Batch.objects.filter(stage__in=STEPS, lease_until__lte=now - PATIENCE)
    for key in list(stuck.values_list("pk", flat=True)):
        if stuck.filter(pk=key).update(lease_until=now):
            wake("work_batch", str(key))


def work(batch: Batch, seconds: float = SLICE) -> bool:
    """Go on with a batch for so long; True while something is left for the worker."""
    if not _take(batch):
        return False
    end = time.monotonic() + seconds
    try:
        while (step := STEPS.get(batch.stage)) and time.monotonic() < end:
            step(batch, end)
    finally:
        Batch.objects.filter(pk=batch.pk).update(lease_until=timezone.now())
    return batch.stage in STEPS


def _take(batch: Batch) -> bool:
    """One worker at a time; one that was killed is followed by another when its lease is over."""
    now = timezone.now()
    free = Batch.objects.filter(pk=batch.pk, lease_until__lte=now)
    taken = free.update(lease_until=now + LEASE) == 1
    batch.refresh_from_db()
    return taken


def _read(batch: Batch, end: float) -> None:
    read_upload(batch)


def _check(batch: Batch, end: float) -> None:
    """Rehearse the orders that have no verdict yet, in the file's order."""
    rehearsal, waiting = Rehearsal(batch), keys_to_check(batch)
    for chunk in _chunks(waiting, CHECKED):
        rehearsal.check(chunk)
        if time.monotonic() > end:
            break
    else:
        note_stores(batch)
        remember_columns(batch)
        _go_to(batch, Stage.OPEN)


def keys_to_check(batch: Batch) -> list[str]:
    rows = BatchRow.objects.filter(batch=batch).values("key").annotate(first=Min("number"))
    done = set(BatchOrder.objects.filter(batch=batch).values_list("key", flat=True))
    keys = [row["key"] for row in rows.order_by("first")]
    return [key for key in keys if key not in done]


def _queue(batch: Batch, end: float) -> None:
    """Hand over what the person said yes to and may still ship for; what the rules stop now turns red."""
    while time.monotonic() < end and (stopped := _save_some(batch)) is not None:
        _explain(batch, stopped)


@transaction.atomic
def _save_some(batch: Batch) -> list[BatchOrder] | None:
    """Save a chunk and tie it to its rows by one commit: a pause and a withdrawal find parcels by their row.

    Returns the orders that were refused; None when the worker has nothing more to save.
    """
    if not _goes_on(batch):
        return None
    user = batch.confirmed_by or batch.created_by
    if ready := list(ready_orders(batch, user)[:QUEUED]):
        return _hand_over(batch, ready, user)
    _go_to(batch, Stage.OPEN)
    return None


def _goes_on(batch: Batch) -> bool:
    """Whether nobody has withdrawn it; who does so from now on is heard when the chunk is saved."""
    saved = Batch.objects.filter(pk=batch.pk, stage=Stage.QUEUEING)
    goes_on = saved.update(lease_until=timezone.now() + LEASE) == 1
    batch.refresh_from_db()
    return goes_on


def ready_orders(batch: Batch, user: User) -> QuerySet[BatchOrder]:
    rows = BatchOrder.objects.filter(
        batch=batch, verdict=Verdict.READY, confirmed_at=F("batch__confirmed_at"), order__isnull=False,
        merchant__in=merchants_for(user),
    )  # fmt: skip
    return rows.select_related("order__merchant", "shipment").order_by("first_row")


def _key(row: BatchOrder) -> str:
    """One for each yes: what was withdrawn since an earlier one is shipped anew."""
    said_at = row.confirmed_at.timestamp() if row.confirmed_at else 0
    return f"batch-{row.pk}-{row.shipment_id or 0}-{said_at:.6f}"


def _hand_over(batch: Batch, ready: list[BatchOrder], user: User) -> list[BatchOrder]:
    corrected = corrected_by(ready)
    wishes = [
        Wish(order, draft_of(row), _key(row), corrected.get(order.pk))
        for row in ready
        if (order := row.order)
    ]
    for row, outcome in zip(ready, queue_many(wishes, user=user, door="batch"), strict=True):
        if isinstance(outcome, Shipment):
            row.verdict, row.shipment = Verdict.QUEUED, outcome
        else:
            row.verdict = Verdict.STOPPED
            placed = [Placed(row.first_row, _column(problem), problem) for problem in outcome]
            row.problems, row.cause = problems_json(placed), cause_of(placed)
    return _note(batch, ready)


def _note(batch: Batch, handed: list[BatchOrder]) -> list[BatchOrder]:
    """Write down what became of them; returns the refused, without those that were scanned out just now."""
    queued = [row for row in handed if row.verdict == Verdict.QUEUED]
    BatchOrder.objects.bulk_update(queued, ["verdict", "shipment"])
    Package.objects.filter(shipment__in=[row.shipment_id for row in queued]).update(batch=batch)
    refused = {row.pk: row for row in handed if row.verdict == Verdict.STOPPED}
    still = BatchOrder.objects.filter(pk__in=refused, verdict=Verdict.READY).values_list("pk", flat=True)
    stopped = [refused[key] for key in still]
    BatchOrder.objects.bulk_update(stopped, ["verdict", "problems", "cause"])
    return stopped


def _explain(batch: Batch, refused: list[BatchOrder]) -> None:
    """What was refused is rehearsed again, for its row and column, or because it has left by another door."""
    if not refused:
        return
    stopped = {row.key: row for row in refused}
    Rehearsal(batch).check(stopped)
    # What still looks green here was refused for what only the door knows.
    for again in BatchOrder.objects.filter(batch=batch, key__in=stopped, verdict=Verdict.READY):
        row = stopped[again.key]
        again.verdict, again.problems, again.cause = row.verdict, row.problems, row.cause
        again.save(update_fields=["verdict", "problems", "cause"])


def _column(problem: Problem) -> str:
    return problem.path.rpartition(".")[2].partition("[")[0]


def _cancel(batch: Batch, end: float) -> None:
    """Withdraw what has not left, of the stores that the person may act in."""
    user = batch.confirmed_by or batch.created_by
    while time.monotonic() < end:
        waiting = BatchOrder.objects.filter(
            batch=batch, shipment__packages__status=states.QUEUED, shipment__merchant__in=merchants_for(user)
        )
        keys = list(waiting.order_by("pk").values_list("shipment", flat=True).distinct()[:CANCELLED])
        if not keys:
            _go_to(batch, Stage.OPEN)
            return
        try:
            cancel_many(keys, user=user)
        except states.IllegalMove:
            # The worker claimed one of them at that very moment; look again.
            log.info("batch=%s: somebody was faster", batch.pk)


def _go_to(batch: Batch, stage: Batch.Stage) -> None:
    """Onward, unless a person has sent the batch elsewhere meanwhile."""
    Batch.objects.filter(pk=batch.pk, stage=batch.stage).update(stage=stage)
    batch.refresh_from_db()


def _chunks(keys: list[str], size: int) -> Iterator[list[str]]:
    yield from (keys[first : first + size] for first in range(0, len(keys), size))


STEPS: dict[str, Callable[[Batch, float], None]] = {
    Stage.READING: _read,
    Stage.CHECKING: _check,
    Stage.QUEUEING: _queue,
    Stage.CANCELLING: _cancel,
}
