"""Background entry points: they load and call. Arguments are stored in plain text, so never a secret."""

from django_tasks import task

from . import delivering, errands, events


# Someone is looking at the page: ahead of the syncs that wait in the same queue.
@task(queue_name="rest", priority=50)
def run_errand(pk: str) -> None:
    """Do what a person asked of WeChat."""
    errands.run(int(pk))


@task(queue_name="rest", priority=60)
def handle_event(pk: str) -> None:
    """Work off a pushed event."""
    events.handle(int(pk))


@task(queue_name="rest", priority=45)
def deliver(pk: str) -> None:
    """Say a message to the people of a store."""
    delivering.deliver(int(pk))
