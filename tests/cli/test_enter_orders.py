"""`manage.py enter_orders`: orders of a store that nobody may read, and the blanks of a ship file filled from them."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sandbox import build
from shipping.models import Order, OrderLine
from tests.conftest import APPID, SECRET

pytestmark = pytest.mark.django_db(transaction=True)


def run(tmp_path: Path, command: str, text: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    path, out, code = tmp_path / "rows.csv", StringIO(), 0
    path.write_text(text, encoding="utf-8")
    try:
        call_command(command, str(path), "--merchant", APPID, "--json", *options, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_entered_orders_ship_by_a_file_with_blanks(world: Any, tmp_path: Path) -> None:
    world.remote.merchant(APPID, SECRET, denied=["order/get", "order/list/get"])
    made = world.remote.order(APPID, [build.line("1001", "2001", 2), build.line("1002", "2002", 1)])[
        "order_id"
    ]
    rows = f"order_id,product_id,sku_id,product_cnt\n{made},1001,2001,2\n,1002,2002,1\n"
    assert run(tmp_path, "enter_orders", rows, "--dry-run")[1][0]["status"] == "ready"
    assert not Order.objects.exists()
    assert [run(tmp_path, "enter_orders", rows)[1][0]["status"] for _ in range(2)] == ["added", "same"]
    parcels = f"order_id,delivery_id,waybill_id\n{made},SF,SF3100000000001\n"
    code, lines = run(tmp_path, "ship", parcels, "--wait", "20")
    assert (code, lines[0]["status"]) == (0, "shipped")
    assert {found["slug"] for found in lines[0]["problems"]} == {"order_entered"}
    sent = world.remote.truth(made)["order_detail"]["delivery_info"]["delivery_product_info"]
    assert sorted(goods["product_cnt"] for goods in sent[0]["product_infos"]) == [1, 2]
    assert Order.objects.get().status == 30
    assert run(tmp_path, "ship", parcels, "--wait", "20")[1][0]["status"] == "shipped"


def test_a_wrong_order_is_named_and_the_others_are_entered(world: Any, tmp_path: Path) -> None:
    rows = "order_id,product_id,sku_id,product_cnt\n3.7E+18,1,2,1\n370,1001,2001,1\n371,,2001,1\n"
    code, lines = run(tmp_path, "enter_orders", rows)
    assert code == 1
    assert [(body["status"], [p["column"] for p in body["problems"]]) for body in lines] == [
        ("invalid", ["order_id"]), ("added", []), ("invalid", ["product_id"]),
    ]  # fmt: skip
    assert OrderLine.objects.get().order.order_id == "370"
    with pytest.raises(CommandError, match="不认识的列"):
        run(tmp_path, "enter_orders", "waybill_id\nx\n")
