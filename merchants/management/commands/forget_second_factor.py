"""Take the second factor from a person whose phone is lost, where no admin can do it on the members page."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants.models import User
from merchants.people import remove_factor


class Command(BaseCommand):
    help = (
        "The next login of this person asks for the password only; it is written down in the audit. "
        "Example: manage.py forget_second_factor xiaoli. Exit 0: taken off; 2: nobody or nothing to take."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME", help="the name this person logs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None or not remove_factor(user=user, by=None):
            raise CommandError("没有这个用户，或者没有开启两步验证。", returncode=2)
        self.stdout.write(f"{user.username}: 两步验证已关闭")
