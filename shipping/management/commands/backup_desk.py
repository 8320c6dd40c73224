"""Back the whole desk up into one file, while it works."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shipping.backups.files import Unusable
from shipping.backups.making import back_up, default_path, prune


class Command(BaseCommand):
    help = (
        "Write a consistent copy of the database with a manifest; safe while web and workers run. "
        "Example: manage.py backup_desk --to /backups --keep 14. Exit 0: written; 1: not, the words say why."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to", metavar="FILE", type=Path, default=Path(settings.VAR_DIR) / "backups",
            help="a file, or a folder in which it gets a name by the time (VAR_DIR/backups)",
        )  # fmt: skip
        parser.add_argument("--keep", type=int, metavar="N", help="then remove all but the N newest there")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted: Path = options["to"]
        path = wanted if wanted.suffix == ".zip" else default_path(wanted)
        try:
            manifest = back_up(path)
        except (Unusable, OSError) as error:
            raise CommandError(f"没有备份成：{error}") from None
        keys = "、".join(manifest.keys) or "—"
        self.stdout.write(
            f"{path}：{sum(manifest.rows.values())} 行，{path.stat().st_size} 字节，密钥 {keys}"
        )
        if manifest.unreadable:
            self.stderr.write(f"有 {manifest.unreadable} 个密钥或 token 现在的 CREDENTIAL_KEYS 打不开。")
        for old in prune(path, options["keep"]) if options["keep"] else ():
            self.stdout.write(f"已删除旧备份 {old}")
