"""The situations shown in the two ordinary shops, as data: one scene is one order."""

from dataclasses import dataclass, field

from sandbox.answers import Json

SUBSIDY: Json = {
    "order_product_coupon_info_list": [{"user_coupon_id": "8800001", "coupon_type": 4}],
    "national_subsidy_discounted_price": 50000,
    "national_subsidy_merchant_discounted_price": 0,
}
LOCAL_SUBSIDY: Json = {"order_product_coupon_info_list": [{"user_coupon_id": "8800002", "coupon_type": 5}]}
GIFT: Json = {"is_free_gift": 1, "sale_price": 0, "real_price": 0}
PRESALE: Json = {"sku_deliver_info": {"stock_type": 1, "full_payment_presale_delivery_type": 0}}
NEW_ADDRESS: Json = {
    "user_name": "林**",
    "province_name": "广东省",
    "city_name": "佛山市",
    "county_name": "南海区",
    "detail_info": "****",
    "tel_number": "183****2807",
}


@dataclass(frozen=True)
class Scene:
    """One order.

    ``goods`` reads "phone*1 case*2"; ``due`` is hours from seeding to the deadline (negative: overdue);
    ``parcels`` are (delivery_id, waybill_id, goods) already sent; ``line`` holds extra members per line
    number; ``more`` are keywords of ``build.order``; ``status`` overrides what the parcels make of it;
    ``buyer`` picks a person (None: everyone another).
    """

    goods: str
    due: float = 46.0
    parcels: tuple[tuple[str, str, str], ...] = ()
    line: dict[int, Json] = field(default_factory=dict)
    more: Json = field(default_factory=dict)
    status: int | None = None
    buyer: int | None = None


def _notes(customer: str = "", merchant: str = "") -> Json:
    return {"customer_notes": customer, "merchant_notes": merchant}


def _inspected(kind: int, status: int) -> Json:
    return {"quality_inspect_type": kind, "quality_inspect_info": {"inspect_status": status}}


def _sku_change(old: str, new: str) -> Json:
    return {
        "change_sku_info": {"preshipment_change_sku_state": 3, "old_sku_id": old, "new_sku_id": new},
    }


VIRTUAL: Json = {"deliver_method": 1}
ALSO_VIRTUAL: Json = {"deliver_method": 3}
AFTERSALE: Json = {
    "aftersale_detail": {
        "aftersale_order_list": [{"aftersale_order_id": "2000000000380001"}],
        "on_aftersale_order_cnt": 1,
    }
}

