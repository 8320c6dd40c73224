"""A store's pace per call path: halved by 45011, grown again minute by minute, one count for all workers.

Settling reads ask no turn: what may have been shipped must never wait behind what is still to be sent.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from merchants.models import Merchant
from shipping.models import Attempt, Tempo
from shipping.pauses import READ

MINUTE = timedelta(minutes=1)
SLOWEST = 1.0
# A tenth of what was refused is given back each quiet minute.
STEPS = 10


def slow_down(merchant: Merchant, call: str, asked_at: datetime) -> None:
    """WeChat found `call` too fast (45011): half the pace from now on. `asked_at`: when that call began.

    Calls that were on their way when the pace was halved teach nothing twice.
    """
    first = _halved(merchant, call)
    tempo, is_new = Tempo.objects.get_or_create(merchant=merchant, call=call, defaults=first)
    if not is_new and asked_at > tempo.taught_at:
        slower = max(SLOWEST, tempo.per_minute / 2)
        tempos = Tempo.objects.filter(pk=tempo.pk, taught_at=tempo.taught_at)
        tempos.update(per_minute=slower, refused=tempo.per_minute, taught_at=_now(), grown_at=_now())


def _halved(merchant: Merchant, call: str) -> dict[str, float]:
    seen = _calls_of_last_minute(merchant, call)
    return {"per_minute": max(SLOWEST, seen / 2), "refused": max(SLOWEST, seen)}


def _calls_of_last_minute(merchant: Merchant, call: str) -> float:
    """Counted from the attempts; for reads the continuous reading adds its own pace."""
    recent = Attempt.objects.filter(merchant=merchant, sent_at__gt=_now() - MINUTE).count()
    return recent + (60 * settings.SYNC_RATE if call == READ else 0)


def tempos_by_merchant() -> dict[int, list[Tempo]]:
    """The few stores that were taught a pace."""
    found: dict[int, list[Tempo]] = defaultdict(list)
    for tempo in Tempo.objects.all():
        found[tempo.merchant_id].append(tempo)
    return found


def take_turn(tempos: Iterable[Tempo]) -> bool:
    """Take the next turn of each of a store's paces; False when one of them is still to come."""
    return all(_take(tempo) for tempo in tempos)


def _take(tempo: Tempo) -> bool:
    now = _now()
    turn = Tempo.objects.filter(pk=tempo.pk, next_at=tempo.next_at, next_at__lte=now)
    taken = turn.update(next_at=now + MINUTE / tempo.per_minute)
    if taken and tempo.grown_at < now - MINUTE:
        _grow(tempo, now)
    return bool(taken)


def _grow(tempo: Tempo, now: datetime) -> None:
    same = Tempo.objects.filter(pk=tempo.pk, taught_at=tempo.taught_at, grown_at=tempo.grown_at)
    if tempo.per_minute >= 2 * tempo.refused:
        same.delete()
    else:
        same.update(per_minute=F("per_minute") + max(SLOWEST, tempo.refused / STEPS), grown_at=now)


def waiting_for_turn() -> QuerySet[Tempo]:
    """The paces whose next turn is still to come."""
    return Tempo.objects.filter(next_at__gt=_now())


def seconds_between(merchant: Merchant, call: str) -> float:
    """How long the continuous reading rests between two calls; 0 when nothing taught it a pace."""
    tempo = Tempo.objects.filter(merchant=merchant, call=call).first()
    return 60 / tempo.per_minute if tempo else 0.0


def _now() -> datetime:
    return timezone.now()
