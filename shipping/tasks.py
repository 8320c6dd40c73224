"""Background entry points: they load and call. A ticket has no argument: the database says what is due."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from merchants import lines, tokens
from merchants.models import Merchant

from . import following, syncing
from .dispatch import Pump
from .dispatch.waiting import is_work_due

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
def renew_tokens() -> None:
    """Fetch the tokens that are about to run out, so that no send waits for one."""
    for merchant in Merchant.objects.filter(is_active=True, credential__isnull=False):
        if lines.is_reachable(merchant):
            tokens.ensure(lines.client(), merchant)


@task(queue_name="rest")
def prune_tasks() -> None:
    """Forget tasks that are over, and those that a killed worker left RUNNING for ever."""
    old = timezone.now() - KEEP_TASKS
    is_over = Q(finished_at__lte=old) | Q(status="RUNNING", started_at__lte=old)
    DBTaskResult.objects.filter(is_over).delete()
