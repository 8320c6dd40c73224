"""What can be done about a parcel that has left, and what a package of another kind is about."""

from typing import NamedTuple
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from shipping import states
from shipping.drafts import (
    COMPENSATION,
    CORRECTION,
    DAMAGED,
    EXPRESS,
    GIFT,
    MISSED,
    SPLIT,
    VIRTUAL,
)
from shipping.models import Order, Package, Parcel
from shipping.parcels import current_parcel
from shipping.rules.after import CORRECTABLE, LEFT
from wechat.waybills import normalise

register = template.Library()

WHY = {
    MISSED: lazy("补发：漏发"),
    SPLIT: lazy("补发：一件分几箱"),
    DAMAGED: lazy("补发：破损重发"),
    GIFT: lazy("补发：赠品"),
}


class Link(NamedTuple):
    """A way on, as a small button."""

    word: str
    url: str


@register.simple_tag
def correct_link(order: Order, parcel: Package | Parcel) -> Link | None:
    """Where the number of a parcel that WeChat knows is put right; None when it is too late or too early."""
    if order.status not in CORRECTABLE or not parcel.waybill_id or parcel.deliver_type == VIRTUAL:
        return None
    query = urlencode({"number": parcel.waybill_id})
    return Link(_("更正单号"), f"{reverse('parcel_correct', args=[order.order_id])}?{query}")


@register.simple_tag
def resend_link(order: Order) -> Link | None:
    """Where one more parcel of an order that has left is sent."""
    if order.status not in LEFT or order.deliver_method in (1, 3):
        return None
    return Link(_("补发"), reverse("order_resend", args=[order.order_id]))


@register.filter
def after_links(package: Package) -> list[Link]:
    """The buttons of a parcel of ours that has left."""
    if package.status != states.SHIPPED or package.kind == CORRECTION or package.deliver_type != EXPRESS:
        return []
    order = package.order
    now = current_parcel(package, order.packages.all())
    return [link for link in (correct_link(order, now), resend_link(order)) if link]


@register.filter
def renamed(package: Package) -> Package | None:
    """The correction that gave this parcel another number, if one did."""
    if package.status != states.SHIPPED or package.kind == CORRECTION:
        return None
    now = current_parcel(package, package.order.packages.all())
    return None if now is package else now


@register.filter
def about(package: Package) -> str:
    """What a package of another kind is about: the number it puts right, or why it is sent again."""
    if package.kind == COMPENSATION:
        return str(WHY.get(package.shipment.reason or MISSED, ""))
    if package.kind == CORRECTION:
        return _("原来：%(courier)s %(number)s") % {
            "courier": package.old_delivery_id,
            "number": package.old_waybill_id,
        }
    return ""


@register.filter
def of_others(parcels: list[Parcel], packages: list[Package]) -> list[tuple[Parcel, bool]]:
    """Each parcel, and whether no package here says so: only those carry their own button."""
    sent = [p for p in packages if p.status == states.SHIPPED and p.kind != CORRECTION]
    ours = {normalise(current_parcel(p, packages).waybill_id) for p in sent}
    return [(parcel, normalise(parcel.waybill_id) not in ours) for parcel in parcels]


@register.filter
def times_left(count: int) -> str:
    return ngettext("最多还能改 %d 次", "最多还能改 %d 次", count) % count


@register.filter
def called(item: tuple[str, str, int], titles: dict[tuple[str, str], str]) -> str:
    """What goods of a parcel are called, and how many of them it holds."""
    product, sku, count = item
    return f"{titles.get((product, sku), sku)} ×{count}"
