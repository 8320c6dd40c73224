"""The catalogue of the two ordinary demonstration shops, and who buys there."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import build
from sandbox.answers import Json


@dataclass(frozen=True)
class Article:
    """One sku. ``attrs`` reads "颜色:曜石黑;版本:12+256GB"; ``price`` is fen; ``glyph`` is on its picture."""

    product_id: str
    sku_id: str
    title: str
    attrs: str
    price: int
    glyph: str
    sku_code: str


def shelf(name: str) -> dict[str, Article]:
    """The articles of one shelf of catalogue.csv, by key."""
    text = Path(__file__).with_name("catalogue.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row.pop("shelf") == name]
    return {row.pop("key"): _article(row) for row in rows}


def _article(row: dict[str, Any]) -> Article:
    return Article(**row | {"price": int(row["price"])})


BUYERS = [
    ("林**", "广东省 广州市 海珠区", "183****2807"),
    ("王**", "浙江省 杭州市 余杭区", "138****0561"),
    ("陈*", "上海市 上海市 浦东新区", "159****7732"),
    ("李**", "四川省 成都市 武侯区", "177****9014"),
    ("赵*", "北京市 北京市 海淀区", "136****4450"),
    ("黄**", "福建省 厦门市 思明区", "189****3328"),
    ("周*", "江苏省 苏州市 工业园区", "150****6179"),
    ("吴**", "湖北省 武汉市 洪山区", "132****8845"),
    ("徐*", "山东省 青岛市 市南区", "186****2093"),
    ("欧**", "广西壮族自治区 南宁市 青秀区", "139****5517"),
    ("马*", "陕西省 西安市 雁塔区", "155****7460"),
    ("何**", "湖南省 长沙市 岳麓区", "187****1182"),
    ("郭*", "河南省 郑州市 金水区", "151****9926"),
    ("杨**", "云南省 昆明市 五华区", "133****4073"),
    ("孙*", "辽宁省 大连市 中山区", "158****6638"),
    ("阿**", "新疆维吾尔自治区 乌鲁木齐市 天山区", "180****2251"),
]


def order_line(article: Article, pieces: int, **more: object) -> Json:
    """The article as an order line."""
    attrs = (attr.split(":") for attr in article.attrs.split(";"))
    return build.line(
        article.product_id,
        article.sku_id,
        pieces,
        **{
            "title": article.title,
            "thumb_img": build.picture(article.glyph),
            "sku_code": article.sku_code,
            "sku_attrs": [{"attr_key": key, "attr_value": value} for key, value in attrs],
            "sale_price": article.price,
            "market_price": article.price * 6 // 5,
            **more,
        },
    )


def buyer(number: int) -> Json:
    """Top-level and address members for the nth buyer; the same number is the same person and door."""
    name, place, phone = BUYERS[number % len(BUYERS)]
    return {
        "openid": f"oDemoBuyer{number:018d}",
        "address_info": build.address(name, place, phone, f"hash{number:06d}"),
    }
