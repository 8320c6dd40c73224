"""Whose turn it is: a store waits for the pace it was taught and for the window that WeChat named."""

from datetime import datetime

from django.db.models import Q

from .allowance import allowances_by_merchant, allowed, used_up
from .tempo import take_turn, tempos_by_merchant, waiting_for_turn


class Turns:
    """The paces and windows of all stores that have any, read once for a round of claims."""

    def __init__(self) -> None:
        self._tempos, self._windows = tempos_by_merchant(), allowances_by_merchant()

    def take(self, merchant_id: int) -> bool:
        """Count one send of a store; False when it has to wait."""
        tempos, windows = self._tempos.get(merchant_id, ()), self._windows.get(merchant_id, ())
        return take_turn(tempos) and allowed(windows)


def waits_for_turn(store: str = "merchant") -> Q:
    """Rows of stores whose next turn is still to come; `store`: the column that names it."""
    waiting = [waiting_for_turn().values("merchant"), used_up().values("merchant")]
    return Q(**{f"{store}__in": waiting[0]}) | Q(**{f"{store}__in": waiting[1]})


def next_turns() -> dict[int, datetime]:
    """Stores that may not be called yet, and when they may be again."""
    turns: dict[int, datetime] = {}
    for rows in (waiting_for_turn(), used_up()):
        for merchant_id, moment in rows.values_list("merchant", "next_at"):
            turns[merchant_id] = max(moment, turns.get(merchant_id, moment))
    return turns
