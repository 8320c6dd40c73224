"""Counts how calls ended, each call once, a slice at a time: nobody reads all attempts to know how many."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone

from .models import Attempt, Tally, TallyMark

SLICE = 5000
# A row that another transaction is about to commit may have a smaller number than one that is there.
SETTLED = timedelta(seconds=30)


@transaction.atomic
def count_up() -> int:
    """Count the calls that have ended since the last count; returns how many numbers were gone through."""
    mark, _ = TallyMark.objects.get_or_create(pk=1)
    last = _countable(mark.upto)
    if last <= mark.upto or not TallyMark.objects.filter(pk=1, upto=mark.upto).update(upto=last):
        return 0
    ended = Attempt.objects.filter(pk__gt=mark.upto, pk__lte=last).order_by()
    counts = ended.values_list("merchant", "errcode", "slug", "then").annotate(Count("pk"))
    for merchant, errcode, slug, then, number in counts:
        code = slug or then if errcode is None else str(errcode)
        row, _ = Tally.objects.get_or_create(merchant_id=merchant, code=code, then=then)
        Tally.objects.filter(pk=row.pk).update(count=F("count") + number)
    return last - mark.upto


def _countable(upto: int) -> int:
    """The last of the next attempts before which all have ended."""
    young = timezone.now() - SETTLED
    rows = Attempt.objects.filter(pk__gt=upto).order_by("pk").values_list("pk", "started_at")[:SLICE]
    old = [pk for pk, started_at in rows if started_at <= young]
    # Asked without a number to begin at: those in flight have a short index of their own.
    flying = Attempt.objects.filter(closed_at=None, ended_at=None).order_by().values_list("pk", flat=True)
    first = min((pk for pk in flying if pk > upto), default=None)
    last = old[-1] if old else upto
    return last if first is None else min(last, first - 1)
