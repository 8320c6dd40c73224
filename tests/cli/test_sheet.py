"""The sheet read as rows: no database, every way a file is written or broken."""

from datetime import UTC, datetime

import pytest

from shipping.drafts import CourseDraft, Goods, Item, OrderFacts, Problem, SerialDraft
from shipping.sheets import (
    SheetOrder,
    UnusableSheet,
    is_virtual,
    moment,
    number,
    place,
    read_sheet,
    sheet_problems,
    to_draft,
)

FACTS = OrderFacts("37", deliver_method=0, goods=(Goods("P", "S", ordered=3), Goods("Q", "T", ordered=1)))


def sheet(text: str) -> list[SheetOrder]:
    return read_sheet(text.encode())


def one(text: str) -> SheetOrder:
    (order,) = sheet(text)
    return order


def problems(text: str) -> list[tuple[int, str, int | str | None]]:
    found = sheet_problems(one(text))
    return [(row, column, problem.errcode or problem.slug) for row, column, problem in found]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b"", "order_id"),
        (b"waybill_id\nSF1\n", "order_id"),
        (b"order_id,colour\n37,red\n", "colour"),
        (b"order_id,,waybill_id\n37,,SF1\n", "空"),
        (b"order_id,order_id\n37,37\n", "重复"),
        (b"order_id\n\xff\xff\x81\x20", "UTF-8"),
        (b"order_id,waybill_id\n37,SF1,oops\n", "第 2 行"),
        (b'order_id\n"' + b"3" * 200_000 + b'"\n', "CSV"),
    ],
)
def test_an_unusable_file_says_why(raw: bytes, names: str) -> None:
    with pytest.raises(UnusableSheet) as end:
        read_sheet(raw)
    assert names in str(end.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_read_alike(encoding: str, newline: str) -> None:
    text = newline.join([" waybill_id , order_id,,", "SF1, 37 ,,", ",,,", "SF2,,,"])
    (order,) = read_sheet(text.encode(encoding))
    assert (order.order_id, [row.number for row in order.rows]) == ("37", [2, 4])


def test_row_counts_a_cell_of_several_lines_as_one_row() -> None:
    order = one('order_id,wxa_path\n37,"a\nb"\n,c\n')
    assert [row.number for row in order.rows] == [2, 3]


def test_an_order_that_comes_back_later_is_the_same_order() -> None:
    orders = sheet("order_id,waybill_id\n37,A1\n38,B1\n,B2\n37,A2\n")
    assert [(o.order_id, len(o.packages)) for o in orders] == [("37", 2), ("38", 2)]


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [
        (["37,1,SF1,P,S,", "37,1,SF1,Q,T,"], [2]),
        (["37,1,sf 1,P,S,", "37,1,ＳＦ1,Q,T,"], [2]),
        (["37,1,SF1,P,S,", "37,1,SF2,Q,T,"], [1, 1]),
        (["37,3,,P,S,", "37,,,Q,T,"], [2]),
        (["37,3,,P,S,wx1", "37,3,,Q,T,wx1"], [1, 1]),
        (["37,3,,P,S,wx1", "37,3,,P,S,"], [2]),
        (["37,3,,P,S,wx1", "37,3,,Q,T,"], [1, 1]),
    ],
)
def test_rows_make_packages(rows: list[str], sizes: list[int]) -> None:
    order = one("order_id,deliver_type,waybill_id,product_id,sku_id,wxa_appid\n" + "\n".join(rows))
    assert [len(package.rows) for package in order.packages] == sizes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("0", 0), ("-1", -1), ("12", 12), ("1.0", "1.0"), ("x", "x"), ("--1", "--1"), ("-", "-"),
        ("²", "²"), ("１", "１"), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_a_number_is_a_number_or_stays_text(text: str, value: int | str | None) -> None:
    assert number(text) == value


def test_times_are_seconds_or_beijing_minutes() -> None:
    assert moment("1600000000") == 1600000000
    assert moment("2026-11-24 08:30") == int(datetime(2026, 11, 24, 0, 30, tzinfo=UTC).timestamp())
    assert moment("tomorrow") == "tomorrow"
    assert moment("2026-13-01 08:30") == "2026-13-01 08:30"
    assert moment("") is None


