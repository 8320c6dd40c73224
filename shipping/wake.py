"""Enqueue a background task on commit, by dotted name: the only place that knows how tasks are started."""

from functools import partial

from django.db import transaction
from django.utils.module_loading import import_string


def wake(name: str, *args: str) -> None:
    """Enqueue `shipping.tasks.<name>` once the current transaction has committed."""
    transaction.on_commit(partial(_enqueue, name, args))


def _enqueue(name: str, args: tuple[str, ...]) -> None:
    import_string(f"shipping.tasks.{name}").enqueue(*args)
