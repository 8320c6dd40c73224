"""What stands still at a store: which pauses stop sending, what waits behind them, who can end them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from merchants.models import Merchant, Pause, Role, User
from merchants.once import once
from merchants.queries import merchants_for, open_pauses, stores_of

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


class Open(NamedTuple):
    """Of an open pause what says whom it stops."""

    call: str
    until: datetime | None


def stops(pause: Pause | Open, call: str = SEND) -> bool:
    """Of one at hand what `stopping_pauses` asks of all."""
    return pause.call in ("", call) or (pause.call == READ and pause.until is not None)


def _pauses_of(user: User) -> list[Pause]:
    """The open pauses of the user's stores; for a page that only reads asked once."""
    return once(("pauses", user.pk), lambda: list(_pauses_now(user)))


def _pauses_now(user: User) -> QuerySet[Pause]:
    return open_pauses().filter(merchant__in=list(stores_of(user))).order_by("call", "-started_at")


def stopped_stores(user: User) -> frozenset[int]:
    """Which of the user's stores stand still."""
    return frozenset(pause.merchant_id for pause in _pauses_of(user) if stops(pause))


def is_stopped(merchant_id: int, call: str) -> bool:
    """Whether an open pause stops this call of a store."""
    return _stops_one(_open_by_store().get(merchant_id, ()), call)


def stores_without(call: str) -> list[int]:
    """The stores where an open pause stops this call."""
    return [store for store, pauses in _open_by_store().items() if _stops_one(pauses, call)]


def _stops_one(pauses: Iterable[Open], call: str) -> bool:
    return any(stops(pause, call) for pause in pauses)


def may_not_read(merchant_id: int) -> bool:
    """Whether a store's account may not read its orders (48001), so that only people know of them."""
    return Open(READ, None) in _open_by_store().get(merchant_id, ())


def _open_by_store() -> dict[int, list[Open]]:
    """The open pauses of all stores, which are few: asked once by a round of the worker."""
    return once("open pauses", _read_open)


def _read_open() -> dict[int, list[Open]]:
    found: dict[int, list[Open]] = {}
    for store, call, until in open_pauses().values_list("merchant__pk", "call", "until"):
        found.setdefault(store, []).append(Open(call, until))
    return found


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
    pauses = [pause for pause in _pauses_of(user) if most > NAMED or not _is_by_nature(pause)]
    own = {pk for pk, store in stores_of(user).items() if store.has(Role.ADMIN)}
    return [_standstill(pause, stops(pause), pause.merchant_id in own) for pause in pauses[:most]]


def _is_by_nature(pause: Pause) -> bool:
    """BY_NATURE, of one at hand."""
    is_reading = pause.call in (READ, LIST) and pause.errcode == 48001
    return is_reading and pause.merchant.orders_read_at is None


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
