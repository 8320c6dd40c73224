"""What a rehearsal found, told to one reader: another order only where that person may see it.

The rehearsal looks in all stores of the uploader; a manager of one of them reads what it found.
"""

from collections.abc import Collection
from dataclasses import replace

from merchants.models import User
from merchants.queries import merchants_for
from shipping.drafts import Problem
from shipping.models import BatchOrder, Order

from .shapes import Placed, problems_of

DEVICE_ELSEWHERE, NUMBER_ELSEWHERE = 268545011, "waybill_of_another_buyer"
# What is said of another order beside its number.
OF_OTHER = ("other", "who", "at")


def problems_for(user: User, rows: Collection[BatchOrder]) -> dict[int, list[Placed]]:
    """Row's key -> what is wrong with it, in the words that this person may read."""
    found = {row.pk: problems_of(row) for row in rows}
    named = {other for all_of in found.values() for placed in all_of if (other := _other(placed.problem))}
    orders = Order.objects.filter(merchant__in=merchants_for(user), order_id__in=named)
    known = set(orders.values_list("order_id", flat=True)) if named else set()
    return {key: [_told(placed, known) for placed in all_of] for key, all_of in found.items()}


def _other(problem: Problem) -> str:
    """The order id that it names, "" for none."""
    is_named = problem.errcode == DEVICE_ELSEWHERE or problem.slug == NUMBER_ELSEWHERE
    return str(problem.params.get("other", "")) if is_named else ""


def _told(placed: Placed, known: set[str]) -> Placed:
    problem = placed.problem
    if not (other := _other(problem)) or other in known:
        return placed
    params = {name: value for name, value in problem.params.items() if name not in OF_OTHER}
    return placed._replace(problem=replace(problem, params=params))
