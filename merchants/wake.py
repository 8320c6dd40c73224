"""Enqueue a background task, by dotted name: web code knows no task and so no client."""

from datetime import datetime

from django.utils.module_loading import import_string

from .models import Merchant

# Orders are above us: whoever keeps them is told by name.
KEEPER_OF_ORDERS = "shipping.hints.take"


def wake(task: str, *args: str) -> None:
    """Enqueue `merchants.tasks.<task>` in the current transaction: written, or not, with what it is about."""
    import_string(f"merchants.tasks.{task}").enqueue(*args)


def tell(merchant: Merchant, order_id: str, event: str, detail: int | None, when: datetime) -> None:
    """Something happened to an order of this store at `when`; in the caller's transaction."""
    import_string(KEEPER_OF_ORDERS)(merchant, order_id, event, detail, when)
