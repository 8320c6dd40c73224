"""One row of the history as the cells of a file: text all of them, nothing personal among them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wechat.errcodes import meaning

from .models import Attempt, Package
from .past import CALLS, PACKAGES
from .queries import courier_name
from .templatetags.desk import look_of, say
from .templatetags.desk import titles as titles_of
from .templatetags.history import answer

HEADS: dict[str, Sequence[object]] = {
    PACKAGES: (
        _("店铺"), _("订单"), _("状态"), _("状态时间"), _("快递公司"), _("快递编码"), _("快递单号"),
        _("商品"), _("件数"), _("SN"), _("谁"), _("批次号"), _("提交时间"), _("付款时间"), _("错误码"),
        _("原因"), _("提交次数"), "rid",
    ),
    CALLS: (
        _("店铺"), _("订单"), _("快递单号"), _("开始时间"), _("发出时间"), _("用时（毫秒）"), _("微信的回答"),
        _("错误码"), "rid", _("谁"),
    ),
}  # fmt: skip


def loaded(what: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    """With everything a row of the file says, in a handful of queries."""
    if what == CALLS:
        rows = rows.select_related("merchant", "order", "shipment__created_by", "shipment__packer")
        return rows.defer("request").prefetch_related("shipment__packages")
    rows = rows.select_related("merchant", "order", "shipment__created_by", "person", "serial")
    rows = rows.annotate(courier=courier_name(OuterRef("merchant")))
    return rows.prefetch_related("items", "order__lines", "shipment__attempts")


def row_of(what: str, row: Any) -> list[str]:
    """The cells under HEADS, in the language that is active."""
    return _call(row) if what == CALLS else _package(row)


def _package(package: Package) -> list[str]:
    names, items, serial = titles_of(package.order), package.items.all(), getattr(package, "serial", None)
    goods = (f"{names.get((i.product_id, i.sku_id), i.sku_id)} ×{i.product_cnt}" for i in items)
    went_wrong = package.errcode is not None or package.slug
    return [
        package.merchant.name,
        package.order.order_id,
        str(look_of(package).word),
        _at(package.status_at),
        str(getattr(package, "courier", "") or ""),
        package.delivery_id,
        package.waybill_id,
        "\n".join(goods),
        str(sum(item.product_cnt for item in items)),
        serial.sn_code if serial else "",
        str(package.person or ""),
        str(package.batch_id or ""),
        _at(package.shipment.created_at),
        _at(package.order.paid_at),
        _text(package.errcode),
        say(meaning(package.errcode, package.slug), "title") if went_wrong else "",
        str(len(package.shipment.attempts.all())),
        package.rid,
    ]


def _call(attempt: Attempt) -> list[str]:
    shipment = attempt.shipment
    return [
        attempt.merchant.name,
        attempt.order.order_id,
        "\n".join(package.waybill_id for package in shipment.packages.all() if package.waybill_id),
        _at(attempt.started_at),
        _at(attempt.sent_at),
        _text(attempt.elapsed_ms),
        str(answer(attempt).word),
        _text(attempt.errcode),
        attempt.rid,
        str(shipment.packer or shipment.created_by or ""),
    ]


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _at(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else ""
