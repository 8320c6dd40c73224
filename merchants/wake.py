"""Enqueue a background task on commit, by dotted name: web code knows no task and so no client."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.module_loading import import_string

from .models import Merchant

# Orders are above us: whoever keeps them is told by name.
KEEPER_OF_ORDERS = "shipping.hints.take"


def wake(task: str, *args: str) -> None:
    """Enqueue `merchants.tasks.<task>` once the current transaction has committed."""
    transaction.on_commit(partial(_enqueue, task, args))


def _enqueue(task: str, args: tuple[str, ...]) -> None:
    import_string(f"merchants.tasks.{task}").enqueue(*args)


def tell(merchant: Merchant, order_id: str, event: str, detail: int | None, when: datetime) -> None:
    """Something happened to an order of this store at `when`; in the caller's transaction."""
    import_string(KEEPER_OF_ORDERS)(merchant, order_id, event, detail, when)
