"""Re-encrypt every stored secret under the first key of CREDENTIAL_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchants.rotation import rotate


class Command(BaseCommand):
    help = (
        "Put a new key in front of CREDENTIAL_KEYS, restart, run this, then take the old key out. "
        "Safe while the desk works and to run again after a break. Example: manage.py rotate_credentials. "
        "Exit 0: all under the first key; 1: some can be opened by no key, each named on stderr."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate()
        self.stdout.write(f"换到新密钥 {done.changed} 个，原本就是 {done.kept} 个。")
        if done.unreadable:
            for name in done.unreadable:
                self.stderr.write(f"没有一把密钥能打开：{name}")
            raise CommandError("旧密钥还不能拿掉；打不开的要在店铺管理里重新填写。")
