"""The file one downloads to fill in: headers that the reader knows, an example row, notes."""

from django.utils.translation import gettext as _

from .words import FIELD_WORDS

COLUMNS = (
    "order_id", "delivery_id", "waybill_id", "product_id", "sku_id", "product_cnt",
    "sn_code", "imei1", "imei2", "note",
)  # fmt: skip


def template_rows() -> list[list[str]]:
    """The header and an example. Its order is no number, so an example that was left in is nobody's order."""
    words = [str(FIELD_WORDS[name]) for name in COLUMNS]
    return [
        words,
        [_("示例，请删掉这一行"), _("顺丰速运"), "SF1234567890123", *[""] * (len(COLUMNS) - 4), ""],
    ]


def template_notes() -> list[list[str]]:
    """A sheet of its own: column, must it be filled, what to write."""
    notes = {
        "order_id": _("必填。19 位数字；这一列是文本格式，不要改成数字，否则 Excel 会丢掉后面的数字。"),
        "delivery_id": _("快递公司的名称、简称或编码；不填就按单号猜。虚拟订单不填。"),
        "waybill_id": _("快递要填，虚拟订单不填。同一订单几个单号就是几个包裹，一个包裹一行。"),
        "product_id": _("一个订单分几个包裹时才要填：每行一种商品。不填就是剩下的全部商品。"),
        "sku_id": _("同一商品有几种规格时要填。"),
        "product_cnt": _("这个包裹里有几件；不填就是剩下的全部件数。"),
        "sn_code": _("国补订单要填。"),
        "imei1": _("手机等有 IMEI 的才填。"),
        "imei2": _("手机等有 IMEI 的才填。"),
        "note": _("自己看的，不会发给微信。"),
    }
    return [[_("列"), _("怎么填")], *([str(FIELD_WORDS[name]), text] for name, text in notes.items())]
