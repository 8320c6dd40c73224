"""Add a store, or update its name and secret."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants.services import add_merchant


class Command(BaseCommand):
    help = (
        "Add a store by its AppID; run again to update its name or secret. "
        "Example: manage.py add_merchant wx1000000000000001 杭州旗舰店 --secret-env SECRET. "
        "Exit 0: added or updated; 2: a word is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("appid", metavar="APPID", help="the store's AppID, as its back office shows it")
        parser.add_argument("name", metavar="NAME", help="what people here call the store")
        parser.add_argument(
            "--secret-env", metavar="VAR", help="the environment variable that holds the AppSecret"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        appid, name = options["appid"].strip(), options["name"].strip()
        if not appid or not name:
            raise CommandError("AppID 和名称都要填。", returncode=2)
        merchant = add_merchant(appid=appid, name=name, secret=_secret(options["secret_env"]))
        self.stdout.write(f"{merchant.appid} {merchant.name}")


def _secret(variable: str | None) -> str:
    if variable is None:
        return ""
    secret = os.environ.get(variable, "")
    if not secret:
        raise CommandError(f"环境变量 {variable} 没有设置或是空的；先把 AppSecret 放进去。", returncode=2)
    return secret
