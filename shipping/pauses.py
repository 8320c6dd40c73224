"""What stands still at a store: which pauses stop sending, what waits behind them, who can end them."""

from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from merchants.models import Merchant, Pause, Role, User
from merchants.once import once
from merchants.queries import merchants_for, open_pauses, pauses_for

from . import drafts, states
from .lists import AT_MOST
from .models import Order, Package

SEND, READ, LIST = "order/delivery/send", "order/get", "order/list/get"
# A shipment's kind -> what is called: a quota used up on one does not stop the other two.
CALLS = {
    drafts.SEND: SEND,
    drafts.CORRECTION: "order/deliveryinfo/update",
    drafts.COMPENSATION: "order/delivery/compensation",
}
# A page names so many; the list of an admin has them all.
NAMED = 3
# A store that never could read its orders works without; its state of reading says so.
BY_NATURE = Q(call__in=(READ, LIST), errcode=48001, merchant__orders_read_at=None)
LISTED = 100


def stopping_pauses(call: str = SEND) -> QuerySet[Pause]:
    """Open pauses that stop `call`, sending unless told otherwise.

    A quota on order/get does too: without fresh facts nothing leaves.
    """
    used_up = Q(call=READ, until__isnull=False)
    return open_pauses().filter(Q(call__in=("", call)) | used_up)


def is_stopped(merchant_id: int, call: str) -> bool:
    """Whether an open pause stops this call of a store."""
    question = ("stopped", merchant_id, call)
    return once(question, lambda: stopping_pauses(call).filter(merchant=merchant_id).exists())


def stopped_stores(call: str) -> list[int]:
    """The stores where an open pause stops this call."""
    rows = stopping_pauses(call).values_list("merchant__pk", flat=True)
    return once(("stopped stores", call), lambda: list(rows))


def may_not_read(merchant_id: int) -> bool:
    """Whether a store's account may not read its orders (48001), so that only people know of them."""
    question, refused = ("may_not_read", merchant_id), {"merchant": merchant_id, "call": READ, "until": None}
    return once(question, lambda: open_pauses().filter(**refused).exists())


class Standstill(NamedTuple):
    """A pause and what it means for the people at the tables."""

    pause: Pause
    # Else only one reading call stands still, and parcels go on leaving.
    stops: bool
    waiting: int
    # The order among those waiting whose deadline comes first.
    first: Order | None
    can_resume: bool


def standstills(user: User, most: int = NAMED) -> list[Standstill]:
    """The pauses of the user's stores, those that stop parcels first."""
    rows = pauses_for(user) if most > NAMED else pauses_for(user).exclude(BY_NATURE)
    pauses = list(rows.order_by("call", "-started_at")[:most])
    stopping = set(
        stopping_pauses().filter(pk__in=[pause.pk for pause in pauses]).values_list("pk", flat=True)
    )
    own = set(merchants_for(user, Role.ADMIN).values_list("pk", flat=True)) if pauses else set()
    return [_standstill(pause, pause.pk in stopping, pause.merchant_id in own) for pause in pauses]


def standstills_to_end(user: User) -> list[Standstill]:
    """The admin's task list: every pause of the stores where this person can end one."""
    return [still for still in standstills(user, LISTED) if still.can_resume]


def _standstill(pause: Pause, stops: bool, can_resume: bool) -> Standstill:
    if not stops:
        return Standstill(pause, False, 0, None, can_resume)
    waiting = Package.objects.filter(merchant=pause.merchant, status=states.QUEUED)
    count = waiting.order_by()[: AT_MOST + 1].count()
    return Standstill(pause, True, count, _first(pause.merchant), can_resume)


def _first(merchant: Merchant) -> Order | None:
    rows = Order.objects.filter(merchant=merchant, packages__status=states.QUEUED, deadline_at__isnull=False)
    return rows.order_by("deadline_at", "pk").first()


def pause_to_end(user: User, pk: int) -> Pause:
    """An open pause of a store where this person is an admin, or 404."""
    own = open_pauses().filter(merchant__in=merchants_for(user, Role.ADMIN))
    return get_object_or_404(own, pk=pk)
