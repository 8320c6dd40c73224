"""What a dead worker left behind, and what a living one stumbled over."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from shipping import states
from shipping.models import Attempt
from shipping.services import move
from wechat.replies import Reply, ReplyKind

from .runs import is_alive
from .sending import end, let_go


def sweep(run_id: str = "", in_hand: Collection[int] = ()) -> int:
    """Settle the attempts of runs that died, and those of this run that it no longer has in hand."""
    open_calls = Attempt.objects.filter(closed_at=None, ended_at=None).select_related("shipment")
    dead = [
        attempt
        for attempt in open_calls
        if (attempt.pk not in in_hand if attempt.run == run_id else not is_alive(attempt.run))
    ]
    return sum(bury(attempt) for attempt in dead)


@transaction.atomic
def bury(attempt: Attempt) -> bool:
    """End an attempt nobody works on any more; False when another sweep was faster."""
    still = Attempt.objects.filter(pk=attempt.pk, closed_at=None, ended_at=None)
    if not still.update(ended_at=timezone.now()):
        return False
    if attempt.sent_at:
        _died_sending(attempt)
    else:
        # Not a byte had left.
        let_go(attempt, who=states.SWEEP, reason="worker_died")
    return True


def _died_sending(attempt: Attempt) -> None:
    for package in attempt.packages.filter(status=states.SENDING):
        move(package, states.UNKNOWN, who=states.SWEEP, attempt=attempt, reason="worker_died",
             slug="worker_died", errcode=None, errmsg="", rid="")  # fmt: skip
    end(attempt, then="worker_died", reply=Reply(ReplyKind.NO_ANSWER, slug="worker_died"))
    Attempt.objects.filter(pk=attempt.pk).update(next_read_at=timezone.now())
