"""The words of a rehearsal: what is wrong at a cell and what to do, as the form says it; names of fields."""

from django.utils.translation import get_language
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from shipping import filewords
from shipping.drafts import Problem
from shipping.models import Batch
from shipping.tables.columns import IGNORED, Mapping
from wechat.errcodes import meaning, problem_text

FIELD_WORDS = {
    "order_id": _("订单号"),
    "waybill_id": _("快递单号"),
    "delivery_id": _("快递公司"),
    "deliver_type": _("发货方式"),
    "product_id": _("商品 ID"),
    "sku_id": _("规格 ID"),
    "sku_code": _("商家编码"),
    "product_cnt": _("数量"),
    "package_no": _("箱号"),
    "sn_code": _("序列号 SN"),
    "imei1": _("IMEI 1"),
    "imei2": _("IMEI 2"),
    "start_time": _("开始时间"),
    "end_time": _("结束时间"),
    "wxa_appid": _("课程小程序 AppID"),
    "wxa_path": _("课程小程序路径"),
    "note": _("备注"),
    IGNORED: _("不用这一列"),
}


def language() -> str:
    return get_language() or "zh-hans"


def text_of(problem: Problem) -> str:
    if problem.slug in filewords.WORDS:
        return filewords.sentence(problem.slug)
    return problem_text(meaning(problem.errcode, problem.slug), problem.params, language())


def title_of(problem: Problem) -> str:
    """A few words for many rows of the same trouble."""
    if problem.slug in filewords.WORDS:
        return say("单元格的内容已经丢了")
    return meaning(problem.errcode, problem.slug).text("title", language())


def remedy_of(problem: Problem) -> str:
    """What to do: most of it is mended in the file, as long as nothing has been sent."""
    if problem.slug in filewords.WORDS:
        return filewords.sentence(problem.slug)
    code = meaning(problem.errcode, problem.slug)
    if code.fixed_by == "staff" and code.field.startswith("packages"):
        return say("在这里改好这几格，或在表格里改好再上传一次。")
    return code.text("do", language())


def column_word(batch: Batch, field: str) -> str:
    """A field by the name that the uploader's own column has."""
    column = Mapping.from_json(batch.mapping).fields.get(field)
    named = batch.columns[column] if column is not None and column < len(batch.columns) else ""
    return named or str(FIELD_WORDS.get(field, field))


def why_refused(batch: Batch) -> str:
    return filewords.sentence(batch.refused, **batch.refused_params)