DIGITAL_SCENES = [
    Scene("phone*1", -0.2, more=_notes("麻烦今天一定发出")),
    Scene("charger*1 cable_b*2", -0.75, more=_notes(merchant="已催仓库,缺一根 2 米线")),
    Scene("buds*1", 2, more=_notes("请发顺丰")),
    Scene("phone_b*1 case*1 film*2", 2),
    Scene("cable*6", 12, more=_notes("公司采购,一起发")),
    Scene("keyboard*1 mouse*1", 12),
    Scene("phone*1", 40, line={1: SUBSIDY}, more=_notes(merchant="国补:发货前登记序列号和 IMEI")),
    Scene("tv*1", 30, line={1: SUBSIDY}, more=_notes("送货前电话联系")),
    Scene("laptop*1", 2, line={1: SUBSIDY}),
    Scene("monitor*1", 44, line={1: LOCAL_SUBSIDY}),
    Scene("watch*1 strap*1", 20, line={1: SUBSIDY}),
    Scene("tablet*1", -0.1, line={1: SUBSIDY}),
    Scene("drone*1", 24, more={"sandbox": {"sn_required": True}} | _notes(merchant="无人机也要登记序列号")),
    Scene("buds*2 buds_b*1", 10, (("SF", "SF3100000000101", "buds*1"),)),
    Scene("bank*3", 5, (("ZTO", "73100000000102", "bank*1"),)),
    Scene("phone*1 case*1 film*1", 1.5, (("JD", "JDVA00000000103", "phone*1"),)),
    Scene("mouse*1", 30, (("YTO", "YT3100000000104", "mouse*1"),)),
    Scene("cable*2", 30, (("STO", "773100000000105", "cable*2"),)),
    Scene("charger*1", 30, (("SF", "SF3100000000106", "charger*1"),), status=100),
    Scene("case*1 film*1", 30, (("YUNDA", "310000000000107", "case*1 film*1"),), status=100),
    Scene("keyboard*1", 40, status=250),
    Scene("buds_b*1", 40, status=200, line={1: {"finish_aftersale_sku_cnt": 1}}),
    Scene("tablet*1", 40, status=10),
    Scene("card*1", 20, more=VIRTUAL),
    Scene("card*2", 1, more=ALSO_VIRTUAL),
    Scene("watch*1", 18, line={1: {"on_aftersale_sku_cnt": 1}}, more=AFTERSALE | _notes("不想要了")),
    Scene("bank*3 cable*1", 26, line={1: {"finish_aftersale_sku_cnt": 1}}, more=_notes(merchant="已退一个")),
    Scene(
        "buds*1",
        8,
        more={"address_under_review": NEW_ADDRESS, "address_apply_time": 1} | _notes("地址写错了,已申请修改"),
    ),
    Scene("phone*1", 22, line={1: _sku_change("3096100001", "3096100002")}, more=_notes("想换成蓝色")),
    Scene("monitor*1", 160, line={1: PRESALE}),
    Scene("strap*1", 44, status=12, more={"is_present": True, "present_note": "生日快乐"}),
    Scene("charger*2", 44, status=13),
    Scene(
        "bank*1",
        1,
        more={
            "intra_city_order_info": {"shop_id": "2001", "predict_arrive_time_type": 0},
            **_notes("门店同城配送"),
        },
    ),
    Scene(
        "keyboard*1", 30, line={1: {"dropship_info": {"ds_order_id": "900001"}}}, more={"dropship_flag": 3}
    ),
    Scene("phone*1 case*1", 14, line={2: GIFT}, more=_notes(merchant="主品送磁吸壳")),
    Scene("film*1 film*1", 14, line={2: GIFT}, more=_notes(merchant="买一送一,同一 sku 两行")),
    Scene("cable*1", 9, buyer=900, more=_notes("和另一单一起发")),
    Scene("charger*1", 9, buyer=900, more=_notes("和另一单一起发")),
    Scene("case*1", 33, buyer=901),
    Scene("film*1", 33, buyer=901),
    Scene("tv*1", 36, more={"sandbox": {"ewaybill_required": True}} | _notes(merchant="平台要求电子面单")),
    Scene("laptop*1", 36, more={"sandbox": {"risk": True}} | _notes(merchant="平台风控核实中")),
]

