"""Shipments as they were wanted, attempts as they were made, packages as they stand."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models import Merchant
from shipping import states
from shipping.drafts import CORRECTION, SEND

from .orders import ID, Order, brought_along


class Shipment(models.Model):
    """One submission for one order. Saved before anything is sent; corrected by a new one, never edited."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="shipments", verbose_name=_("店铺"))
    order = models.ForeignKey(Order, models.PROTECT, related_name="shipments", verbose_name=_("订单"))
    # Goods that leave, a number put right, a parcel sent a second time (drafts.KINDS).
    kind = models.CharField(_("类别"), max_length=12, default=SEND, db_default=SEND)
    # Why it is sent again, as the platform numbers it.
    reason = models.PositiveSmallIntegerField(_("重发原因"), null=True)
    corrects = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="corrections",
        verbose_name=_("更正的发货单"),
    )
    # The form's one-time key: a second POST with the same key finds the first shipment.
    form_key = models.CharField(_("表单编号"), max_length=64, null=True, unique=True)  # noqa: DJ001 - null is "no form"
    door = models.CharField(_("入口"), max_length=10, default="page")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="shipments",
        verbose_name=_("提交人"),
    )
    # Whose badge was scanned at the station, where one login serves several packers.
    packer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("打包人"),
    )
    created_at = models.DateTimeField(_("提交时间"), auto_now_add=True)
    # When the worker may claim it next; null when nothing of it is queued.
    due_at = models.DateTimeField(_("下次发送"), null=True)
    # Refusals in a row that the table says to try again; calls in a row that were never sent.
    tries = models.PositiveIntegerField(_("重试次数"), default=0)
    unsent = models.PositiveIntegerField(_("未发出次数"), default=0)
    renewed_token = models.BooleanField(_("换过 token"), default=False)
    # What the order said when the tracking number was first entered, imported or printed (drafts.Noted).
    noted = models.JSONField(_("留意的内容"), null=True)
    noted_at = models.DateTimeField(_("留意时间"), null=True)
    # The file that its calls and moves went to; null while they are here.
    archive = models.ForeignKey(
        "shipping.Archive",
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("归档文件"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("发货单"), pgettext_lazy("plural", "发货单")
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(due_at__isnull=False), name="shipment_due"),
            models.Index(
                fields=["merchant", "due_at"], condition=Q(due_at__isnull=False), name="shipment_due_of_store"
            ),
            models.Index(fields=["merchant", "-id"], name="shipment_newest"),
            # Hardly any corrects another: an index that is all nulls is shunned once statistics tell.
            models.Index(fields=["corrects"], condition=Q(corrects__isnull=False), name="shipment_corrected"),
        ]

    def __str__(self) -> str:
        return f"{self.order} #{self.pk}"


