"""Celery as the engine of many machines: only imported where TASKS=celery.

One Celery task runs every task of ours, named to it by its dotted path. The queue says that there is work,
the database says which: a broker may drop or repeat a message, so results are not kept and nothing is tried
again here.
"""

import os
from typing import Any

from celery import Celery
from django.conf import settings
from django.utils.module_loading import import_string
from kombu.entity import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Of the broker: 0 to 9.
PRIORITIES = 10

app = Celery("fahuo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=[Queue(name, queue_arguments={"x-max-priority": PRIORITIES - 1}) for name in settings.QUEUES],
    task_default_queue="rest",
    task_ignore_result=True,
    # A task is taken off the queue when it has run: whatever a killed worker had in hand runs again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # A run of twenty seconds in the worker's own process would look like a dead one.
    broker_heartbeat=0,
    broker_connection_retry_on_startup=True,
    # Redis: a list for each priority, the most urgent first.
    broker_transport_options={"queue_order_strategy": "priority", "priority_steps": list(range(PRIORITIES))},
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_max": 0.5},
)


@app.task(name="fahuo.run")
def run(path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """One of our tasks, by the dotted path of its module and name."""
    import_string(path).call(*args, **kwargs)


@app.task(name="fahuo.tick")
def tick(name: str) -> None:
    """One entry of the schedule, if nobody ran it in its time: beat and the workers' timekeepers share it."""
    import_string("shipping.timekeeper.run_if_due")(name)


@app.on_after_finalize.connect
def read_schedule(sender: Celery, **more: Any) -> None:
    """Celery beat reads the schedule that the workers' timekeepers read."""
    for name, seconds in import_string("shipping.timekeeper.EVERY").items():
        sender.add_periodic_task(seconds, tick.s(name), name=name, queue="rest", expires=seconds)
