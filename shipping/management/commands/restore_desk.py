"""Bring the desk back from a backup. Everything stands still afterwards until an admin goes on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime

from shipping.backups.files import Unusable
from shipping.backups.restoring import Restored, restore


class Command(BaseCommand):
    help = (
        "Restore a backup into the database of the settings. Stop web and workers first, those of the old "
        "desk too. Every store is paused afterwards, and no parcel leaves before its order was read again. "
        "Example: manage.py restore_desk backup.zip --replace. Exit 0: restored; 1: nothing was changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="what backup_desk has written")
        parser.add_argument("--replace", action="store_true", help="the database is not empty; keep it aside")
        parser.add_argument("--without-keys", action="store_true", help="secrets are to be typed again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = restore(options["file"], replace=options["replace"], without_keys=options["without_keys"])
        except (Unusable, OSError) as error:
            raise CommandError(f"没有恢复，什么都没有改：{error}") from None
        for line in _words(done):
            self.stdout.write(line)


def _words(done: Restored) -> list[str]:
    manifest = done.manifest
    lines = [
        f"已恢复到 {localtime(manifest.moment):%Y-%m-%d %H:%M:%S} 的状态，{sum(manifest.rows.values())} 行。"
    ]
    if done.migrated:
        lines.append(f"补做了 {len(done.migrated)} 个迁移。")
    if done.aside:
        lines.append(f"原来的数据库留在 {done.aside}。")
    lines.append(
        f"所有店铺已暂停发货；{done.shipments} 张没发完的发货单要先读订单。"
        "看过排队中的包裹，再在「待办」恢复发货。备份以后清除过的个人信息要再清除一次。"
    )
    return lines
