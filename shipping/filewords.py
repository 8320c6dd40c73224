"""The sentence for each reason why a file, or one of its cells, cannot be used."""

from django.utils.translation import gettext_lazy as _

from .tables.cells import DIGITS_LOST, IS_ERROR, NO_VALUE
from .tables.refusing import Refused

WORDS = {
    "file_empty": _("文件里没有内容；请选有表头和订单行的文件，至少要有 order_id（订单号）一列。"),
    "no_rows": _("文件只有表头，没有订单行；请把要发货的订单填在表头下面。"),
    "file_too_big": _("文件有 %(size)s MB，最多 %(most)d MB；请只留下发货要用的行和列，或拆成几个文件。"),
    "too_many_rows": _("文件超过 %(most)d 行；请拆成几个文件分别上传。"),
    "too_many_columns": _("文件超过 %(most)d 列；请只留下订单号、快递公司、快递单号等要用的列。"),
    "file_locked": _("文件有打开密码，系统读不了；请在 Excel 里去掉密码，保存后再上传。"),
    "file_damaged": _("文件损坏或没有存完整；请用 Excel 打开它，另存为 xlsx 再上传。"),
    "file_macros": _("文件带有宏；请另存为不带宏的 xlsx 再上传。"),
    "file_bomb": _("文件解压后大得不正常，系统没有打开它；请把要发货的行复制到新表格里再上传。"),
    "file_entities": _("文件里有表格用不到的 XML 声明，系统没有打开它；请用 Excel 另存为 xlsx 再上传。"),
    "file_unknown": _("这不是表格文件（看内容是%(found)s）；可以上传 xlsx、xls、ods、csv 或 txt。"),
    "file_misnamed": _(
        "文件名以 .%(named)s 结尾，内容却是 %(found)s；请改好扩展名，或用 Excel 另存后再上传。"
    ),
    "encoding_unknown": _(
        "认不出文件的编码（既不是 UTF-8 也不是 GB18030）；请在 Excel 里另存为“CSV UTF-8”。"
    ),
    "not_csv": _("文件不是有效的 CSV：%(error)s；请用 Excel 打开，另存为“CSV UTF-8”或 xlsx。"),
    DIGITS_LOST: _(
        "这个单元格是数字格式，Excel 只留 15 位，后面的数字已经丢了；请把整列设成文本格式，从原处重新复制。"
    ),
    NO_VALUE: _("这个单元格是公式，文件里没有存它的结果；请复制后“选择性粘贴为值”，再保存。"),
    IS_ERROR: _("这个单元格的公式出错了（例如 #N/A）；请改好公式或直接填上内容。"),
}


def sentence(code: str, **params: str | int) -> str:
    """What is wrong and the way out, in the language of the person. Raises KeyError for a code of no row."""
    return str(WORDS[code]) % params


def why(refused: Refused) -> str:
    return sentence(refused.code, **refused.params)
