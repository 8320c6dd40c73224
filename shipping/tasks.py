"""Background entry points: they load and call. A ticket has no argument: the database says what is due."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from merchants import errands, events, lines
from merchants.models import Merchant

from . import erasing, following, syncing
from .batches.steps import work
from .dispatch import Pump
from .dispatch.waiting import is_work_due
from .models import Batch

PUMP_SECONDS = 20
KEEP_TASKS = timedelta(days=1)


@task(queue_name="send")
def send_ticket() -> None:
    """There is work: pump for a while, and hand on a new ticket if some is left."""
    Pump().run(PUMP_SECONDS)
    if is_work_due():
        send_ticket.enqueue()


@task(queue_name="sync")
def sync_merchant(merchant_pk: str) -> None:
    """Read on where this merchant's orders were read to last."""
    following.follow(Merchant.objects.get(pk=merchant_pk))


@task(queue_name="rest")
def read_by_id(merchant_pk: str, order_id: str) -> None:
    """Read one order, known or not, because someone asked for it."""
    syncing.read_order(Merchant.objects.get(pk=merchant_pk), order_id)


@task(queue_name="rest")
def work_batch(pk: str) -> None:
    """Go on with an uploaded file for a slice, and behind what else waits if something is left."""
    batch = Batch.objects.filter(pk=pk).first()
    if batch is not None and work(batch):
        work_batch.enqueue(pk)


@task(queue_name="rest")
def renew_tokens() -> None:
    """Fetch the tokens that are about to run out, so that no send waits for one; pick up what was lost."""
    events.catch_up()
    errands.catch_up()
    lines.renew(Merchant.objects.filter(is_active=True, credential__isnull=False))


@task(queue_name="rest")
def prune_tasks() -> None:
    """Forget tasks that are over, those a killed worker left RUNNING for ever, and old pushed events."""
    events.forget_old()
    old = timezone.now() - KEEP_TASKS
    is_over = Q(finished_at__lte=old) | Q(status="RUNNING", started_at__lte=old)
    DBTaskResult.objects.filter(is_over).delete()


@task(queue_name="rest")
def remove_old_bodies() -> None:
    """What an order's raw body holds of its buyer goes some time after the order has ended."""
    erasing.remove_old_bodies()
