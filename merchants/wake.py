"""Enqueue a background task on commit, by dotted name: web code knows no task and so no client."""

from functools import partial

from django.db import transaction
from django.utils.module_loading import import_string


def wake(task: str, *args: str) -> None:
    """Enqueue `merchants.tasks.<task>` once the current transaction has committed."""
    transaction.on_commit(partial(_enqueue, task, args))


def _enqueue(task: str, args: tuple[str, ...]) -> None:
    import_string(f"merchants.tasks.{task}").enqueue(*args)
