"""What a person tells a batch to do; the worker does it."""

from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from merchants.models import User
from shipping.models import Batch, BatchFile, BatchOrder
from shipping.wake import wake

from .rehearsal import Verdict
from .retries import may_retry

Stage = Batch.Stage


class Busy(Exception):
    """The worker has the batch; a person waits for it to be done."""


@transaction.atomic
def upload(*, user: User, filename: str, content: bytes) -> Batch:
    """Keep what was uploaded, or pasted ("" as its name), and let the worker read it."""
    batch = Batch.objects.create(
        created_by=user, filename=filename[-200:], size=len(content), sha256=sha256(content).hexdigest()
    )
    BatchFile.objects.create(batch=batch, content=content)
    wake("work_batch", str(batch.pk))
    return batch


@transaction.atomic
def answer_columns(*, batch: Batch, answers: dict[int, str]) -> None:
    """A person said what columns are; the rows are read again by it, before any of them has a verdict."""
    batch.answers = {str(column): field for column, field in answers.items()}
    send(batch, (Stage.COLUMNS,), Stage.READING, answers=batch.answers)


@transaction.atomic
def confirm(*, batch: Batch, user: User) -> None:
    """Ship what is ready; what turns green later waits for a yes of its own."""
    _send_to_save(batch, user)
    BatchOrder.objects.filter(batch=batch, verdict=Verdict.READY).update(confirmed_at=batch.confirmed_at)


@transaction.atomic
def pause(*, batch: Batch, user: User) -> None:
    """Nothing more of it leaves until somebody resumes it; what is being sent is finished."""
    Batch.objects.filter(pk=batch.pk, paused_at=None).update(paused_at=timezone.now(), paused_by=user)


@transaction.atomic
def resume(*, batch: Batch) -> None:
    Batch.objects.filter(pk=batch.pk).update(paused_at=None, paused_by=None)
    wake("send_ticket")


@transaction.atomic
def cancel(*, batch: Batch, user: User) -> None:
    """Withdraw what has not left."""
    send(batch, (Stage.OPEN, Stage.QUEUEING), Stage.CANCELLING, confirmed_by=user)


@transaction.atomic
def retry(*, batch: Batch, user: User) -> int:
    """Hand over again what was refused for a reason that may have passed, alone; returns how many orders."""
    _send_to_save(batch, user)
    refused = [row.pk for row in may_retry(batch)]
    rows = BatchOrder.objects.filter(pk__in=refused)
    return rows.update(verdict=Verdict.READY, confirmed_at=batch.confirmed_at)


def _send_to_save(batch: Batch, user: User) -> None:
    send(batch, (Stage.OPEN,), Stage.QUEUEING, confirmed_by=user, confirmed_at=timezone.now())


def keep_open(batch: Batch) -> None:
    """Nobody sends the batch on until this transaction ends. Raises Busy when somebody has."""
    if not Batch.objects.filter(pk=batch.pk, stage=Stage.OPEN).update(stage=Stage.OPEN):
        raise Busy


def send(batch: Batch, sources: tuple[Stage, ...], target: Stage, **columns: object) -> None:
    """Raises Busy when the batch is no longer where the person saw it."""
    if not Batch.objects.filter(pk=batch.pk, stage__in=sources).update(stage=target, **columns):
        raise Busy
    batch.refresh_from_db()
    wake("work_batch", str(batch.pk))
