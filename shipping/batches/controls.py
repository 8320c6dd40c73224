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
    """A person said what columns are; the rows are read again by it."""
    batch.answers = {str(column): field for column, field in answers.items()}
    _send(batch, (Stage.COLUMNS, Stage.OPEN), Stage.READING, answers=batch.answers)


@transaction.atomic
def confirm(*, batch: Batch, user: User) -> None:
    """Ship what is ready."""
    _send(batch, (Stage.OPEN,), Stage.QUEUEING, confirmed_by=user, confirmed_at=timezone.now())


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
    _send(batch, (Stage.OPEN, Stage.QUEUEING), Stage.CANCELLING, confirmed_by=user)


@transaction.atomic
def retry(*, batch: Batch, user: User) -> int:
    """Hand over again what was refused for a reason that may have passed; returns how many orders."""
    refused = [row.pk for row in may_retry(batch)]
    BatchOrder.objects.filter(pk__in=refused).update(verdict=Verdict.READY)
    if refused:
        confirm(batch=batch, user=user)
    return len(refused)


def _send(batch: Batch, sources: tuple[Stage, ...], target: Stage, **columns: object) -> None:
    """Raises Busy when the batch is no longer where the person saw it."""
    if not Batch.objects.filter(pk=batch.pk, stage__in=sources).update(stage=target, **columns):
        raise Busy
    batch.refresh_from_db()
    wake("work_batch", str(batch.pk))
