"""Orders as they were read from WeChat, with what belongs to them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Prefetch, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models import Merchant

if TYPE_CHECKING:
    from .desk import Hold, Printing
    from .shipments import Package

ID = 64
# What a list is narrowed to: each has an index of its own, for of most kinds there are few.
KINDS = (
    "is_virtual", "is_subsidy", "is_presale", "is_present", "is_intra_city", "is_dropship", "is_inspected",
    "has_notes",
)  # fmt: skip
# Orders without a deadline come last.
LAST_DAY = datetime(9999, 1, 1, tzinfo=UTC)


def _whether(condition: Q) -> models.GeneratedField:
    """A column that says whether a row is of a kind: a partial index must be found without parameters."""
    wrapped = models.ExpressionWrapper(condition, models.BooleanField(null=True))
    return models.GeneratedField(
        expression=wrapped, output_field=models.BooleanField(null=True), db_persist=True
    )


def brought_along(row: models.Model, name: str) -> list[Any]:
    """What belongs to a row: as `bring` or a `Prefetch` left it in `loaded_…`, else asked for now."""
    known = row.__dict__.get(f"loaded_{name}")
    return list(getattr(row, name).all()) if known is None else known


def bring(owners: Mapping[int, models.Model], name: str, rows: models.QuerySet[Any], whose: str) -> list[Any]:
    """Those of the rows that belong to the owners, which get theirs as `brought_along` wants them.

    `owners`: by key; `whose`: the rows' column for it. One query, and cheaper by half than prefetching.
    """
    found = list(rows.filter(**{f"{whose}__in": list(owners)}))
    for owner in owners.values():
        owner.__dict__[f"loaded_{name}"] = []
    for row in found:
        owners[getattr(row, f"{whose}_id")].__dict__[f"loaded_{name}"].append(row)
    return found


class Order(models.Model):
    """A platform order as last read by order/get; `read_at` None means it is known by name only."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="orders", verbose_name=_("店铺"))
    order_id = models.CharField(_("订单号"), max_length=ID)
    # Bumped by everyone who is about to count what is left: the conditional update is the lock.
    revision = models.PositiveIntegerField(default=0)
    status = models.IntegerField(_("微信订单状态"), null=True)
    deliver_method = models.IntegerField(_("发货方式"), null=True)
    placed_at = models.DateTimeField(_("下单时间"), null=True)
    paid_at = models.DateTimeField(_("付款时间"), null=True)
    platform_updated_at = models.DateTimeField(_("微信更新时间"), null=True)
    deadline_at = models.DateTimeField(_("发货时限"), null=True)
    # The deadline as the lists are sorted by it: no index walks an expression, nor a null in its place.
    due_at = models.GeneratedField(
        expression=Coalesce("deadline_at", Value(LAST_DAY)),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    read_at = models.DateTimeField(_("读取时间"), null=True)
    openid = models.CharField(max_length=ID, blank=True)
    address_hash = models.CharField(max_length=128, blank=True)
    receiver = models.CharField(_("收件人（脱敏）"), max_length=80, blank=True)
    phone = models.CharField(_("电话（脱敏）"), max_length=40, blank=True)
    region = models.CharField(_("地区"), max_length=120, blank=True)
    customer_notes = models.TextField(_("买家留言"), blank=True)
    merchant_notes = models.TextField(_("商家备注"), blank=True)
    order_price = models.BigIntegerField(_("金额（分）"), null=True)
    on_aftersale = models.PositiveIntegerField(default=0)
    address_under_review = models.BooleanField(default=False)
    sku_change_waiting = models.BooleanField(default=False)
    is_subsidy = models.BooleanField(_("国补"), default=False)
    is_present = models.BooleanField(_("礼物"), default=False)
    is_presale = models.BooleanField(_("预售"), default=False)
    is_dropship = models.BooleanField(_("代发"), default=False)
    is_intra_city = models.BooleanField(_("同城"), default=False)
    has_risk = models.BooleanField(default=False)
    quality_inspect_type = models.IntegerField(default=0)
    inspect_status = models.IntegerField(null=True)
    is_virtual = _whether(Q(deliver_method__in=(1, 3)))
    is_inspected = _whether(Q(quality_inspect_type__gt=0))
    has_notes = _whether(~Q(customer_notes="") | ~Q(merchant_notes=""))
    # The last four digits as read, for the search: the number itself is masked.
    phone_last4 = models.CharField(max_length=4, blank=True)
    # An aftersale or another address seen since the read before; ticked off by who found the parcel.
    alarm_at = models.DateTimeField(null=True)
    alarm_done_at = models.DateTimeField(null=True)
    alarm_done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # The buyer urged the shipping last then: only a pushed event says so, no read does.
    urged_at = models.DateTimeField(null=True)
    # Its buyer's data was removed for good: what a later reading brings of it is not kept.
    erased_at = models.DateTimeField(null=True)
    # When its goods were entered by a person, for a store whose orders nobody may read.
    entered_at = models.DateTimeField(null=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("订单"), pgettext_lazy("plural", "订单")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "order_id"], name="order_once_per_merchant"),
            models.CheckConstraint(condition=~Q(order_id=""), name="order_has_an_id"),
        ]
        indexes = [
            models.Index(fields=["order_id"], name="order_by_id"),
            models.Index(fields=["merchant", "status", "due_at", "id"], name="order_due"),
            models.Index(fields=["merchant", "status", "-id"], name="order_by_status"),
            models.Index(fields=["merchant", "-id"], name="order_newest"),
            models.Index(fields=["merchant", "phone_last4", "-id"], name="order_by_phone"),
            models.Index(fields=["merchant", "openid", "address_hash"], name="order_same_buyer"),
            models.Index(
                fields=["merchant", "alarm_at"], condition=Q(alarm_at__isnull=False), name="order_alarmed"
            ),
            *(
                models.Index(fields=["merchant", "-id"], condition=Q(**{kind: True}), name=f"order_{kind}")
                for kind in KINDS
            ),
        ]

    def __str__(self) -> str:
        return self.order_id

    @property
    def is_entered(self) -> bool:
        """Whether all that is known of it is what a person entered."""
        return self.entered_at is not None and self.read_at is None

    @property
    def all_lines(self) -> "list[OrderLine]":
        """Its goods in their order, asked for unless LOADED has brought them along."""
        return brought_along(self, "lines")

    @property
    def all_parcels(self) -> "list[Parcel]":
        """What the platform shows of it, asked for unless LOADED has brought it along."""
        return brought_along(self, "parcels")

    @property
    def all_packages(self) -> "list[Package]":
        return brought_along(self, "packages")

    @property
    def all_holds(self) -> "list[Hold]":
        return brought_along(self, "holds")

    @property
    def all_printings(self) -> "list[Printing]":
        """The latest first."""
        return brought_along(self, "printings")


