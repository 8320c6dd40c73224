"""Every read of a batch's pages; `..._for(user, ...)` is the only way to a row."""

from collections import Counter
from datetime import timedelta
from math import ceil
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import Http404
from django.utils import timezone

from merchants.models import Merchant, Role, User
from merchants.queries import merchants_for
from shipping import states
from shipping.models import Batch, BatchOrder, BatchRow, BatchStore, Package

from .rehearsal import Verdict

PAGE = 30
ORDERS = 50
PACE_OVER = timedelta(seconds=30)


def batch_for(user: User, pk: int) -> Batch:
    """One's own upload, or one with orders of a store one manages; else 404."""
    batch = Batch.objects.select_related("created_by", "confirmed_by", "paused_by").filter(pk=pk).first()
    if batch is None or not (batch.created_by_id == user.pk or _managed(batch, user).exists()):
        raise Http404
    return batch


def _managed(batch: Batch, user: User) -> QuerySet[BatchStore]:
    return batch.stores.filter(merchant__in=merchants_for(user, Role.MANAGER))


def may_steer(user: User, batch: Batch) -> bool:
    """Whether one may mend, confirm, pause and cancel: in all its stores still, as uploader or as manager."""
    role = Role.STAFF if batch.created_by_id == user.pk else Role.MANAGER
    return not batch.stores.exclude(merchant__in=merchants_for(user, role)).exists()


def orders_for(user: User, batch: Batch) -> QuerySet[BatchOrder]:
    """What this person may see of a batch: of other stores, and of other platforms, only one's own upload."""
    rows = BatchOrder.objects.filter(batch=batch)
    if batch.created_by_id == user.pk:
        return rows.filter(Q(merchant=None) | Q(merchant__in=merchants_for(user)))
    return rows.filter(merchant__in=merchants_for(user, Role.MANAGER))


def batch_page(user: User, before: int | None, size: int = PAGE) -> list[Batch]:
    """The newest batches a person may see, begun before that one."""
    own = Batch.objects.filter(created_by=user).order_by("-pk").values_list("pk", flat=True)
    stores = merchants_for(user, Role.MANAGER).values_list("pk", flat=True)
    managed = (
        BatchStore.objects.filter(merchant=store).order_by("-batch").values_list("batch__pk", flat=True)
        for store in stores
    )
    if before is not None:
        own = own.filter(pk__lt=before)
        managed = (rows.filter(batch__lt=before) for rows in managed)
    keys = {key for rows in (own, *managed) for key in rows[:size]}
    newest = sorted(keys, reverse=True)[:size]
    found = Batch.objects.select_related("created_by").in_bulk(newest)
    return [found[key] for key in newest if key in found]


class Tally(NamedTuple):
    """How an upload stands: orders by verdict, packages by status."""

    verdicts: Counter[str]
    packages: Counter[str]
    # Packages that are green; of them those that somebody said yes to and the worker is still saving.
    ready: int
    saving: int

    @property
    def done(self) -> int:
        return self.packages[states.SHIPPED]

    @property
    def rejected(self) -> int:
        return self.packages[states.REJECTED]

    @property
    def unknown(self) -> int:
        return self.packages[states.UNKNOWN] + self.packages[states.CONFLICT]

    @property
    def left(self) -> int:
        return self.packages[states.QUEUED] + self.packages[states.SENDING]

    @property
    def total(self) -> int:
        """Of what was handed over and not withdrawn."""
        return self.done + self.rejected + self.unknown + self.left


def tally(user: User, batch: Batch) -> Tally:
    orders = orders_for(user, batch).order_by()
    said_yes = Sum("package_count", filter=Q(confirmed_at=batch.confirmed_at), default=0)
    rows = orders.values("verdict").annotate(n=Count("pk"), packages=Sum("package_count"), said_yes=said_yes)
    verdicts, ready, saving = Counter[str](), 0, 0
    for row in rows:
        verdicts[row["verdict"]] = row["n"]
        if row["verdict"] == Verdict.READY:
            ready = row["packages"]
            saving = row["said_yes"] if batch.stage == Batch.Stage.QUEUEING else 0
    sent = Package.objects.filter(shipment__batch_orders__in=orders).order_by()
    packages = Counter({row["status"]: row["n"] for row in sent.values("status").annotate(n=Count("pk"))})
    return Tally(verdicts, packages, ready, saving)


