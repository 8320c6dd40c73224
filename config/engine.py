"""Celery behind the interface of django-tasks: what calls `enqueue` does not know which engine it is on."""

import logging
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResult, TaskResultStatus
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task
from django_tasks.signals import task_enqueued
from kombu.exceptions import OperationalError

from . import celery

log = logging.getLogger(__name__)
LOWEST, HIGHEST = -100, 100


class CeleryBackend(BaseTaskBackend):
    """Hands a task's path and arguments to the broker."""

    supports_defer = True
    supports_priority = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Hand it over once what it is about is committed."""
        self.validate_task(task)
        result = _result(self.alias, task, list(args), dict(kwargs))
        transaction.on_commit(partial(_hand_over, task, result))
        task_enqueued.send(type(self), task_result=result)
        return result


def _hand_over(task: Task[Any, Any], result: TaskResult[Any]) -> None:
    """Where the broker is away nothing is lost: the schedule hands out what the database says is due."""
    try:
        celery.run.apply_async(
            args=[task.module_path, result.args, result.kwargs], task_id=result.id,
            queue=task.queue_name, priority=_priority(task.priority), eta=task.run_after,
            shadow=task.module_path,
        )  # fmt: skip
    except OperationalError:
        log.exception("the broker did not take %s", task.module_path)


def _result(alias: str, task: Task[Any, Any], args: list[Any], kwargs: dict[str, Any]) -> TaskResult[Any]:
    return TaskResult(
        task=task, id=str(uuid4()), status=TaskResultStatus.READY, backend=alias, args=args, kwargs=kwargs,
        enqueued_at=timezone.now(), started_at=None, last_attempted_at=None, finished_at=None, errors=[],
        worker_ids=[],
    )  # fmt: skip


def _priority(asked: int) -> int:
    """From -100..100 to the broker's 0..9; Redis takes the lowest number first, RabbitMQ the highest."""
    level = (asked - LOWEST) * (celery.PRIORITIES - 1) // (HIGHEST - LOWEST)
    is_redis = str(celery.app.conf.broker_url).startswith("redis")
    return celery.PRIORITIES - 1 - level if is_redis else level
