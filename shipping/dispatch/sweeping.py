"""What a dead worker left behind."""

from django.db import transaction
from django.utils import timezone

from shipping import states
from shipping.models import Attempt
from shipping.services import move
from wechat.replies import Reply, ReplyKind

from .pacing import requeue_at
from .runs import is_alive
from .sending import end


def sweep() -> int:
    """Settle the attempts of runs that died; returns how many there were."""
    open_calls = Attempt.objects.filter(closed_at=None, ended_at=None).select_related("shipment")
    dead = [attempt for attempt in open_calls if not is_alive(attempt.run)]
    for attempt in dead:
        (_died_sending if attempt.sent_at else _died_before)(attempt)
    return len(dead)


@transaction.atomic
def _died_before(attempt: Attempt) -> None:
    """Not a byte had left: the packages simply queue again."""
    for package in attempt.packages.filter(status=states.SENDING):
        move(package, states.QUEUED, who=states.SWEEP, attempt=attempt, reason="worker_died")
    requeue_at(attempt.shipment, timezone.now())
    end(attempt, then="not_sent", slug="worker_died")


@transaction.atomic
def _died_sending(attempt: Attempt) -> None:
    for package in attempt.packages.filter(status=states.SENDING):
        move(package, states.UNKNOWN, who=states.SWEEP, attempt=attempt, reason="worker_died",
             slug="worker_died", errcode=None, errmsg="", rid="")  # fmt: skip
    end(attempt, then="worker_died", reply=Reply(ReplyKind.NO_ANSWER, slug="worker_died"))
    Attempt.objects.filter(pk=attempt.pk).update(next_read_at=timezone.now())
