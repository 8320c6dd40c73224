"""Background entry points: they load and call. A ticket has no argument: the database says what is due."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from merchants import delivering, errands, events, lines
from merchants.models import Merchant

from . import archiving, digests, erasing, exporting, figures, following, health, rereading, syncing, tallying
from . import errands as order_errands
from .batches.steps import work
from .dispatch import Pump, allowance
from .dispatch.waiting import is_work_due
from .models import Batch

PUMP_SECONDS = 20
ARCHIVE_SECONDS = 5.0
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


# Someone is looking at the page.
@task(queue_name="rest", priority=50)
def run_order_errand(pk: str) -> None:
    """Do what a person asked of WeChat about an order, or read what became of it."""
    order_errands.run(int(pk))


@task(queue_name="rest")
def read_by_id(merchant_pk: str, order_id: str) -> None:
    """Read one order, known or not, because someone asked for it."""
    syncing.read_order(Merchant.objects.get(pk=merchant_pk), order_id)


# Nobody waits for it: behind tokens, counts and alerts, however many parcels leave.
@task(queue_name="rest", priority=-10)
def read_shipped(merchant_pk: str, since: str, *order_ids: str) -> None:
    """Read orders that were shipped at `since`, those that nobody has read from then on."""
    rereading.reread_shipped(Merchant.objects.get(pk=merchant_pk), order_ids, datetime.fromisoformat(since))


# An event came or someone is looking at the page: ahead of what runs by the clock.
@task(queue_name="rest", priority=60)
def read_asked(order_pk: str) -> None:
    """Read an order again, and tell its page what came of it."""
    rereading.reread(int(order_pk))


@task(queue_name="rest", priority=20)
def read_overdue() -> None:
    """Read what was to be read again and was not: a lost task, a reading that failed."""
    rereading.reread_overdue()


# Someone watches its page; reads after each parcel of thousands must not keep it back.
@task(queue_name="rest", priority=40)
def work_batch(pk: str) -> None:
    """Go on with an uploaded file for a slice, and behind what else waits if something is left."""
    batch = Batch.objects.filter(pk=pk).first()
    if batch is not None and work(batch):
        work_batch.enqueue(pk)


# Not beside what a person waits for: a sheet of a million rows takes minutes.
@task(queue_name="sync")
def write_export(pk: str) -> None:
    """Go on with a file of the history for a slice, and behind what else waits if something is left."""
    if exporting.work(int(pk)):
        write_export.enqueue(pk)


@task(queue_name="sync")
def count_figures() -> None:
    """Keep the board's sums of hours that are over, a slice at a time."""
    if figures.count_all():
        count_figures.enqueue()


@task(queue_name="rest")
def write_digests() -> None:
    """Hand each store's morning digest to its channels when its hour has come."""
    digests.write_due()


@task(queue_name="rest")
def renew_tokens() -> None:
    """Fetch the tokens that are about to run out, so that no send waits for one; pick up what was lost."""
    events.catch_up()
    errands.catch_up()
    for pk in exporting.unfinished():
        write_export.enqueue(str(pk))
    lines.renew(Merchant.objects.filter(is_active=True, credential__isnull=False))


@task(queue_name="rest")
def alive(queue: str) -> None:
    """The worker of a queue shows itself; put on each of them."""
    health.show_life(queue)


@task(queue_name="rest")
def count_up() -> None:
    """Count how calls ended."""
    while tallying.count_up():
        pass


@task(queue_name="rest")
def read_allowances() -> None:
    """Ask WeChat how much the stores that ship may still call today."""
    allowance.read_allowances()


@task(queue_name="rest")
def prune_tasks() -> None:
    """Forget tasks that are over or were left RUNNING by a killed worker, old events, messages and wishes."""
    events.forget_old()
    delivering.forget_old()
    rereading.forget_refused()
    old = timezone.now() - KEEP_TASKS
    is_over = Q(finished_at__lte=old) | Q(status="RUNNING", started_at__lte=old)
    DBTaskResult.objects.filter(is_over).delete()


# Beside what a person waits for: a file of twenty thousand shipments takes seconds.
@task(queue_name="sync")
def archive_attempts(before: str = "") -> None:
    """Put what is older than KEEP_ATTEMPTS_MONTHS into files for a slice, then behind what else waits."""
    if settings.KEEP_ATTEMPTS_MONTHS:
        oldest = archiving.cutoff(settings.KEEP_ATTEMPTS_MONTHS)
        moment = datetime.fromisoformat(before) if before else oldest
        if archiving.work(moment, ARCHIVE_SECONDS):
            archive_attempts.enqueue(moment.isoformat())


@task(queue_name="rest")
def remove_old_bodies() -> None:
    """What raw bodies and uploaded files hold of buyers goes after its time, and so do files made here."""
    erasing.remove_old_bodies()
    erasing.remove_old_uploads()
    exporting.remove_old()
