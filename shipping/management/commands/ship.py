"""Ship a CSV of parcels: the same rules, rows and worker as the pages."""

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants.models import Merchant
from shipping.dispatch import pump_until_settled
from shipping.sheets import UnusableSheet, read_sheet
from shipping.shipfile import OrderResult, ship_order
from shipping.templatetags.desk import LOOKS

WORDS = {"ready": "可以提交", "invalid": "没有提交"} | {
    status: str(look.word) for status, look in LOOKS.items()
}


class Command(BaseCommand):
    help = "Ship a UTF-8 CSV of parcels. Exit 0: all shipped (or queued); 1: some not; 2: file unusable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--merchant", metavar="APPID", required=True)
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object per order on stdout")
        parser.add_argument("--wait", type=float, metavar="SECONDS", help="send in this process and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = _merchant(options["merchant"])
        orders = _orders(options["file"])
        end = time.monotonic() + (options["wait"] or 0)
        results = [ship_order(merchant, order, dry_run=options["dry_run"]) for order in orders]
        if options["wait"] and not options["dry_run"]:
            shipments = {pk for result in results for pk in result.shipments}
            pump_until_settled(shipments, max(0.0, end - time.monotonic()))
        for result in results:
            body = result.as_json()
            self.stdout.write(json.dumps(body, ensure_ascii=False) if options["json"] else _words(body))
        if not all(_is_good(result, options) for result in results):
            sys.exit(1)


def _is_good(result: OrderResult, options: dict[str, Any]) -> bool:
    if options["dry_run"]:
        return not result.is_invalid
    return result.is_good(waited=options["wait"] is not None)


def _merchant(appid: str) -> Merchant:
    merchant = Merchant.objects.filter(appid=appid, is_active=True).first()
    if merchant is None:
        raise CommandError(f"没有 AppID 为 {appid} 的店铺；先用 add_merchant 添加。", returncode=2)
    return merchant


def _orders(name: str) -> list[Any]:
    try:
        return read_sheet(Path(name).read_bytes())
    except OSError as error:
        raise CommandError(f"读不了文件 {name}：{error.strerror}。", returncode=2) from None
    except UnusableSheet as error:
        raise CommandError(str(error), returncode=2) from None


def _words(body: dict[str, Any]) -> str:
    lines = [f"{body['order_id']}  {WORDS[body['status']]}"]
    for package in body["packages"]:
        name = f"{package['delivery_id']} {package['waybill_id']}".strip() or "无需物流"
        lines.append(f"  {name}  {WORDS[package['status']]}")
        if package["means"]:
            lines.append(f"    {package['errcode'] or ''} {package['means']}{package['do']}")
    for problem in body["problems"]:
        mark = "" if problem["stops"] else "（提醒）"
        lines.append(f"  第 {problem['row']} 行 {problem['column']}{mark}：{problem['message']}")
    return "\n".join(lines)
