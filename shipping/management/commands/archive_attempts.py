"""Move old attempts and status changes into compressed files; safe to kill and to run again."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localdate

from shipping import archiving
from shipping.models import Archive

SLICE = 60.0


class Command(BaseCommand):
    help = (
        "Write attempts and status changes of shipments that ended more than N months ago to files in "
        "ARCHIVE_DIR, read the files back, then remove those rows. Packages and their outcome stay. "
        "Example: manage.py archive_attempts --months 12. "
        "Exit 0: written, or all files whole; 1: stopped, or a file is bad; 2: no age was given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--months", type=_months, metavar="MONTHS", help="their age; KEEP_ATTEMPTS_MONTHS unless given"
        )
        parser.add_argument("--verify", action="store_true", help="only compare all files with their sums")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verify"]:
            return self._verify()
        months = options["months"] or settings.KEEP_ATTEMPTS_MONTHS
        if not months:
            raise CommandError(
                "没有设置 KEEP_ATTEMPTS_MONTHS，也没有给 --months：什么都不归档。", returncode=2
            )
        newest = Archive.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        before = archiving.cutoff(months)
        try:
            while archiving.work(before, SLICE):
                pass
        except (archiving.Missing, OSError) as error:
            raise CommandError(f"归档停下了，没有写进文件的都还在数据库里：{error}") from None
        made = list(Archive.objects.filter(pk__gt=newest).order_by("pk"))
        for archive in made:
            self.stdout.write(
                f"{archiving.path_of(archive)}：{archive.attempts} 次提交，{archive.changes} 次变动"
            )
        self.stdout.write(f"{localdate(before):%Y-%m-%d} 以前结束的都已归档，新文件 {len(made)} 个。")

    def _verify(self) -> None:
        bad = 0
        for archive in Archive.objects.exclude(sha256="").order_by("pk"):
            try:
                self.stdout.write(f"{archiving.verified(archive)}：完好")
            except archiving.Missing as error:
                bad += 1
                self.stderr.write(str(error))
        if bad:
            raise CommandError(f"有 {bad} 个归档文件不在或者坏了。")


def _months(text: str) -> int:
    months = int(text)
    if months < 1:
        raise ArgumentTypeError("N 要是 1 或更大的整数")
    return months
