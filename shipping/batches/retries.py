"""Which refused orders of a batch may be tried again as they are."""

from collections.abc import Collection

from shipping import states
from shipping.models import Batch, BatchOrder, Shipment
from wechat.errcodes import meaning

from .rehearsal import Verdict

# A person has to compare the label first; the order's page asks.
LOOK_FIRST = ("address_changed", "goods_changed")


def may_retry(batch: Batch) -> list[BatchOrder]:
    """Orders of which everything was refused, for a reason outside the package, and not corrected since."""
    rows = BatchOrder.objects.filter(
        batch=batch, verdict=Verdict.QUEUED, shipment__packages__status=states.REJECTED,
        shipment__corrections=None,
    ).distinct().prefetch_related("shipment__packages")  # fmt: skip
    return [row for row in rows if _may(row)]


def _may(row: BatchOrder) -> bool:
    packages = row.shipment.packages.all() if row.shipment else ()
    return all(p.status == states.REJECTED and is_passing(p.errcode, p.slug) for p in packages)


def is_passing(errcode: int | None, slug: str) -> bool:
    """Whether the reason may pass by itself or by somebody's hand elsewhere, the package staying as it is."""
    code = meaning(errcode, slug)
    is_of_package = code.field.startswith("packages") and code.then != "later"
    return slug not in LOOK_FIRST and not is_of_package


def corrected_by(rows: Collection[BatchOrder]) -> dict[int, Shipment]:
    """Order -> its refused shipment that a row of the file replaces: same number, or all that is left."""
    refused = Shipment.objects.filter(
        order__in=[row.order_id for row in rows], packages__status=states.REJECTED, corrections=None
    )
    latest = {s.order_id: s for s in refused.order_by("pk").prefetch_related("packages")}
    found = {}
    for row in rows:
        shipment = latest.get(row.order_id or 0)
        numbers = {kept["waybill_id"] for kept in row.packages}
        if shipment and (not row.leaves or numbers & {p.waybill_id for p in shipment.packages.all()}):
            found[shipment.order_id] = shipment
    return found
