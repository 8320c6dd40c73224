"""What a dead worker left behind, what a living one stumbled over, what waited for a pause that is over."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from shipping import states
from shipping.models import Attempt
from shipping.services import move
from wechat.replies import Reply, ReplyKind

from .runs import doubt, is_alive
from .sending import end, let_go
from .settling import wake_stalled


def sweep(run_id: str = "", in_hand: Collection[int] = ()) -> int:
    """Settle the attempts of runs that died, and those of this run that it no longer has in hand."""
    wake_stalled()
    # In the order of the index of open ones: by number, a million closed ones would be looked through.
    flying = Attempt.objects.filter(closed_at=None, ended_at=None).order_by("next_read_at", "pk")
    runs: dict[str, bool] = {}
    open_calls = flying.select_related("shipment")
    dead = [attempt for attempt in open_calls if _is_left(attempt, run_id, in_hand, runs)]
    return sum(bury(attempt) for attempt in dead)


def _is_left(attempt: Attempt, run_id: str, in_hand: Collection[int], runs: dict[str, bool]) -> bool:
    """Whether nobody works on it any more; `runs` keeps what was asked of each run."""
    if attempt.run == run_id:
        return attempt.pk not in in_hand
    if attempt.run not in runs:
        runs[attempt.run] = is_alive(attempt.run)
    return not runs[attempt.run] and (attempt.sent_at is None or attempt.sent_at + doubt() <= timezone.now())


@transaction.atomic
def bury(attempt: Attempt) -> bool:
    """End an attempt nobody works on any more; False when another sweep, or its own last step, was faster."""
    still = Attempt.objects.filter(pk=attempt.pk, closed_at=None, ended_at=None, sent_at=attempt.sent_at)
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
    Attempt.objects.filter(pk=attempt.pk, closed_at=None).update(next_read_at=timezone.now())
