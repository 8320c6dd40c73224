"""Enter orders from a CSV, for a store whose orders nobody may read: the same checks and rows as the page."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants.models import Merchant
from shipping.entered import enter_order
from shipping.entries import COLUMNS, EntryRows, read_entries, wrong_in
from shipping.sheets import UnusableSheet

WORDS = {
    "added": "已录入",
    "changed": "已改",
    "same": "没有变化",
    "read": "已从微信读到，以微信为准，没有改动",
    "ready": "可以录入",
    "invalid": "没有录入",
}


class Command(BaseCommand):
    help = (
        f"Enter orders from a UTF-8 CSV ({', '.join(COLUMNS)}). "
        "Example: manage.py enter_orders orders.csv --merchant wx1000000000000001 --dry-run. "
        "Exit 0: all entered; 1: some not; 2: file unusable."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the CSV; rows of one order_id are one order")
        parser.add_argument("--merchant", metavar="APPID", required=True, help="the store it is for")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object per order on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant, orders = _merchant(options["merchant"]), _orders(options["file"])
        bodies = [_enter(merchant, order, dry_run=options["dry_run"]) for order in orders]
        for body in bodies:
            self.stdout.write(json.dumps(body, ensure_ascii=False) if options["json"] else _words(body))
        if any(body["status"] == "invalid" for body in bodies):
            sys.exit(1)


def _enter(merchant: Merchant, order: EntryRows, *, dry_run: bool) -> dict[str, Any]:
    wrong = wrong_in(order)
    if wrong:
        status = "invalid"
    elif dry_run:
        status = "ready"
    else:
        status = enter_order(merchant=merchant, entered=order.to_order(), user=None).value
    problems = [{"row": place.row, "column": place.column, "message": place.text} for place in wrong]
    return {"order_id": order.order_id, "status": status, "problems": problems}


def _words(body: dict[str, Any]) -> str:
    problems = [f"  第 {found['row']} 行 {found['column']}：{found['message']}" for found in body["problems"]]
    return "\n".join([f"{body['order_id']}  {WORDS[body['status']]}", *problems])


def _merchant(appid: str) -> Merchant:
    merchant = Merchant.objects.filter(appid=appid, is_active=True).first()
    if merchant is None:
        raise CommandError(f"没有 AppID 为 {appid} 的店铺；先用 add_merchant 添加。", returncode=2)
    return merchant


def _orders(name: str) -> list[EntryRows]:
    try:
        return read_entries(Path(name).read_bytes())
    except OSError as error:
        raise CommandError(f"读不了文件 {name}：{error.strerror}。", returncode=2) from None
    except UnusableSheet as error:
        raise CommandError(str(error), returncode=2) from None