# Lines and parcels as plain lists, for orders by the thousand: query sets cost more than the rows.
LOADED = (Prefetch("lines", to_attr="loaded_lines"), Prefetch("parcels", to_attr="loaded_parcels"))


class OrderBody(models.Model):
    """The raw order/get body, apart so that lists never load it."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="body")
    body = models.JSONField()
    read_at = models.DateTimeField()


class OrderLine(models.Model):
    """One line of an order; (product_id, sku_id) may repeat within an order."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    product_id = models.CharField(max_length=ID)
    sku_id = models.CharField(max_length=ID)
    sku_cnt = models.PositiveIntegerField(default=0)
    on_aftersale_sku_cnt = models.PositiveIntegerField(default=0)
    finish_aftersale_sku_cnt = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=300, blank=True)
    thumb_img = models.CharField(max_length=600, blank=True)
    sku_code = models.CharField(max_length=120, blank=True)
    sku_attrs = models.CharField(max_length=300, blank=True)
    sale_price = models.BigIntegerField(null=True)
    is_free_gift = models.BooleanField(default=False)
    # The product a free gift comes with, "" if the order does not say.
    gift_of = models.CharField(max_length=ID, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="line_position_once"),
        ]
        indexes = [
            models.Index(fields=["sku_code"], name="line_by_sku_code"),
            models.Index(fields=["title"], name="line_by_title"),
            models.Index(fields=["product_id"], name="line_by_product"),
        ]


class Parcel(models.Model):
    """A parcel the platform shows for an order, whoever registered it."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="parcels")
    delivery_id = models.CharField(max_length=ID, blank=True)
    waybill_id = models.CharField(max_length=ID, blank=True, db_index=True)
    deliver_type = models.IntegerField(null=True)
    delivered_at = models.DateTimeField(null=True)
    items = models.JSONField(default=list)


class Courier(models.Model):
    """A courier of one merchant's own list; never hard-coded."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="couriers", verbose_name=_("店铺"))
    delivery_id = models.CharField(_("编码"), max_length=ID)
    delivery_name = models.CharField(_("快递公司"), max_length=120)
    initials = models.CharField(max_length=60, blank=True)
    is_listed = models.BooleanField(default=True)

    class Meta:
        verbose_name, verbose_name_plural = _("快递公司"), pgettext_lazy("plural", "快递公司")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["merchant", "delivery_id"], name="courier_once_per_merchant"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_name} {self.delivery_id}"