STUDY_SCENES = [
    Scene("python*1", 3, more=VIRTUAL | {"sandbox": {"course_skus": ["3096110001"]}}),
    Scene(
        "pm*1", -0.3, more=VIRTUAL | {"sandbox": {"course_skus": ["3096110002"]}} | _notes("手机号就是微信号")
    ),
    Scene("draw*1", 12, more=VIRTUAL | {"sandbox": {"course_skus": ["3096110003"]}}),
    Scene("python*1 draw*1", 20, more=VIRTUAL | {"sandbox": {"course_skus": ["3096110001", "3096110003"]}}),
    Scene("python*1", 40, more=ALSO_VIRTUAL | {"sandbox": {"course_skus": ["3096110001"]}}),
    Scene("ebook*1", 2, more=VIRTUAL),
    Scene("ebook*3", 12, more=ALSO_VIRTUAL),
    Scene("vip*1", -0.15, more=VIRTUAL),
    Scene("vip*1 ebook*1", 24, more=VIRTUAL | _notes("会员开到这个微信")),
    Scene(
        "phone_up*1",
        0.5,
        more=VIRTUAL | {"recharge_info": {"account_no": "138****0561", "account_type": "phone_number"}},
    ),
    Scene("points*2", 6, more=VIRTUAL | {"recharge_info": {"account_no": "10****88", "account_type": "qq"}}),
    Scene(
        "mail_up*1",
        20,
        more=ALSO_VIRTUAL | {"recharge_info": {"account_no": "z***@example.com", "account_type": "mail"}},
    ),
    Scene("draw*1", 40, (("", "", "draw*1"),), more=VIRTUAL),
    Scene("vip*1", 40, (("", "", "vip*1"),), more=VIRTUAL, status=100),
    Scene("book*1", -0.2, more=_notes("请用硬纸盒,书角不要折")),
    Scene("books*1 diary*2", -1, more=_notes(merchant="缺货补到,今天必须发")),
    Scene("diary*10 pens*5", 2, more=_notes("学校订购,开发票")),
    Scene("lamp*1", 12),
    Scene("cup*4", 12, more=_notes("易碎品,多包两层")),
    Scene("towel*2 box*1", 44),
    Scene("diary*2 diary_b*2 pens*1", 10, (("ZTO", "73100000000201", "diary*2"),)),
    Scene("books*2", 5, (("EMS", "9100000000202", "books*1"),)),
    Scene("cup*2 box*1", 1.5, (("YTO", "YT3100000000203", "cup*2"),)),
    Scene("book*1", 30, (("YUNDA", "310000000000204", "book*1"),)),
    Scene("pens*3", 30, (("JTSD", "JT3100000000205", "pens*3"),)),
    Scene("lamp*1", 30, (("SF", "SF3100000000206", "lamp*1"),), status=100),
    Scene("towel*1", 40, status=250),
    Scene("book*1", 40, status=200, line={1: {"finish_aftersale_sku_cnt": 1}}),
    Scene("box*1", 40, status=10),
    Scene("lamp*1", 18, line={1: {"on_aftersale_sku_cnt": 1}}, more=AFTERSALE),
    Scene("diary*5", 26, line={1: {"finish_aftersale_sku_cnt": 2}}, more=_notes("退两本,其余照发")),
    Scene(
        "cup*1",
        8,
        more={"address_under_review": NEW_ADDRESS, "address_apply_time": 1} | _notes("搬家了,改地址"),
    ),
    Scene("diary*1", 22, line={1: _sku_change("3096110011", "3096110012")}, more=_notes("想换红色")),
    Scene("books*1", 240, line={1: PRESALE}),
    Scene("book*1", 44, status=12, more={"is_present": True, "present_note": "开学礼物"}),
    Scene("towel*3", 44, status=13),
    Scene("grape*2", 3, more=_inspected(2, 100)),
    Scene("grape*1", 6, more=_inspected(2, 202)),
    Scene("silver*1", 30, more=_inspected(1, 0)),
    Scene("grape*1", 0.8, more={"intra_city_order_info": {"shop_id": "3001", "predict_arrive_time_type": 1}}),
    Scene("box*1", 30, line={1: {"dropship_info": {"ds_order_id": "900002"}}}, more={"dropship_flag": 3}),
    Scene("books*1 bag*1", 14, line={2: GIFT}, more=_notes(merchant="整套送帆布袋")),
    Scene("pens*2 pens*1", 14, line={2: GIFT}, more=_notes(merchant="买二送一,同一 sku 两行")),
    Scene("book*1", 9, buyer=910, more=_notes("两单合一个包裹")),
    Scene("diary*1", 9, buyer=910, more=_notes("两单合一个包裹")),
    Scene("cup*1", 33, buyer=911),
    Scene("towel*1", 33, buyer=911),
    Scene("lamp*1", 36, more={"sandbox": {"online_waybill": True}} | _notes(merchant="已下在线物流单")),
]
