"""The CLI door takes what the upload page takes: workbooks, other names of columns, couriers by name."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sandbox import build
from shipping.models import OrderLine, Shipment
from shipping.sheets import SheetOrder, UnusableSheet, read_sheet, sheet_problems
from tests.conftest import APPID
from tests.tables import made

HEADER = ["订单号", "物流公司", "物流单号", "商家编码", "数量", "备注"]
SF = "SF3100000000001"


def run(path: Path, data: bytes, *options: str) -> tuple[int, list[dict[str, Any]]]:
    out, code = StringIO(), 0
    path.write_bytes(data)
    try:
        call_command("ship", str(path), "--merchant", APPID, "--json", *options, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.django_db(transaction=True)
def test_a_workbook_of_a_warehouse_ships(world: Any, tmp_path: Path) -> None:
    order = world.order([build.line("1001", "2001", 2), build.line("1002", "2002", 1)])
    OrderLine.objects.filter(order=order, sku_id="2001").update(sku_code="A-1")
    rows = [HEADER, [order.order_id, "顺丰快递", SF, "a-1", 2.0, "轻放"]]
    code, lines = run(tmp_path / "parcels.xlsx", made.xlsx(rows), "--wait", "20")
    assert (code, lines[0]["status"], lines[0]["packages"][0]["delivery_id"]) == (0, "shipped", "SF")
    (send,) = world.sends(order)
    assert json.loads(send["body"])["delivery_list"][0]["product_infos"] == [
        {"product_id": "1001", "sku_id": "2001", "product_cnt": 2}
    ]


@pytest.mark.django_db(transaction=True)
def test_a_destroyed_number_is_named_and_nothing_is_sent(world: Any, tmp_path: Path) -> None:
    order = world.order()
    rows = [HEADER[:3], [order.order_id, "SF", 3.1000000000000011e18]]
    code, lines = run(tmp_path / "parcels.xlsx", made.xlsx(rows))
    problem = lines[0]["problems"][0]
    assert (code, problem["row"], problem["column"]) == (1, 2, "waybill_id")
    assert (problem["errcode"], problem["slug"]) == (40097, "digits_lost")
    assert "15 位" in problem["message"]
    assert not Shipment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_column_nobody_knows_is_said_on_the_command_line(world: Any, tmp_path: Path) -> None:
    order = world.order()
    data = f"订单号,承运,快递单号,颜色\n{order.order_id},顺丰,{SF},红\n".encode("gb18030")
    with pytest.raises(CommandError, match=r"承运.*颜色") as end:
        run(tmp_path / "parcels.csv", data)
    assert end.value.returncode == 2
    answers = ("--column", "承运=delivery_id", "--column", "颜色=ignored", "--dry-run")
    code, lines = run(tmp_path / "parcels.csv", data, *answers)
    assert (code, lines[0]["packages"][0]["delivery_id"]) == (0, "SF")
    with pytest.raises(CommandError):
        run(tmp_path / "parcels.csv", data, "--column", "颜色=colour")


def one(data: bytes) -> SheetOrder:
    (order,) = read_sheet(data)
    return order


@pytest.mark.parametrize("mark", [";", "\t", "，"])
def test_a_file_cut_by_another_sign_reads_alike(mark: str) -> None:
    order = one(mark.join(["order_id", "waybill_id"]).encode() + mark.join(["\n37", "SF1"]).encode())
    assert (order.order_id, order.waybills) == ("37", {"SF1"})


def test_a_cell_that_is_an_error_stops_the_rows_it_stands_among() -> None:
    order = one(b"order_id,waybill_id,product_cnt\n37,SF1,1\n,SF2,#N/A\n")
    found = [(row, column, problem.slug) for row, column, problem in sheet_problems(order)]
    assert (3, "product_cnt", "formula_error") in found


def test_ids_are_read_in_their_plain_spelling() -> None:
    order = one('order_id,product_id,sku_id\n"=""３７""",10 01,2001.0\n'.encode())
    assert (order.order_id, order.rows[0].cells) == (
        "37",
        {"order_id": "37", "product_id": "1001", "sku_id": "2001"},
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"37\n38\n", "不认识"), (b"3712721703692901632,SF1\n", "order_id"), (b"%PDF-1.7", "PDF")],
)
def test_a_file_without_a_header_is_unusable(data: bytes, words: str) -> None:
    with pytest.raises(UnusableSheet, match=words):
        read_sheet(data)
