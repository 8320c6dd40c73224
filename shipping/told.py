"""The words for what WeChat pushes about an order: data, by the name of the event (store-api 4.1)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

EXT_INFO = "channels_ec_order_ext_info_update"
URGED = 7

EVENTS = {
    "channels_ec_order_new": lazy("买家下单"),
    "channels_ec_order_pay": lazy("买家付款"),
    "channels_ec_order_wait_shipping": lazy("等待发货"),
    "channels_ec_order_deliver": lazy("登记了发货"),
    "channels_ec_order_confirm": lazy("确认收货"),
    "channels_ec_order_settle": lazy("结算"),
    "channels_ec_order_cancel": lazy("订单取消"),
    "channels_ec_aftersale_update": lazy("售后有变化"),
    "channels_ec_present_aftersale_update": lazy("礼物售后有变化"),
    "channels_ec_guarantee_update": lazy("保障单有变化"),
    "channels_ec_complaint_update": lazy("纠纷有变化"),
}
# The types of an ext_info event.
DETAILS = {
    1: lazy("佣金有变化"),
    2: lazy("收货地址改了"),
    3: lazy("商家备注改了"),
    4: lazy("买家申请改地址"),
    5: lazy("虚拟号码有变化"),
    6: lazy("分享人有变化"),
    7: lazy("买家催发货"),
    8: lazy("礼物留言改了"),
    9: lazy("买家申请换规格"),
    10: lazy("换规格已同意"),
    11: lazy("收礼时换了规格"),
    12: lazy("改价"),
    13: lazy("真实号码审核有结果"),
    14: lazy("分给供货商代发"),
    15: lazy("取消代发"),
    16: lazy("买家同意改地址"),
    17: lazy("买家拒绝改地址"),
    18: lazy("改地址超时作废"),
    19: lazy("买家自己改了地址"),
    20: lazy("已发货，改地址申请作废"),
    21: lazy("买家同意晚发货"),
    22: lazy("买家拒绝晚发货"),
    23: lazy("晚发货协商超时"),
}


def words(event: str, detail: int | None) -> str:
    """What happened, in words; an event nobody has described keeps its name."""
    if event == EXT_INFO:
        known = DETAILS.get(detail or 0)
        return str(known) if known else _("订单信息有变化（类型 %s）") % ("—" if detail is None else detail)
    return str(EVENTS.get(event, event))
