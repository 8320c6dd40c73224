"""Rows: orders as they were read, shipments as they were wanted, attempts as they were made.

All ids are text: order ids have 19 digits, which spreadsheets and JavaScript destroy. Money is in fen.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models import Merchant

from . import states

ID = 64


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
    # The last four digits as read, for the search: the number itself is masked.
    phone_last4 = models.CharField(max_length=4, blank=True, db_index=True)
    # An aftersale or another address seen since the read before; ticked off by who found the parcel.
    alarm_at = models.DateTimeField(null=True)
    alarm_done_at = models.DateTimeField(null=True)
    alarm_done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("订单"), pgettext_lazy("plural", "订单")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "order_id"], name="order_once_per_merchant"),
            models.CheckConstraint(condition=~Q(order_id=""), name="order_has_an_id"),
        ]
        indexes = [
            models.Index(fields=["order_id"], name="order_by_id"),
            models.Index(fields=["merchant", "status", "deadline_at", "id"], name="order_due"),
            models.Index(fields=["merchant", "-id"], name="order_newest"),
            models.Index(fields=["merchant", "openid", "address_hash"], name="order_same_buyer"),
            models.Index(fields=["alarm_at"], condition=Q(alarm_at__isnull=False), name="order_alarmed"),
        ]

    def __str__(self) -> str:
        return self.order_id


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


class Shipment(models.Model):
    """One submission for one order. Saved before anything is sent; corrected by a new one, never edited."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="shipments")
    order = models.ForeignKey(Order, models.PROTECT, related_name="shipments")
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")
    # The form's one-time key: a second POST with the same key finds the first shipment.
    form_key = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - null is "no form"
    door = models.CharField(max_length=10, default="page")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="shipments"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # When the worker may claim it next; null when nothing of it is queued.
    due_at = models.DateTimeField(null=True)
    # Refusals in a row that the table says to try again; calls in a row that were never sent.
    tries = models.PositiveIntegerField(default=0)
    unsent = models.PositiveIntegerField(default=0)
    renewed_token = models.BooleanField(default=False)
    # What the order said when the tracking number was first entered, imported or printed (drafts.Noted).
    noted = models.JSONField(null=True)
    noted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("发货单"), pgettext_lazy("plural", "发货单")
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(due_at__isnull=False), name="shipment_due"),
            models.Index(fields=["merchant", "-id"], name="shipment_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.order} #{self.pk}"


class Attempt(models.Model):
    """One call for one order, committed before its first byte; open until each of its packages is settled."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="attempts")
    order = models.ForeignKey(Order, models.PROTECT, related_name="attempts")
    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="attempts")
    run = models.CharField(max_length=64)
    started_at = models.DateTimeField(default=timezone.now)
    # Null until the moment before the first byte: a worker that died earlier surely sent nothing.
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    request = models.JSONField(null=True)
    then = models.CharField(max_length=20, blank=True)
    slug = models.CharField(max_length=40, blank=True)
    errcode = models.BigIntegerField(null=True)
    errmsg = models.TextField(blank=True)
    rid = models.CharField(max_length=60, blank=True)
    elapsed_ms = models.PositiveIntegerField(null=True)
    # Settling: reads that surely began late enough and lacked our parcel.
    misses = models.PositiveSmallIntegerField(default=0)
    reads = models.PositiveIntegerField(default=0)
    next_read_at = models.DateTimeField(null=True)
    last_miss_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("提交记录"), pgettext_lazy("plural", "提交记录")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(closed_at=None), name="one_open_attempt_per_order"
            ),
        ]
        indexes = [
            models.Index(fields=["next_read_at"], condition=Q(closed_at=None), name="attempt_to_settle"),
            models.Index(fields=["merchant", "-id"], name="attempt_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.order} · {self.started_at:%Y-%m-%d %H:%M:%S}"


class Package(models.Model):
    """One element of delivery_list with a status of its own; moved only by services.move."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="packages")
    order = models.ForeignKey(Order, models.PROTECT, related_name="packages")
    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="packages")
    position = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, default=states.DRAFT)
    status_at = models.DateTimeField(default=timezone.now)
    deliver_type = models.PositiveSmallIntegerField()
    delivery_id = models.CharField(max_length=ID, blank=True)
    waybill_id = models.CharField(max_length=ID, blank=True)
    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, related_name="packages")
    errcode = models.BigIntegerField(null=True)
    slug = models.CharField(max_length=40, blank=True)
    errmsg = models.TextField(blank=True)
    rid = models.CharField(max_length=60, blank=True)
    lost_calls = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("包裹"), pgettext_lazy("plural", "包裹")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["shipment", "position"], name="package_position_once"),
            models.CheckConstraint(condition=Q(status__in=states.ALL), name="package_status_is_known"),
            models.CheckConstraint(condition=Q(deliver_type__in=(1, 3)), name="deliver_type_is_1_or_3"),
            models.CheckConstraint(
                condition=Q(deliver_type=3) | (~Q(delivery_id="") & ~Q(waybill_id="")) | Q(status="draft"),
                name="express_names_courier_and_waybill",
            ),
            models.UniqueConstraint(
                fields=["merchant", "order", "delivery_id", "waybill_id"],
                condition=~Q(status__in=states.FREES_WAYBILL) & ~Q(waybill_id=""),
                name="waybill_once_per_order",
            ),
        ]
        indexes = [
            models.Index(fields=["waybill_id"], name="package_by_waybill"),
            models.Index(fields=["merchant", "status", "-id"], name="package_by_status"),
            models.Index(fields=["merchant", "-id"], name="package_newest"),
        ]

    def __str__(self) -> str:
        return self.waybill_id or f"#{self.pk}"


