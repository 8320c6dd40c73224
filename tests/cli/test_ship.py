"""The CLI door's promises to scripts: what a file names twice is sent once; exit codes; the two other commands."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from merchants.models import Merchant, User
from sandbox import build
from sandbox.server import Sandbox
from shipping.models import Order, Package, Shipment
from shipping.syncing import read_order
from tests.conftest import APPID

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "order_id,deliver_type,delivery_id,waybill_id,product_id,sku_id,product_cnt,wxa_appid,wxa_path\n"
SF1, SF2 = "SF3100000000001", "SF3100000000002"


@pytest.fixture
def ship(world: Any, tmp_path: Path) -> Any:
    """Rows under HEADER in, (exit code, objects) out."""

    def run(*rows: str, options: tuple[str, ...] = ()) -> tuple[int, list[dict[str, Any]]]:
        path, out, code = tmp_path / "parcels.csv", StringIO(), 0
        path.write_text(HEADER + "\n".join(rows), encoding="utf-8")
        try:
            call_command("ship", str(path), "--merchant", APPID, "--json", *options, stdout=out)
        except SystemExit as end:
            code = int(end.code or 0)
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    return run


WAIT = ("--wait", "20")


@pytest.mark.parametrize("goods", [",,", "1001,2001,2", "1001,2001,", "1001,,"])
def test_a_queued_package_is_reported_however_its_goods_are_written(
    world: Any, ship: Any, goods: str
) -> None:
    order = world.order([build.line("1001", "2001", 2)])
    row = f"{order.order_id},,SF,{SF1},{goods},,"
    assert [ship(row)[1][0]["status"] for _ in range(2)] == ["queued", "queued"]
    assert Shipment.objects.count() == 1


def test_other_goods_on_a_queued_waybill_are_a_problem(world: Any, ship: Any) -> None:
    order = world.order([build.line("1001", "2001", 2)])
    ship(f"{order.order_id},,SF,{SF1},1001,2001,1,,")
    code, lines = ship(f"{order.order_id},,SF,{SF1},1001,2001,2,,")
    slugs = {problem["slug"] for problem in lines[0]["problems"]}
    assert (code, lines[0]["status"]) == (1, "invalid")
    assert "waybill_already_on_order" in slugs


def test_another_courier_is_not_the_same_package(world: Any, ship: Any) -> None:
    order = world.order()
    ship(f"{order.order_id},,SF,{SF1},,,,,")
    assert ship(f"{order.order_id},,ZTO,{SF1},,,,,")[1][0]["status"] == "invalid"
    assert ship(f"{order.order_id},,,{SF1},,,,,")[1][0]["status"] == "queued"


def test_only_the_new_package_makes_a_new_shipment(world: Any, ship: Any) -> None:
    order = world.order([build.line("1001", "2001", 3)])
    first = f"{order.order_id},,SF,{SF1},1001,2001,2,,"
    ship(first, options=WAIT)
    code, lines = ship(first, f",,SF,{SF2},1001,2001,1,,", options=WAIT)
    assert (code, [p["waybill_id"] for p in lines[0]["packages"]]) == (0, [SF1, SF2])
    assert [shipment.packages.count() for shipment in Shipment.objects.all()] == [1, 1]


def test_what_was_shipped_by_hand_is_reported_as_shipped(world: Any, ship: Any) -> None:
    order = world.order([build.line("1001", "2001", 1)])
    goods = [{"product_id": "1001", "sku_id": "2001", "product_cnt": 1}]
    world.remote.ship_by_hand(order.order_id, [build.package(goods, SF1)])
    read_order(world.merchant, order.order_id)
    code, lines = ship(f"{order.order_id},,SF,sf 3100000000001,,,,,")
    package = lines[0]["packages"][0]
    assert (code, lines[0]["status"], package["status"]) == (0, "shipped", "shipped")
    assert (package["deliver_type"], package["waybill_id"]) == (1, SF1)
    assert not Shipment.objects.exists()


def test_a_virtual_order_needs_its_number_only(world: Any, ship: Any) -> None:
    order = world.order([build.line("1001", "2001", 2)], deliver_method=1)
    for _ in range(2):
        code, lines = ship(f"{order.order_id},,,,,,,,", options=WAIT)
        assert (code, lines[0]["status"]) == (0, "shipped")
    assert lines[0]["packages"][0]["deliver_type"] == 3
    assert len(world.sends(order)) == 1


def test_courses_leave_as_one_package_per_sku(world: Any, ship: Any) -> None:
    skus = [("1001", "2001"), ("1002", "2002")]
    order = world.order(
        [build.line(*pair) for pair in skus],
        deliver_method=1,
        sandbox={"course_skus": [sku for _, sku in skus]},
    )
    rows = [f"{order.order_id},3,,,{p},{s},1,wxabcdes,path/{s}" for p, s in skus]
    code, lines = ship(*rows, options=WAIT)
    assert (code, len(lines[0]["packages"])) == (0, 2), lines
    assert len({package.course.wxa_path for package in Package.objects.all()}) == 2
    assert ship(*rows, options=WAIT)[0] == 0
    assert len(world.sends(order)) == 1


@pytest.mark.parametrize("order_id", ["", "abc", "3.71E+18"])
def test_an_unusable_order_id_is_told_without_a_call(world: Any, ship: Any, order_id: str) -> None:
    before = len(world.remote.ledger())
    code, lines = ship(f"{order_id},,SF,{SF1},,,,,")
    problem = lines[0]["problems"][0]
    assert (code, lines[0]["status"]) == (1, "invalid")
    assert (problem["row"], problem["column"], problem["errcode"]) == (2, "order_id", 40097)
    assert len(world.remote.ledger()) == before


def test_an_order_not_known_yet_is_read_and_shipped(world: Any, ship: Any) -> None:
    made = world.remote.order(APPID, [build.line("1001", "2001", 1)])
    assert ship(f"{made['order_id']},,SF,{SF1},,,,,", options=WAIT)[1][0]["status"] == "shipped"


def test_warnings_are_told_once_and_do_not_stop(world: Any, ship: Any) -> None:
    order = world.order()
    code, lines = ship(f"{order.order_id},,SF,YT0000000000001,,,,,", options=WAIT)
    told = [(p["column"], p["errcode"], p["stops"]) for p in lines[0]["problems"]]
    assert (code, lines[0]["status"]) == (0, "shipped")
    assert told == [("waybill_id", 6060479, False)]


def test_exit_code_of_a_dry_run_asks_only_for_validity(world: Any, ship: Any) -> None:
    order = world.order()
    row = f"{order.order_id},,SF,{SF1},,,,,"
    ship(row)
    for status in ("queued", "sending", "unknown", "conflict"):
        Package.objects.update(status=status)
        code, lines = ship(row, options=("--dry-run",))
        assert (code, lines[0]["status"]) == (0, status)


@pytest.mark.parametrize(("status", "code"), [("queued", 0), ("sending", 0), ("unknown", 1), ("conflict", 1)])
def test_exit_code_without_wait(world: Any, ship: Any, status: str, code: int) -> None:
    order = world.order()
    row = f"{order.order_id},,SF,{SF1},,,,,"
    ship(row)
    Package.objects.update(status=status)
    assert ship(row)[0] == code


def test_wait_of_nothing_still_asks_for_shipped(world: Any, ship: Any) -> None:
    order = world.order()
    assert ship(f"{order.order_id},,SF,{SF1},,,,,", options=("--wait", "0"))[0] == 1


def test_wait_of_nothing_still_reads_an_order_not_known(world: Any, ship: Any) -> None:
    made = world.remote.order(APPID, [build.line("1001", "2001", 1)])
    assert ship(f"{made['order_id']},,SF,{SF1},,,,,", options=("--wait", "0"))[1][0]["status"] == "queued"


def test_people_read_a_table(world: Any, tmp_path: Path) -> None:
    order, path, out = world.order(), tmp_path / "parcels.csv", StringIO()
    path.write_text(f"{HEADER}{order.order_id},,SF,{SF1},,,,,\n")
    call_command("ship", str(path), "--merchant", APPID, stdout=out)
    assert out.getvalue() == f"{order.order_id}  待提交\n  SF {SF1}  待提交\n"


@pytest.mark.parametrize("arguments", [["no-such.csv", "--merchant", APPID], [__file__, "--merchant", "wx9"]])
def test_a_missing_file_and_an_unknown_merchant_end_with_2(world: Any, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as end:
        call_command("ship", *arguments)
    assert end.value.returncode == 2


def test_add_merchant_twice_updates_and_never_prints_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_SECRET", "s3cret" * 5)
    out = StringIO()
    call_command("add_merchant", "wx77", "一店", "--secret-env", "STORE_SECRET", stdout=out)
    call_command("add_merchant", "wx77", "二店", stdout=out)
    merchant = Merchant.objects.get(appid="wx77")
    assert (merchant.name, merchant.credential.app_secret) == ("二店", "s3cret" * 5)
    assert out.getvalue().count("\n") == 2
    assert "s3cret" not in out.getvalue()


def test_add_merchant_with_an_unset_variable_ends_with_2() -> None:
    with pytest.raises(CommandError, match="NO_SUCH_VAR") as end:
        call_command("add_merchant", "wx77", "店", "--secret-env", "NO_SUCH_VAR")
    assert end.value.returncode == 2
    assert not Merchant.objects.exists()


def test_load_demo_refuses_the_real_platform(settings: Any) -> None:
    settings.IS_DEMO = False
    with pytest.raises(CommandError):
        call_command("load_demo")
    assert not User.objects.exists()


@pytest.mark.long
def test_load_demo_twice_leaves_what_the_first_made(settings: Any) -> None:
    sandbox = Sandbox(state=":memory:", seed="demo", port=0).start()
    try:
        settings.WECHAT_API_URL, settings.WECHAT_API_HOST, settings.IS_DEMO = sandbox.url, "127.0.0.1", True
        call_command("load_demo", stdout=StringIO())
        kept = (User.objects.count(), Order.objects.count(), Shipment.objects.count())
        User.objects.filter(username="staff").update(display_name="别改我")
        call_command("load_demo", stdout=StringIO())
    finally:
        sandbox.stop()
    assert (User.objects.count(), Order.objects.count(), Shipment.objects.count()) == kept
    assert kept[0] >= 3
    assert kept[2] > 40
    assert User.objects.get(username="staff").display_name == "别改我"
