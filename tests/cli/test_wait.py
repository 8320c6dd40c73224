"""`ship` when the platform is slow or mute, or when somebody else is at it at the same time."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from merchants.models import Credential, Merchant
from sandbox import build
from shipping import shipfile
from shipping.models import Order, Package, Shipment
from shipping.sheets import read_sheet
from tests.conftest import APPID

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "order_id,delivery_id,waybill_id,product_id,sku_id,product_cnt\n"
SF = "SF3100000000001"


def ship(path: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    out, code = StringIO(), 0
    try:
        call_command("ship", str(path), "--merchant", APPID, "--json", *options, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def sheet(folder: Path, *rows: str) -> Path:
    path = folder / "parcels.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("call", ["order/get", "order/delivery/send", "cgi-bin/stable_token"])
def test_wait_ends_in_time_however_slow_the_platform(
    world: Any, tmp_path: Path, settings: Any, call: str
) -> None:
    settings.WECHAT_TIMEOUT = (3.0, 10.0, 15.0)
    made = [world.remote.order(APPID, [build.line("1001", "2001", 1)]) for _ in range(3)]
    world.remote.fault("timeout_not_accepted", call=call, times=0, seconds=6)
    if call == "cgi-bin/stable_token":
        Credential.objects.update(access_token="", token_expires_at=None)
    path = sheet(tmp_path, *(f"{order['order_id']},SF,{SF},1001,2001,1" for order in made))
    began = time.monotonic()
    code, lines = ship(path, "--wait", "1.5")
    assert time.monotonic() - began < 6, "it did not wait for the platform, which takes six seconds"
    assert (code, len(lines)) == (1, 3)


def test_an_order_that_could_not_be_read_is_shipped_with_a_warning(world: Any, tmp_path: Path) -> None:
    made = world.remote.order(APPID, [build.line("1001", "2001", 1)])
    world.remote.fault("code", call="order/get", errcode=48001, times=0)
    path = sheet(tmp_path, f"{made['order_id']},SF,{SF},1001,2001,1")
    code, lines = ship(path, "--wait", "10")
    told = [(problem["slug"], problem["stops"]) for problem in lines[0]["problems"]]
    assert (code, lines[0]["status"], told) == (0, "shipped", [("facts_never_read", False)])


@pytest.mark.parametrize("errcode", [40097, 47001, -1])
def test_only_100002_says_that_there_is_no_such_order(world: Any, tmp_path: Path, errcode: int) -> None:
    made = world.remote.order(APPID, [build.line("1001", "2001", 1)])
    world.remote.fault("code", call="order/get", errcode=errcode, times=0)
    assert ship(sheet(tmp_path, f"{made['order_id']},SF,{SF},1001,2001,1"))[1][0]["status"] == "queued"


@pytest.mark.parametrize("goods", [",,", "1001,2001,", "1001,,1"])
def test_blanks_of_an_order_that_could_not_be_read_stop(world: Any, tmp_path: Path, goods: str) -> None:
    made = world.remote.order(APPID, [build.line("1001", "2001", 2)])
    world.remote.fault("code", call="order/get", errcode=-1, times=0)
    code, lines = ship(sheet(tmp_path, f"{made['order_id']},SF,{SF},{goods}"))
    assert (code, [problem["slug"] for problem in lines[0]["problems"]]) == (1, ["facts_unreadable"])
    assert not Package.objects.exists()


def test_old_facts_are_read_again_before_they_refuse(world: Any, tmp_path: Path) -> None:
    order = world.order([build.line("1001", "2001", 1)], status=10)
    world.remote.change(order.order_id, {"status": 20})
    Order.objects.update(read_at=datetime.now(UTC) - timedelta(minutes=5))
    code, lines = ship(sheet(tmp_path, f"{order.order_id},SF,{SF},,,"))
    assert (code, lines[0]["status"]) == (0, "queued")


def test_what_another_run_queues_meanwhile_is_reported(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.order([build.line("1001", "2001", 1)])
    wanted = read_sheet(f"{HEADER}{order.order_id},SF,{SF},,,\n".encode())[0]
    others: list[Any] = []
    real = shipfile.rehearse

    def other_run_first(**named: Any) -> Any:
        if not others:
            others.append(1)
            other = threading.Thread(target=_other_run, args=(wanted,))
            other.start()
            other.join()
        return real(**named)

    monkeypatch.setattr(shipfile, "rehearse", other_run_first)
    result = shipfile.ship_order(world.merchant, wanted, dry_run=False)
    assert (result.is_invalid, result.problems) == (False, [])
    assert result.known == [Package.objects.get().pk]
    assert Shipment.objects.count() == 1


def _other_run(wanted: Any) -> None:
    shipfile.ship_order(Merchant.objects.get(), wanted, dry_run=False)
    connection.close()


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "x"])
def test_wait_takes_no_nonsense(world: Any, tmp_path: Path, seconds: str) -> None:
    with pytest.raises(CommandError):
        ship(sheet(tmp_path, f"500,SF,{SF},,,"), "--wait", seconds)


def test_a_merchant_of_another_host_is_not_called(world: Any, tmp_path: Path) -> None:
    Merchant.objects.update(api_host="elsewhere.example")
    with pytest.raises(CommandError, match="elsewhere") as end:
        ship(sheet(tmp_path, f"500,SF,{SF},,,"))
    assert end.value.returncode == 2