class PackageItem(models.Model):
    package = models.ForeignKey(Package, models.PROTECT, related_name="items")
    product_id = models.CharField(max_length=ID)
    sku_id = models.CharField(max_length=ID)
    product_cnt = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(product_cnt__gt=0), name="item_counts_at_least_one"),
        ]


class Course(models.Model):
    """course_info of a package; times in unix seconds as on the wire."""

    package = models.OneToOneField(Package, models.PROTECT, related_name="course")
    start_time = models.BigIntegerField(null=True)
    end_time = models.BigIntegerField(null=True)
    wxa_appid = models.CharField(max_length=ID)
    wxa_path = models.CharField(max_length=1000)


class Serial(models.Model):
    """sn_info of a package."""

    package = models.OneToOneField(Package, models.PROTECT, related_name="serial")
    sn_code = models.CharField(max_length=120, db_index=True)
    imei1 = models.CharField(max_length=20, blank=True)
    imei2 = models.CharField(max_length=20, blank=True)


class StatusChange(models.Model):
    """One move of one package, written in the same transaction; never changed."""

    package = models.ForeignKey(Package, models.PROTECT, related_name="changes")
    source = models.CharField(max_length=10)
    target = models.CharField(max_length=10)
    at = models.DateTimeField(default=timezone.now)
    who = models.CharField(max_length=10)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, related_name="changes")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]


class Hold(models.Model):
    """An order that must not leave for now; over when released, or when its time has come."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=200)
    until = models.DateTimeField(null=True)
    held_at = models.DateTimeField(default=timezone.now)
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(released_at=None), name="one_open_hold_per_order"
            ),
        ]


class Typed(models.Model):
    """What one person has typed into an order's form and not sent; the form saves it by itself."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="typed")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    fields = models.JSONField()
    saved_at = models.DateTimeField(default=timezone.now)
    noted = models.JSONField(null=True)
    noted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "user"], name="typed_once_per_person")]


class Visit(models.Model):
    """Who has an order's form open, and since when; a poll keeps `seen_at` fresh."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="visits")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "user"], name="visit_once_per_person")]


class Printing(models.Model):
    """A packing slip that was printed, and what the order said then."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="printings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    paper = models.CharField(max_length=10)
    noted = models.JSONField(null=True)

    class Meta:
        ordering = ["-id"]


class SyncCursor(models.Model):
    """How far one store's orders were read, by WeChat's update_time; the row is the lease on reading, too."""

    merchant = models.OneToOneField(Merchant, models.PROTECT, related_name="sync_cursor")
    # Whatever changed up to then was read; null until a first window was read whole.
    read_to = models.DateTimeField(null=True)
    # The window being read and the place in its list: a run that was stopped goes on there.
    window_from = models.DateTimeField(null=True)
    window_to = models.DateTimeField(null=True)
    next_key = models.TextField(blank=True)
    # Ids of orders that could not be read in their turn; every run tries them again.
    missed = models.JSONField(default=list)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    # A task was enqueued then and has not begun.
    asked_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    # When couriers and return address were last asked for.
    store_asked_at = models.DateTimeField(null=True)
    # Of the run under way, or the last one.
    read = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)


class Schedule(models.Model):
    """When each entry of the timekeeper last ran; taken by conditional update."""

    name = models.CharField(max_length=40, unique=True)
    last_run_at = models.DateTimeField(default=timezone.now)