class Attempt(models.Model):
    """One call for one order, committed before its first byte; open until each of its packages is settled."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="attempts", verbose_name=_("店铺"))
    order = models.ForeignKey(Order, models.PROTECT, related_name="attempts", verbose_name=_("订单"))
    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="attempts", verbose_name=_("发货单"))
    run = models.CharField(_("进程"), max_length=64)
    started_at = models.DateTimeField(_("开始"), default=timezone.now)
    # Null until the moment before the first byte: a worker that died earlier surely sent nothing.
    sent_at = models.DateTimeField(_("发出时间"), null=True)
    ended_at = models.DateTimeField(_("结束"), null=True)
    closed_at = models.DateTimeField(_("了结"), null=True)
    request = models.JSONField(_("请求内容"), null=True)
    then = models.CharField(_("之后"), max_length=20, blank=True)
    slug = models.CharField(_("情形"), max_length=40, blank=True)
    errcode = models.BigIntegerField(_("错误码"), null=True)
    errmsg = models.TextField(_("微信返回"), blank=True)
    rid = models.CharField("rid", max_length=60, blank=True)
    elapsed_ms = models.PositiveIntegerField(_("耗时（毫秒）"), null=True)
    # Settling: reads that surely began late enough and lacked our parcel.
    misses = models.PositiveSmallIntegerField(_("未查到次数"), default=0)
    reads = models.PositiveIntegerField(_("查询次数"), default=0)
    next_read_at = models.DateTimeField(_("下次查询"), null=True)
    last_miss_at = models.DateTimeField(_("上次未查到"), null=True)
    # In the process that claimed them: nobody else moves them while it lives.
    claimed: list["Package"] | None = None

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
            models.Index(fields=["merchant", "started_at"], name="attempt_by_moment"),
            models.Index(fields=["merchant", "errcode", "started_at"], name="attempt_by_code"),
        ]

    def __str__(self) -> str:
        return f"{self.order} · {self.started_at:%Y-%m-%d %H:%M:%S}"


class Package(models.Model):
    """One element of delivery_list with a status of its own; moved only by services.move."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="packages", verbose_name=_("店铺"))
    order = models.ForeignKey(Order, models.PROTECT, related_name="packages", verbose_name=_("订单"))
    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="packages", verbose_name=_("发货单"))
    # The shipment's kind, here for the constraint and for whoever counts pieces.
    kind = models.CharField(_("类别"), max_length=12, default=SEND, db_default=SEND)
    # Who packed it, or else who sent it, and the upload it came with: here for the indexes of the history.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("经手人"),
    )
    # The shipment's creator, whom its trouble is shown to.
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("提交人"),
    )
    batch = models.ForeignKey(
        "shipping.Batch",
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="packages",
        verbose_name=_("批次"),
    )
    position = models.PositiveSmallIntegerField(_("序号"))
    status = models.CharField(_("状态"), max_length=10, default=states.DRAFT)
    status_at = models.DateTimeField(_("状态时间"), default=timezone.now)
    # For an index of its own: packages in trouble are few, and statistics that tell averages hide it.
    in_trouble = models.GeneratedField(
        expression=models.ExpressionWrapper(Q(status__in=states.TROUBLE), models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
        verbose_name=_("要处理"),
    )
    # A shipment that corrects its own was queued. Stored: over years more was put right than ever waits.
    corrected_at = models.DateTimeField(_("更正时间"), null=True)
    deliver_type = models.PositiveSmallIntegerField(_("发货方式"))
    delivery_id = models.CharField(_("快递公司"), max_length=ID, blank=True)
    waybill_id = models.CharField(_("快递单号"), max_length=ID, blank=True)
    # Of a correction: courier and number as WeChat shows them, untouched.
    old_delivery_id = models.CharField(_("原快递公司"), max_length=ID, blank=True, default="", db_default="")
    old_waybill_id = models.CharField(_("原快递单号"), max_length=ID, blank=True, default="", db_default="")
    attempt = models.ForeignKey(
        Attempt, models.PROTECT, null=True, related_name="packages", verbose_name=_("提交记录")
    )
    errcode = models.BigIntegerField(_("错误码"), null=True)
    slug = models.CharField(_("情形"), max_length=40, blank=True)
    errmsg = models.TextField(_("微信返回"), blank=True)
    rid = models.CharField("rid", max_length=60, blank=True)
    lost_calls = models.PositiveSmallIntegerField(_("无回音次数"), default=0)

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
                # A number may be corrected back to what it was.
                condition=~Q(status__in=states.FREES_WAYBILL) & ~Q(waybill_id="") & ~Q(kind=CORRECTION),
                name="waybill_once_per_order",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "waybill_id"], name="package_by_number"),
            models.Index(fields=["merchant", "status", "-id"], name="package_by_status"),
            models.Index(fields=["merchant", "status", "status_at"], name="package_by_time"),
            models.Index(fields=["merchant", "-id"], name="package_newest"),
            models.Index(fields=["merchant", "status_at"], name="package_by_moment"),
            models.Index(fields=["merchant", "person", "status_at"], name="package_by_person"),
            models.Index(fields=["merchant", "delivery_id", "status_at"], name="package_by_courier"),
            models.Index(
                fields=["merchant", "batch", "status_at"],
                condition=Q(batch__isnull=False),
                name="package_by_batch",
            ),
            models.Index(
                fields=["merchant", "status_at"], condition=Q(in_trouble=True), name="package_in_trouble"
            ),
            models.Index(
                fields=["merchant", "status_at"],
                condition=Q(in_trouble=True, corrected_at=None),
                name="package_needs_hands",
            ),
            # What a count of these asks about is all in it: no row is fetched for a number.
            models.Index(
                fields=["merchant", "status", "order", "corrected_at", "in_trouble"],
                condition=Q(in_trouble=True, corrected_at=None),
                name="package_to_mend",
            ),
            models.Index(
                fields=["sent_by", "merchant", "status_at"],
                condition=Q(in_trouble=True, corrected_at=None),
                name="package_own_trouble",
            ),
            models.Index(
                fields=["merchant", "errcode", "status_at"],
                condition=Q(errcode__isnull=False),
                name="package_by_code",
            ),
        ]

    def __str__(self) -> str:
        return self.waybill_id or f"#{self.pk}"

    @property
    def all_items(self) -> "list[PackageItem]":
        return brought_along(self, "items")

    @property
    def is_corrected(self) -> bool:
        """Whether a later shipment took this one's place."""
        return self.corrected_at is not None


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
    sn_code = models.CharField(max_length=120)
    imei1 = models.CharField(max_length=20, blank=True)
    imei2 = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [models.Index(Upper("sn_code"), name="serial_by_number")]


class StatusChange(models.Model):
    """One move of one package, written in the same transaction; never changed."""

    package = models.ForeignKey(Package, models.PROTECT, related_name="changes", verbose_name=_("包裹"))
    source = models.CharField(_("原状态"), max_length=10)
    target = models.CharField(_("新状态"), max_length=10)
    at = models.DateTimeField(_("时间"), default=timezone.now)
    who = models.CharField(_("由谁"), max_length=10)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("操作人")
    )
    packer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("打包人"),
    )
    attempt = models.ForeignKey(
        Attempt, models.PROTECT, null=True, related_name="changes", verbose_name=_("提交记录")
    )
    reason = models.CharField(_("说明"), max_length=300, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("状态变化"), pgettext_lazy("plural", "状态变化")
        ordering = ["id"]
