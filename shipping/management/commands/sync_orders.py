"""Read orders from the platform, in this process; one line per merchant."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants import lines
from merchants.models import Merchant
from shipping.syncing import SyncResult, sync_merchant

LONGEST = 3660  # ten years, 523 windows


class Command(BaseCommand):
    help = (
        "Read the orders of one store or of all, in this process. "
        "Example: manage.py sync_orders --merchant wx1000000000000001 --days 30. "
        "Exit 0: all read; 1: a store or an order could not be; 2: no such store."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--merchant", metavar="APPID", help="one store only")
        parser.add_argument(
            "--days", type=_days, default=7, metavar="DAYS", help="how many days back, by update time (7)"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object per store")

    def handle(self, *args: Any, **options: Any) -> None:
        results = [_sync(merchant, options["days"]) for merchant in self._merchants(options["merchant"])]
        for result in results:
            line = json.dumps(asdict(result), ensure_ascii=False) if options["json"] else _words(result)
            self.stdout.write(line)
        if any(result.error or result.failed for result in results):
            raise SystemExit(1)

    def _merchants(self, appid: str | None) -> list[Merchant]:
        rows = Merchant.objects.filter(is_active=True)
        found = list(rows.filter(appid=appid) if appid else rows)
        if appid and not found:
            raise CommandError(f"没有 AppID 为 {appid} 的店铺；先用 add_merchant 添加。", returncode=2)
        return found


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= LONGEST:
        raise ArgumentTypeError(f"N 要在 1 到 {LONGEST} 之间")
    return days


def _sync(merchant: Merchant, days: int) -> SyncResult:
    if not lines.is_reachable(merchant):
        return SyncResult(merchant.appid, error=f"made for {merchant.api_host}, not called at another host")
    return sync_merchant(merchant, days)


def _words(result: SyncResult) -> str:
    words = f"{result.merchant}: 读取 {result.read}，变化 {result.changed}，失败 {result.failed}"
    return f"{words}；{result.error}" if result.error else words
