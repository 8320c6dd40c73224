"""Enqueue a background task, by dotted name: the only place that knows how tasks are started.

It is written, or not, with what it is about: in a database by the same commit, a broker is told after it.
"""

from django.utils.module_loading import import_string


def wake(name: str, *args: str) -> None:
    """Enqueue `shipping.tasks.<name>` in the current transaction."""
    import_string(f"shipping.tasks.{name}").enqueue(*args)


def wake_on(queue: str, name: str, *args: str) -> None:
    """Enqueue a task on a queue that is not its own, now and ahead of everything else there."""
    import_string(f"shipping.tasks.{name}").using(queue_name=queue, priority=100).enqueue(*args)
