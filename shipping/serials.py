"""The ledger of devices: which package has which serial number or IMEI, and which came back.

A row is taken when a package is queued and ends when the package is off, when goods of its line were refunded
after it had left, or when a person says that the device is here again.
"""

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from merchants.models import Role, User
from merchants.queries import merchants_for
from wechat.waybills import normalise

from . import states
from .drafts import PackageDraft, Pair, SerialHolder
from .models import Order, Package, Serial, SerialUse, Shipment

ENDED_BY_REFUND = (200, 250)
# The reason kept of what nobody released by hand.
REFUNDED = "refunded"


def numbers_in(packages: Iterable[PackageDraft]) -> list[str]:
    """Every number of a device in these packages, one spelling each."""
    serials = [package.serial for package in packages if package.serial]
    numbers = (normalise(text) for serial in serials for text in vars(serial).values())
    return [number for number in numbers if number]


def holders(
    numbers: Collection[str], stores: Collection[int], excluding: Collection[Shipment]
) -> list[tuple[int, str, SerialHolder]]:
    """Store, number and holder of those that packages of these stores hold."""
    rows = SerialUse.objects.filter(released_at=None, merchant__in=stores, number__in=numbers).select_related(
        "package__order", "package__shipment__packer", "package__shipment__created_by"
    )
    if excluding:
        rows = rows.exclude(package__shipment__in=excluding)
    return [(use.merchant_id, use.number, _holder(use)) for use in rows]


def _holder(use: SerialUse) -> SerialHolder:
    shipment = use.package.shipment
    who = shipment.packer or shipment.created_by or ""
    at = f"{timezone.localtime(use.taken_at):%Y-%m-%d %H:%M}"
    return SerialHolder(use.package.order.order_id, str(who), at)


def follow_move(packages: Collection[Package], source: str, target: str) -> None:
    """Queued packages take their devices, those that are off let them go.

    Raises IntegrityError when another package of the store was faster.
    """
    if source == states.DRAFT and target == states.QUEUED:
        _take(packages)
    elif target in states.FREES_WAYBILL:
        uses = SerialUse.objects.filter(package__in=packages, released_at=None)
        uses.update(released_at=timezone.now())


def _take(packages: Collection[Package]) -> None:
    serials = Serial.objects.filter(package__in=packages).select_related("package")
    SerialUse.objects.bulk_create(
        SerialUse(
            merchant_id=serial.package.merchant_id,
            package=serial.package,
            kind=kind,
            number=normalise(number),
        )
        for serial in serials
        for number, kind in {serial.imei2: "imei", serial.imei1: "imei", serial.sn_code: "sn"}.items()
        if number
    )


def release_returned(order: Order, refunded: Collection[Pair]) -> int:
    """Goods were refunded: the devices that left with them may be sold again; the platform judges then."""
    if order.status not in ENDED_BY_REFUND and not refunded:
        return 0
    uses = SerialUse.objects.filter(package__order=order, released_at=None)
    if order.status not in ENDED_BY_REFUND:
        pairs = Q(pk=None)
        for product_id, sku_id in refunded:
            pairs |= Q(package__items__product_id=product_id, package__items__sku_id=sku_id)
        uses = uses.filter(pk__in=uses.filter(pairs).values("pk"))
    return uses.update(released_at=timezone.now(), reason=REFUNDED)


def release_by_hand(*, use: SerialUse, user: User, reason: str) -> bool:
    """A person has the device in hand again; False if it was free already."""
    row = SerialUse.objects.filter(pk=use.pk, released_at=None)
    return row.update(released_at=timezone.now(), released_by=user, reason=reason[:200]) == 1


def serials_for(user: User, number: str = "") -> QuerySet[SerialUse]:
    """The ledger of the user's stores, the newest first; of one number, where one is given."""
    rows = SerialUse.objects.filter(merchant__in=merchants_for(user)).select_related(
        "merchant", "package__order", "package__shipment__packer", "package__shipment__created_by",
        "released_by",
    )  # fmt: skip
    return rows.filter(number=normalise(number)) if number.strip() else rows


def serial_for(user: User, pk: int) -> SerialUse:
    """A number in use at a store where this person is a manager, or 404."""
    return get_object_or_404(SerialUse, merchant__in=merchants_for(user, Role.MANAGER), pk=pk)
