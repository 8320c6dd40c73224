"""Enqueue a background task on commit, by dotted name: the only place that knows how tasks are started."""

from functools import partial

from django.db import transaction
from django.utils.module_loading import import_string


def wake(name: str, *args: str) -> None:
    """Enqueue `shipping.tasks.<name>` once the current transaction has committed."""
    transaction.on_commit(partial(_enqueue, name, args))


def wake_on(queue: str, name: str, *args: str) -> None:
    """Enqueue a task on a queue that is not its own, now and ahead of everything else there."""
    import_string(f"shipping.tasks.{name}").using(queue_name=queue, priority=100).enqueue(*args)


def _enqueue(name: str, args: tuple[str, ...]) -> None:
    import_string(f"shipping.tasks.{name}").enqueue(*args)
