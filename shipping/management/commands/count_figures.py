"""Count the board's sums again from the packages; they are the same unless rows were changed by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants.models import Merchant
from shipping.asked import day
from shipping.figures import recount


class Command(BaseCommand):
    help = (
        "Forget the board's sums, of one store or from a day on, and count them again from the packages. "
        "Example: manage.py count_figures --since 2026-11-01. Exit 0: counted; 1: no such store or day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--merchant", default="", metavar="APPID", help="one store only")
        parser.add_argument("--since", default="", metavar="YYYY-MM-DD", help="from this day on")

    def handle(self, *args: Any, merchant: str, since: str, **options: Any) -> None:
        begin = day(since)
        if since and begin is None:
            raise CommandError(f"{since} is not a day")
        stores = Merchant.objects.order_by("pk")
        stores = stores.filter(appid=merchant) if merchant else stores
        if merchant and not stores:
            raise CommandError(f"no store has the AppID {merchant}")
        for store in stores:
            recount(store.pk, begin)
            self.stdout.write(store.name)