def minutes_left(user: User, batch: Batch, left: int) -> int | None:
    """At the pace of the last half minute; None while nothing moves."""
    now = timezone.now()
    since = max(now - PACE_OVER, batch.confirmed_at or batch.created_at)
    moved = Package.objects.filter(
        shipment__batch_orders__in=orders_for(user, batch).order_by(),
        status__in=(states.SHIPPED, states.REJECTED),
        status_at__gte=since,
    ).count()
    seconds = (now - since).total_seconds()
    return ceil(left * seconds / (moved * 60)) if moved and seconds >= 1 else None


class StoreCount(NamedTuple):
    """What would leave for one store."""

    name: str
    packages: int


def ready_by_store(user: User, batch: Batch) -> list[StoreCount]:
    rows = orders_for(user, batch).filter(verdict=Verdict.READY, merchant__isnull=False).order_by()
    counted = rows.values_list("merchant__name").annotate(n=Sum("package_count")).order_by("-n")
    return [StoreCount(str(name), count) for name, count in counted]


class CauseCount(NamedTuple):
    """One reason for which orders wait, at one store (None: at none)."""

    cause: str
    merchant: Merchant | None
    rows: int
    sample: BatchOrder


def causes(user: User, batch: Batch) -> list[CauseCount]:
    """Why orders wait, what holds up most rows first."""
    rows = orders_for(user, batch).filter(verdict=Verdict.STOPPED).order_by()
    counted = rows.values("cause", "merchant").annotate(n=Sum("row_count")).order_by("-n", "cause")[:50]
    found = []
    for row in counted:
        sample = rows.filter(cause=row["cause"], merchant=row["merchant"]).order_by("first_row").first()
        if sample is not None:
            found.append(CauseCount(row["cause"], sample.merchant, row["n"], sample))
    return found


def with_trouble(rows: QuerySet[BatchOrder]) -> QuerySet[BatchOrder]:
    """Orders of which a package needs hands and nobody has corrected it yet."""
    packages = Package.objects.filter(shipment=OuterRef("shipment"), in_trouble=True)
    return rows.filter(Exists(packages), verdict=Verdict.QUEUED, shipment__corrections=None)


def order_page(
    rows: QuerySet[BatchOrder], verdicts: tuple[str, ...], cause: str, after: int
) -> list[BatchOrder]:
    """A page of orders in the file's order, begun after that row; one more than a page shows."""
    rows = rows.filter(verdict__in=verdicts, first_row__gt=after)
    rows = rows.filter(cause=cause) if cause else rows
    rows = rows.select_related("merchant", "order", "shipment").prefetch_related(
        "order__lines", "shipment__packages__items"
    )
    return list(rows.order_by("first_row")[: ORDERS + 1])


def rows_of(batch: Batch, orders: list[BatchOrder]) -> dict[str, list[BatchRow]]:
    """The file's rows of these orders, without the cells that nobody maps."""
    found: dict[str, list[BatchRow]] = {}
    keys = [order.key for order in orders]
    for row in BatchRow.objects.filter(batch=batch, key__in=keys).order_by("number").defer("cells"):
        found.setdefault(row.key, []).append(row)
    return found


def earlier_upload(user: User, batch: Batch) -> Batch | None:
    """The same content, uploaded before by anybody whose batch this person may see."""
    rows = Batch.objects.filter(sha256=batch.sha256, pk__lt=batch.pk).select_related("created_by")
    for earlier in rows.order_by("-pk")[:5]:
        if earlier.created_by_id == user.pk or _managed(earlier, user).exists():
            return earlier
    return None
