"""The CLI door from outside: files in, JSON lines and exit codes out."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sandbox import build
from shipping.models import Package, Shipment
from tests.conftest import APPID

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ship(world: Any, tmp_path: Path) -> Any:
    def run(text: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
        path, out = tmp_path / "parcels.csv", StringIO()
        path.write_text(text, encoding="utf-8-sig")
        try:
            call_command("ship", str(path), "--merchant", APPID, "--json", *options, stdout=out)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    return run


def test_a_file_ships_and_the_same_file_again_ships_nothing(world: Any, ship: Any) -> None:
    order = world.order([build.line("1001", "2001", 2)])
    text = f"waybill_id,order_id,delivery_id\nsf3100000000001,{order.order_id},SF\n"
    code, lines = ship(text, "--wait", "20")
    assert (code, lines[0]["status"]) == (0, "shipped")
    assert lines[0]["packages"][0]["waybill_id"] == "SF3100000000001"
    again = ship(text, "--wait", "20")
    assert (again[0], again[1][0]["status"]) == (0, "shipped")
    assert len(world.sends(order)) == 1


def test_blank_order_cells_and_split_counts_make_two_packages(world: Any, ship: Any) -> None:
    order = world.order([build.line("1001", "2001", 3)])
    text = (
        "order_id,delivery_id,waybill_id,product_id,sku_id,product_cnt\n"
        f"{order.order_id},SF,SF3100000000001,1001,2001,2\n,SF,SF3100000000002,1001,2001,1\n"
    )
    assert ship(text, "--wait", "20")[1][0]["status"] == "shipped"
    body = json.loads(world.sends(order)[0]["body"])
    assert [p["product_infos"][0]["product_cnt"] for p in body["delivery_list"]] == [2, 1]


def test_bad_orders_name_row_and_column_and_good_ones_ship(world: Any, ship: Any) -> None:
    good, bad = world.order(), world.order()
    text = (
        "order_id,delivery_id,waybill_id,product_id,sku_id,product_cnt\n"
        f"{good.order_id},SF,SF3100000000001,,,\n{bad.order_id},NOPE,SF3100000000002,,,\n"
        "3799999999999999999,SF,SF3100000000003,,,\n"
    )
    code, lines = ship(text, "--wait", "20")
    assert code == 1
    assert [line["status"] for line in lines] == ["shipped", "invalid", "invalid"]
    problem = lines[1]["problems"][0]
    assert (problem["row"], problem["column"], problem["errcode"]) == (3, "delivery_id", 606004)
    assert lines[2]["problems"][0]["errcode"] == 100002


@pytest.mark.parametrize(
    ("row", "column", "errcode"),
    [
        ("ID,1,SF,,,,", "waybill_id", 606005),
        ("ID,1,SF,SF31#,,,", "waybill_id", 606005),
        ("ID,3,,,,,", "deliver_type", 606008),
        ("ID,1,SF,SF3100000000001,9,9,1", "product_id", 606031),
        ("ID,1,SF,SF3100000000001,1001,2001,3", "product_cnt", 109000),
        ("ID,1,SF,SF3100000000001,1001,2001,x", "product_cnt", 47001),
        ("ID,1,SF,SF3100000000001,1001,2001,0", "product_cnt", 40097),
    ],
)
def test_a_dry_run_finds_what_is_wrong_and_writes_nothing(
    world: Any, ship: Any, row: str, column: str, errcode: int
) -> None:
    order = world.order([build.line("1001", "2001", 2)])
    header = "order_id,deliver_type,delivery_id,waybill_id,product_id,sku_id,product_cnt\n"
    code, lines = ship(header + row.replace("ID", order.order_id), "--dry-run")
    found = [(p["column"], p["errcode"]) for p in lines[0]["problems"] if p["stops"]]
    assert (code, lines[0]["status"]) == (1, "invalid")
    assert (column, errcode) in found
    assert not Shipment.objects.exists()


def test_a_dry_run_says_ready(world: Any, ship: Any) -> None:
    order = world.order()
    code, lines = ship(f"order_id,delivery_id,waybill_id\n{order.order_id},SF,SF3100000000001\n", "--dry-run")
    assert (code, lines[0]["status"], lines[0]["packages"][0]["status"]) == (0, "ready", "ready")
    assert not Package.objects.exists()


def test_a_rejected_row_is_queued_again_in_a_shipment_that_names_the_old_one(world: Any, ship: Any) -> None:
    order = world.order()
    text = f"order_id,delivery_id,waybill_id\n{order.order_id},SF,SF3100000000001\n"
    world.remote.fault("code", errcode=606005)
    code, lines = ship(text, "--wait", "20")
    assert (code, lines[0]["packages"][0]["errcode"]) == (1, 606005)
    assert lines[0]["packages"][0]["means"]
    assert ship(text, "--wait", "20")[1][0]["status"] == "shipped"
    first, second = Shipment.objects.order_by("pk")
    assert second.corrects == first


@pytest.mark.parametrize("text", ["order_id,colour\n1,red\n", "waybill_id\nSF1\n", ""])
def test_an_unusable_file_ends_with_2(ship: Any, text: str) -> None:
    with pytest.raises(CommandError) as end:
        ship(text)
    assert end.value.returncode == 2
