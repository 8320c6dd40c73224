"""Which shipment leaves next, and taking it so that nobody else can."""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from merchants.models import Merchant
from shipping import states
from shipping.models import Attempt, Package, Shipment
from shipping.services import move

from .backlog import Backlog
from .sending import whole
from .turns import Turns, waits_for_turn

log = logging.getLogger(__name__)


@contextmanager
def whole_or_nothing() -> Iterator[None]:
    """A transaction that is either committed or raises, though its steps are caught one by one.

    A step whose savepoint is lost too, with its connection or on a full disk, would else be rolled back in
    silence together with all the others, and their calls would be made without a row that says so.
    """
    with transaction.atomic():
        yield
        if transaction.get_rollback():
            raise transaction.TransactionManagementError("a savepoint was lost: nothing of it is written")


def claim_some(
    run_id: str,
    room: int,
    only: Collection[int] | None = None,
    but: Collection[int] = (),
    backlog: Backlog | None = None,
) -> list[Attempt]:
    """Claim up to `room` shipments, the merchant with the fewest in flight first, `but` those named."""
    stores = _waiting(only, but) if room > 0 else []
    backlog = backlog or Backlog(only)
    picked = list(islice(_picked(stores, backlog, room), room)) if stores else []
    try:
        return _claim_all(picked, run_id) if picked else []
    except OperationalError as error:
        # Nothing of it is written. Another round comes, and a run that ended here would lose its answers.
        log.warning("a round of claims was given up: %s", type(error).__name__)
        backlog.forget()
        return []


def _claim_all(picked: list[Shipment], run_id: str) -> list[Attempt]:
    """By one commit: a disk may take longer over it than we over a claim.

    They are taken in the order of orders, whoever comes first: two workers would else wait for each other.
    """
    with whole_or_nothing():
        waiting = _queued(picked)
        in_order = sorted(picked, key=lambda each: (each.order_id, each.pk))
        taken = {each.pk: claim(each, run_id, waiting.get(each.pk, [])) for each in in_order}
    return [attempt for each in picked if (attempt := taken[each.pk])]


def _queued(shipments: Collection[Shipment]) -> dict[int, list[Package]]:
    """Shipment -> its packages that wait, with all that goes on the wire."""
    waiting: dict[int, list[Package]] = defaultdict(list)
    for package in whole(Package.objects.filter(shipment__in=shipments, status=states.QUEUED)):
        waiting[package.shipment_id].append(package)
    return waiting


def _picked(stores: list[int], backlog: Backlog, room: int) -> Iterator[Shipment]:
    """Who comes next, as long as anybody has something and may send it."""
    flying, turns = _flying(), Turns()
    # More stores than there is room for hardly come to their turn.
    backlog.bring(sorted(stores, key=lambda store: flying[store])[:room], room)
    queues = {store: backlog.of(store, room) for store in stores}
    while queues:
        fewest = min(queues, key=lambda merchant_id: flying[merchant_id])
        shipment = next(queues[fewest], None)
        if shipment is None or not turns.take(fewest):
            del queues[fewest]
        else:
            flying[fewest] += 1
            yield shipment


def _flying() -> Counter[int]:
    """Store -> how many calls are under way."""
    # In the order of the index of open ones: by number, a million closed ones would be looked through.
    calls = Attempt.objects.filter(closed_at=None, ended_at=None).order_by("next_read_at")
    return Counter(calls.values_list("merchant_id", flat=True))


def _waiting(only: Collection[int] | None, but: Collection[int]) -> list[int]:
    """The stores with something due, each for itself, so that thousands of one never hide another's."""
    waiting = Shipment.objects.filter(merchant=OuterRef("pk"), due_at__lte=timezone.now())
    waiting = waiting if only is None else waiting.filter(pk__in=only)
    # The first of each store along an index: there may be thousands behind it.
    oldest = Subquery(waiting.order_by("due_at").values("due_at")[:1])
    stores = Merchant.objects.exclude(pk__in=but).exclude(waits_for_turn("pk")).annotate(oldest=oldest)
    return list(stores.filter(oldest__isnull=False).order_by("oldest").values_list("pk", flat=True))


def claim(shipment: Shipment, run_id: str, packages: list[Package]) -> Attempt | None:
    """Take a shipment: attempt and packages committed before the first byte; None if someone was faster."""
    try:
        with transaction.atomic():
            return _claim(shipment, run_id, packages)
    except (IntegrityError, states.IllegalMove):
        return None


def _claim(shipment: Shipment, run_id: str, packages: list[Package]) -> Attempt | None:
    taken = Shipment.objects.filter(pk=shipment.pk, due_at=shipment.due_at).update(due_at=None)
    if not taken or not packages:
        return None
    attempt = Attempt.objects.create(
        merchant=shipment.merchant, order=shipment.order, shipment=shipment, run=run_id
    )
    for package in packages:
        move(package, states.SENDING, who=states.WORKER, attempt=attempt)
    attempt.claimed = packages
    return attempt
