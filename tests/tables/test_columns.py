"""The header styles of shops, malls, ERPs and tools (FEATURES, d), as files of their own kind."""

from collections.abc import Sequence

import pytest

from shipping.tables.columns import normalised, recognise
from shipping.tables.reading import Table, open_table, pasted_table

from . import made

ID, NUMBER = "3712721703692901632", "SF3100000000001"
FOUND = {"order_id": ID, "delivery_id": "顺丰", "waybill_id": NUMBER}


def row(columns: Sequence[str], **cells: str) -> list[str]:
    return [cells.get(name, "") for name in columns]


def picked(table: Table) -> dict[str, str]:
    mapping, first = table.mapping(), next(table.rows)
    return {name: first.cell(column) for name, column in mapping.fields.items() if first.cell(column)}


# The name of the style, the separator, its header rows, one row in its order, what must be found in it.
STYLES = [
    ("woo", ",", ["order_number,tracking_number,shipment_provider,tracking_url,items"], [ID, NUMBER, "顺丰", "u", "1:2"], FOUND),
    ("woo aliases", ",", ["Order No,tracking-num,Shipping Carrier,URL"], [ID, NUMBER, "顺丰", "u"], FOUND),
    ("ast", ",", ["order_id,tracking_provider,tracking_number,date_shipped,status_shipped,sku,qty,shipping_note"],
     [ID, "顺丰", NUMBER, "24-11-2026", "1", "2001", "2", ""], FOUND | {"sku_id": "2001", "product_cnt": "2"}),
    ("aftership woo", ",", ["Order ID,Order Number,Tracking Number,Carrier Name"], [ID, "#1001", NUMBER, "顺丰"], FOUND),
    ("aftership", ",", ["tracking_number,courier,order_id,title,order_path"], [NUMBER, "顺丰", ID, "t", "p"], FOUND),
    ("amazon", "\t", ["order-id\torder-item-id\tquantity\tship-date\tcarrier-code\tcarrier-name\ttracking-number"],
     [ID, "9", "2", "", "SF", "顺丰", NUMBER], FOUND | {"delivery_id": "SF", "product_cnt": "2"}),
    ("ycloud", ",", ["Order_ID,Shipping_Carrier,Tracking_Number,Tracking_Url"], [ID, "顺丰", NUMBER, ""], FOUND),
    ("shopify", ",", ["Name,trackingCompany,trackingNumbers"], [f"#{ID}", "顺丰", NUMBER], FOUND | {"order_id": f"#{ID}"}),
    ("karrio", ",", ["Order number,Item sku,Item quantity,Tracking number,Carrier,Status,Options"],
     [ID, "A-1", "2", NUMBER, "顺丰", "", ""], FOUND | {"sku_code": "A-1", "product_cnt": "2"}),
    ("maxpho", ";", ["order_id;tracking_code;tracking_number;status"], [ID, "顺丰", NUMBER, "x"], FOUND),
    ("a code beside a courier", ",", ["order,courier,tracking code"], [ID, "顺丰", NUMBER], FOUND),
    ("crmeb", ",", ["订单ID,订单号,快递名称,快递编码,快递单号,收货人姓名,收货人电话,收货地址,商品信息,实际支付,用户备注"],
     ["7", ID, "顺丰", "SF", NUMBER, "张三", "138", "某地", "x", "9.9", ""], FOUND | {"delivery_id": "SF"}),
    ("pinduoduo", ",", ["订单号,快递公司,快递单号", "order_sn,shipping_name,shipping_sn"], [ID, "顺丰", NUMBER], FOUND),
    ("mall", ",", ["订单编号,快递公司,快递单号"], [ID, "顺丰", NUMBER], FOUND),
    ("mall by sku", ",", ["订单号,商品编码,物流公司,物流单号,发货备注"], [ID, "A-1", "顺丰", NUMBER, "轻放"],
     FOUND | {"sku_code": "A-1", "note": "轻放"}),
    ("mall by code", ",", ["订单号,快递公司编码,运单号"], [ID, "SF", NUMBER], FOUND | {"delivery_id": "SF"}),
    ("numbers alone", ",", ["订单号,物流单号"], [ID, NUMBER], {"order_id": ID, "waybill_id": NUMBER}),
    ("with outcomes", ",", ["订单ID,物流公司,物流单号,处理状态,异常原因"], [ID, "顺丰", NUMBER, "失败", "x"], FOUND),
    ("bzfshop", ",", ["填入快递ID,填入快递单号,子订单ID号"], ["顺丰", NUMBER, "9"],
     {"delivery_id": "顺丰", "waybill_id": NUMBER}),
    ("supplier", ",", ["订单号,商品ID,订单商品ID,可发货数量,物流公司,物流单号"], [ID, "1001", "9", "2", "顺丰", NUMBER],
     FOUND | {"product_id": "1001", "product_cnt": "2"}),
    ("three header rows", ",", ["发货单,,", "订单信息,物流信息,", "订单号（必填）,物流公司（必填）,物流单号"], [ID, "顺丰", NUMBER], FOUND),
    ("jushuitan", ",", ["内部订单号,线上订单号,快递公司,快递单号"], ["11", ID, "顺丰", NUMBER], FOUND),
    ("taobao", ",", ["主订单编号,子订单编号,物流公司,运单号"], [ID, "9", "顺丰", NUMBER], FOUND),
    ("doudian", ",", ["父订单编号,快递公司,快递单号"], [ID, "顺丰", NUMBER], FOUND),
    ("korean", ",", ["주문번호,택배사,송장번호"], [ID, "顺丰", NUMBER], FOUND),
    ("wangdian", ",", ["原始单号,物流公司,物流单号"], [ID, "顺丰", NUMBER], FOUND),
    ("subsidy", ",", ["订单号,快递公司,快递单号,国补SN码,IMEI码1,imei2"], [ID, "顺丰", NUMBER, "SN1", "I1", "I2"],
     FOUND | {"sn_code": "SN1", "imei1": "I1", "imei2": "I2"}),
    ("course", ",", ["订单号,课程开始时间,课程结束时间,小程序AppID,小程序路径"],
     [ID, "2026-11-24 08:30", "", "wx1", "pages/a"],
     {"order_id": ID, "start_time": "2026-11-24 08:30", "wxa_appid": "wx1", "wxa_path": "pages/a"}),
    ("our own", ",", ["order_id,deliver_type,delivery_id,waybill_id,product_id,sku_id,product_cnt"],
     [ID, "1", "顺丰", NUMBER, "1", "2", "3"],
     FOUND | {"deliver_type": "1", "product_id": "1", "sku_id": "2", "product_cnt": "3"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("separator", "header", "cells", "found"), [s[1:] for s in STYLES], ids=[s[0] for s in STYLES]
)
@pytest.mark.parametrize("kind", ["csv", "xlsx", "pasted"])
def test_every_header_style_is_known(
    kind: str, separator: str, header: list[str], cells: list[str], found: dict[str, str]
) -> None:
    rows = [*(line.split(separator) for line in header), cells]
    if kind == "xlsx":
        table = open_table(made.xlsx(rows), "a.xlsx")
    elif kind == "pasted":
        table = pasted_table("\n".join("\t".join(line) for line in rows))
    else:
        table = open_table("\n".join(separator.join(line) for line in rows).encode(), "a.csv")
    assert picked(table) == found
    assert [row.number for row in table.rows] == []
    assert table.sample[0].number == len(rows)


def test_a_name_merged_over_two_rows_is_found_above() -> None:
    table = pasted_table("订单号\t物流信息\t\n\t快递公司\t快递单号\n37\t顺丰\tSF1\n")
    assert table.columns == ["订单号", "快递公司", "快递单号"]


def test_the_name_of_a_courier_stands_beside_its_code() -> None:
    mapping = recognise(["订单号", "快递公司", "快递公司编码"])
    assert (mapping.fields["delivery_id"], mapping.courier_name) == (2, 1)


def test_what_is_not_known_is_asked_and_personal_data_is_not() -> None:
    mapping = recognise(["订单号", "颜色", "收货人手机", "快递单号*", "订单商品ID", ""])
    assert (mapping.unrecognised, mapping.unused) == ((1, 4), (2,))


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("\ufeffTracking Number", "trackingnumber"),
        ("快递单号（必填）", "快递单号(必填)"),
        (" Order_No. ", "orderno"),
        ("ＩＤ", "id"),
    ],
)
def test_headers_are_compared_by_their_letters(header: str, key: str) -> None:
    assert normalised(header) == key


def test_rows_without_a_header_are_told_by_what_they_hold() -> None:
    table = pasted_table(f"{ID}\t顺丰速运\t{NUMBER}\t2\n3712721703692901633\t中通\t75312345678901\t1\n")
    assert (table.header_rows, table.columns) == (0, ["", "", "", ""])
    mapping = table.mapping()
    assert (mapping.fields, mapping.guessed) == ({"order_id": 0, "delivery_id": 1, "waybill_id": 2}, True)
    assert mapping.unrecognised == (3,)
    assert [row.number for row in table.rows] == [1, 2]