@pytest.mark.parametrize(
    ("cells", "items"),
    [
        (",,", None),
        ("P,S,2", (Item("P", "S", 2),)),
        ("P,S,", (Item("P", "S", 3),)),
        ("P,,", (Item("P", "S", 3),)),
        ("X,,1", (Item("X", "", 1),)),
        (",S,1", (Item("", "S", 1),)),
        (",,2", (Item("", "", 2),)),
        ("P,S,two", (Item("P", "S", "two"),)),
    ],
)
def test_blank_goods_mean_all_and_a_count_alone_is_never_lost(
    cells: str, items: tuple[Item, ...] | None
) -> None:
    order = one(f"order_id,product_id,sku_id,product_cnt\n37,{cells}\n")
    assert to_draft("37", order.packages, FACTS).packages[0].items == items


def test_a_product_of_two_skus_is_not_guessed() -> None:
    facts = OrderFacts("37", goods=(Goods("P", "S", ordered=1), Goods("P", "S2", ordered=1)))
    order = one("order_id,product_id\n37,P\n")
    assert to_draft("37", order.packages, facts).packages[0].items == (Item("P", "", 1),)


def test_package_fields_may_stand_on_any_row() -> None:
    order = one(
        "order_id,waybill_id,delivery_id,product_id,sku_id,sn_code,imei1,wxa_appid,wxa_path,end_time\n"
        "37,SF1,,P,S,,,,pages/a,\n,SF1,SF,Q,T,,,,,9\n,SF1,,,,SN1,4901,wx1,,\n"
    )
    (package,) = to_draft("37", order.packages, FACTS).packages
    assert (package.delivery_id, len(package.items or ())) == ("SF", 2)
    assert package.serial == SerialDraft("SN1", "4901", "")
    assert package.course == CourseDraft(None, 9, "wx1", "pages/a")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order_id,waybill_id\n37,A1\n", []),
        ("order_id,waybill_id\n,A1\n", [(2, "order_id", 40097)]),
        ("order_id,waybill_id\n3.71E+18,A1\n", [(2, "order_id", 40097)]),
        ("order_id,waybill_id\n37,7.7E+14\n", [(2, "waybill_id", 40097)]),
        ("order_id,imei2\n37,\n,4.9E+14\n", [(3, "imei2", 40097)]),
        (
            "order_id,waybill_id\n37,A1\n,A2\n",
            [(2, "product_id", "goods_blank_in_many"), (3, "product_id", "goods_blank_in_many")],
        ),
        ("order_id,waybill_id,delivery_id\n37,A1,SF\n,A1,\n,A1,sf\n", []),
        (
            "order_id,waybill_id,delivery_id\n37,A1,SF\n,A1,\n,A1,ZTO\n,A1,\n",
            [(4, "delivery_id", "package_rows_differ")],
        ),
    ],
)
def test_what_the_rows_themselves_get_wrong(text: str, found: list[tuple[int, str, int | str]]) -> None:
    assert problems(text) == found


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("order", (2, "order_id")),
        ("packages[0].waybill_id", (2, "waybill_id")),
        ("packages[0].delivery_id", (3, "delivery_id")),
        ("packages[0].items", (2, "product_id")),
        ("packages[0].items[1].product_cnt", (4, "product_cnt")),
        ("packages[1].serial.sn_code", (5, "sn_code")),
        ("packages[1].course", (5, "wxa_appid")),
        ("packages[9].items", (2, "order_id")),
    ],
)
def test_a_problem_stands_in_its_cell(path: str, where: tuple[int, str]) -> None:
    order = one(
        "order_id,waybill_id,delivery_id,product_id,sn_code\n37,A1,,P,\n,A1,SF,,\n,A1,,Q,\n,A2,SF,P,SN1\n"
    )
    assert place(Problem(path), order.packages, order) == where


def test_a_blank_type_follows_the_order() -> None:
    package = one("order_id\n37\n").packages[0]
    assert not is_virtual(package, FACTS)
    assert is_virtual(package, OrderFacts("37", deliver_method=1))
