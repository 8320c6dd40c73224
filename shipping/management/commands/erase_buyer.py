"""Remove a buyer's personal data; ids, codes and counts stay."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shipping.archiving import Missing
from shipping.erasing import erase_buyer


class Command(BaseCommand):
    help = (
        "Remove what is personal from every order of a buyer, in all stores. "
        "Example: manage.py erase_buyer oUpF8uMuAJO_M2pxb1Q9zNjWeS6o. Exit 0: removed; 1: no such buyer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "openid", metavar="OPENID", help="the buyer's openid, as an order's answer holds it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        openid = options["openid"].strip()
        try:
            erased = erase_buyer(openid) if openid else 0
        except Missing as error:
            raise CommandError(f"没有清除完，归档文件不在手边；放回去再运行一次：{error}") from None
        if not erased:
            raise CommandError("没有这个买家的订单；可能已经清除过了。")
        self.stdout.write(f"已清除 {erased} 个订单里的个人信息。")
