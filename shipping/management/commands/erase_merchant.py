"""Close a store and remove the personal data of its buyers; ids, codes and counts stay."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants.models import Merchant
from shipping.archiving import Missing
from shipping.erasing import erase_merchant


class Command(BaseCommand):
    help = (
        "Close a store, forget its credential, remove what is personal from its orders. "
        "Example: manage.py erase_merchant wx1000000000000001. Exit 0: closed; 2: no such store."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("appid", metavar="APPID", help="the store to close, for good")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = Merchant.objects.filter(appid=options["appid"].strip()).first()
        if merchant is None:
            raise CommandError(f"没有 AppID 为 {options['appid']} 的店铺。", returncode=2)
        try:
            erased = erase_merchant(merchant)
        except Missing as error:
            raise CommandError(f"没有清除完，归档文件不在手边；放回去再运行一次：{error}") from None
        self.stdout.write(f"{merchant.name} 已停用，凭证已删除；已清除 {erased} 个订单里的个人信息。")
