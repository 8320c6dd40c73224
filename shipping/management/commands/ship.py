"""Ship a file of parcels: the same rules, rows and worker as the pages."""

import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants import deadline, lines
from merchants.models import Merchant
from shipping.dispatch import pump_until_settled
from shipping.sheets import SheetOrder, UnusableSheet, read_sheet
from shipping.shipfile import INVALID, is_good, known_packages, ship_order
from shipping.tables.columns import FIELDS, IGNORED
from shipping.templatetags.desk import LOOKS

WORDS = {"ready": "可以提交", "invalid": "没有提交"} | {
    status: str(look.word) for status, look in LOOKS.items()
}


class Command(BaseCommand):
    help = (
        "Ship a csv, xlsx, xls or ods of parcels. "
        "Example: manage.py ship parcels.csv --merchant wx1000000000000001 --wait 60. "
        "Exit 0: all shipped, or queued where nobody waits; 1: some not; 2: file or store unusable."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", help="one row for each order, parcel or product; docs/BATCHES.md"
        )
        parser.add_argument(
            "--merchant", metavar="APPID", required=True, help="the store whose orders are shipped"
        )
        parser.add_argument(
            "--column", action="append", type=_answer, default=[], metavar="NAME=FIELD",
            help="what a column of the file is: order_id, delivery_id, waybill_id, ...; or ignored",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object per order on stdout")
        parser.add_argument(
            "--wait",
            type=_seconds,
            metavar="SECONDS",
            help="send in this process and wait so many seconds at most",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = _merchant(options["merchant"])
        orders = _orders(options["file"], dict(options["column"]))
        bodies = list(_ship(merchant, orders, options["wait"], dry_run=options["dry_run"]))
        for body in bodies:
            self.stdout.write(json.dumps(body, ensure_ascii=False) if options["json"] else _words(body))
        if not all(_is_good(body["status"], options) for body in bodies):
            sys.exit(1)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ArgumentTypeError("SECONDS 要是 0 或更大的数")
    return seconds


def _answer(text: str) -> tuple[str, str]:
    name, _, field = text.rpartition("=")
    if not name or field not in (*FIELDS, IGNORED):
        raise ArgumentTypeError(f"要写成 列名=字段，字段是 {' '.join((*FIELDS, IGNORED))} 之一")
    return name, field


def _ship(
    merchant: Merchant, orders: list[SheetOrder], wait: float | None, *, dry_run: bool
) -> Iterator[dict[str, Any]]:
    with deadline.until(time.monotonic() + wait if wait else float("inf")):
        results = [ship_order(merchant, order, dry_run=dry_run) for order in orders]
        if wait and not dry_run:
            shipments = {package.shipment_id for package in known_packages(results).values()}
            pump_until_settled(shipments, max(0.0, deadline.seconds_left()))
    rows = known_packages(results)
    yield from (result.as_json(rows) for result in results)


def _is_good(status: str, options: dict[str, Any]) -> bool:
    if options["dry_run"]:
        return status != INVALID
    return is_good(status, waited=options["wait"] is not None)


def _merchant(appid: str) -> Merchant:
    merchant = Merchant.objects.filter(appid=appid, is_active=True).first()
    if merchant is None:
        raise CommandError(f"没有 AppID 为 {appid} 的店铺；先用 add_merchant 添加。", returncode=2)
    if not lines.is_reachable(merchant):
        raise CommandError(
            f"店铺 {appid} 是为接口主机 {merchant.api_host} 添加的，不会向别的主机发货。", returncode=2
        )
    return merchant


def _orders(name: str, answers: dict[str, str]) -> list[SheetOrder]:
    try:
        return read_sheet(Path(name), name, answers)
    except OSError as error:
        raise CommandError(f"读不了文件 {name}：{error.strerror}。", returncode=2) from None
    except UnusableSheet as error:
        raise CommandError(str(error), returncode=2) from None


def _words(body: dict[str, Any]) -> str:
    words = [f"{body['order_id']}  {WORDS[body['status']]}"]
    for package in body["packages"]:
        name = f"{package['delivery_id']} {package['waybill_id']}".strip() or "无需物流"
        words.append(f"  {name}  {WORDS[package['status']]}")
        if package["means"]:
            words.append(f"    {package['errcode'] or ''} {package['means']}{package['do']}")
    for problem in body["problems"]:
        mark = "" if problem["stops"] else "（提醒）"
        words.append(f"  第 {problem['row']} 行 {problem['column']}{mark}：{problem['message']}")
    return "\n".join(words)
