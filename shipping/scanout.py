"""Scanning out: a file has tied labels to orders, and a package is queued when its label is scanned."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for
from wechat.waybills import normalise

from . import services, states
from .batches.discreet import problems_for
from .batches.rehearsal import Verdict
from .batches.retries import corrected_by
from .batches.shapes import draft_of, package_from, packages_json
from .drafts import Draft, PackageDraft
from .models import Batch, BatchOrder, BatchStore, Order, Package, Shipment
from .queries import draft_of_package, packages_for
from .scanning import Parcel, Told

# A file older than that is not offered any more; rows shown of what is left.
OFFERED, LISTED, FILES = timedelta(days=14), 30, 20


class Labelled(NamedTuple):
    """A package of a file by its label, and the order of the file it is in."""

    row: BatchOrder
    order: Order
    package: PackageDraft

    @property
    def draft(self) -> Draft:
        """This package alone, with what the order said when the file came."""
        return replace(draft_of(self.row), packages=(self.package,))


def batches_to_scan(user: User) -> list[Batch]:
    """Checked files, not too old, that hold orders of the user's stores; the newest first."""
    stores = BatchStore.objects.filter(merchant__in=merchants_for(user), batch__stage=Batch.Stage.OPEN)
    recent = stores.filter(batch__created_at__gte=timezone.now() - OFFERED)
    keys = recent.order_by("-batch").values_list("batch__pk", flat=True).distinct()[:FILES]
    found = Batch.objects.select_related("created_by").in_bulk(list(keys))
    return sorted(found.values(), key=lambda batch: -batch.pk)


def batch_to_scan(user: User, pk: int) -> Batch | None:
    """One of them, None for any other."""
    return next((batch for batch in batches_to_scan(user) if batch.pk == pk), None)


def rows_left(user: User, batch: int) -> QuerySet[BatchOrder]:
    """What of a file nobody has scanned, in the file's order."""
    rows = _rows(user, batch).filter(verdict=Verdict.READY, order__isnull=False)
    return rows.order_by("first_row")


def _rows(user: User, batch: int) -> QuerySet[BatchOrder]:
    rows = BatchOrder.objects.filter(batch=batch, merchant__in=merchants_for(user))
    return rows.select_related("order__merchant", "merchant", "shipment")


def labels_of(row: BatchOrder) -> list[str]:
    return [normalise(package["waybill_id"]) for package in row.packages]


def with_label(user: User, batch: int, waybill: str) -> list[BatchOrder]:
    """The orders of a file that a label belongs to: one parcel may carry several of one buyer."""
    rows = _rows(user, batch).filter(packages__icontains=waybill)
    return [row for row in rows.order_by("first_row") if waybill in labels_of(row)]


def find(user: User, batch: int, waybill: str) -> Parcel | Told:
    """The package with this label, or why there is none to send."""
    rows = with_label(user, batch, waybill)
    ready = [row for row in rows if row.verdict == Verdict.READY and row.order_id]
    if ready:
        return parcel_of(labelled(ready[0], waybill))
    if told := _already_out(user, waybill):
        return told
    if not rows:
        return Told("bad", "not_in_batch", {"code": waybill})
    found = problems_for(user, rows[:1])[rows[0].pk]
    problems = tuple(placed.problem for placed in found if placed.problem.stops)
    return Told("bad", "row_stopped", {"order_id": rows[0].key}, problems)


def _already_out(user: User, waybill: str) -> Told | None:
    packages = packages_for(user).filter(waybill_id=waybill).exclude(status__in=states.FREES_WAYBILL)
    package = packages.order_by("-pk").first()
    if package is None:
        return None
    return Told("ok", "already_saved", {"order_id": package.order.order_id, "waybill": waybill})


def labelled(row: BatchOrder, waybill: str) -> Labelled:
    """The package with a label; raises LookupError when the file has it no more."""
    kept = next((p for p in row.packages if normalise(p["waybill_id"]) == waybill), None)
    if kept is None or row.order is None:
        raise LookupError(waybill)
    return Labelled(row, row.order, package_from(kept))


def parcel_of(found: Labelled) -> Parcel:
    serial = found.package.serial
    return Parcel(
        found.order.order_id,
        waybill=normalise(found.package.waybill_id),
        courier=found.package.delivery_id,
        sn=serial.sn_code if serial else "",
        imei1=serial.imei1 if serial else "",
        imei2=serial.imei2 if serial else "",
        row=found.row.pk,
    )


def row_for(user: User, batch: int, pk: int) -> BatchOrder | None:
    return _rows(user, batch).filter(pk=pk).first()


def others_with_label(user: User, row: BatchOrder, waybill: str) -> list[Labelled]:
    """The other orders that leave under the same label."""
    rows = with_label(user, row.batch_id, waybill)
    return [
        labelled(other, waybill) for other in rows
        if other.pk != row.pk and other.verdict == Verdict.READY and other.order_id
    ]  # fmt: skip


def queue_labelled(found: Labelled, draft: Draft, *, user: User, packer: User | None, key: str) -> Shipment:
    """Queue one package of a file; what the order has besides waits for its own label.

    Raises services.Refused with the problems of the rules.
    """
    row = found.row
    shipment = services.queue_shipment(
        order=found.order, draft=draft, user=user, door="scan", form_key=key, packer=packer,
        corrects=corrected_by([row]).get(found.order.pk),
    )  # fmt: skip
    waybill = normalise(found.package.waybill_id)
    rest = [package for package in row.packages if normalise(package["waybill_id"]) != waybill]
    if rest:
        row.packages, row.package_count = rest, len(rest)
    else:
        row.verdict, row.shipment = Verdict.QUEUED, shipment
    row.save(update_fields=["packages", "package_count", "verdict", "shipment"])
    return shipment


def put_back(user: User, batch: int, shipment: Shipment, packages: Collection[Package]) -> None:
    """A withdrawn package waits for its label again."""
    row = _rows(user, batch).filter(order=shipment.order_id).first()
    if row is None:
        return
    # What it holds besides has been shipped meanwhile by another yes.
    if row.shipment_id not in (None, shipment.pk):
        row.packages = []
    known = labels_of(row)
    again = [draft_of_package(package) for package in packages if package.waybill_id not in known]
    row.packages = [*row.packages, *packages_json(again)]
    row.package_count, row.verdict, row.shipment = len(row.packages), Verdict.READY, None
    row.save(update_fields=["packages", "package_count", "verdict", "shipment"])
