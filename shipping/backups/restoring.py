"""Brings a desk back from a backup, and calm: nothing is sent until a person has looked."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from django.utils.translation import gettext as _

from merchants.fields import fingerprint
from shipping.models import RestoredShipment
from shipping.restored import calm

from .databases import Engine, engine
from .files import Manifest, Unusable, read_manifest, unpack
from .making import row_counts


@dataclass(frozen=True)
class Restored:
    """What came of it."""

    manifest: Manifest
    # Where what was there before is now, "" if nothing was.
    aside: str = ""
    shipments: int = 0
    migrated: list[str] = field(default_factory=list)


def restore(path: Path, *, replace: bool = False, without_keys: bool = False) -> Restored:
    """Put a backup in the place of the settings' database, or change nothing and raise files.Unusable."""
    manifest, target = read_manifest(path), engine()
    _may_come_here(manifest, target, replace=replace, without_keys=without_keys)
    stamp = datetime.now(tz=UTC).strftime("%Y%m%dt%H%M%S%f")
    with tempfile.TemporaryDirectory(dir=settings.VAR_DIR, prefix=".restore-") as folder:
        copy = Path(folder) / manifest.content
        unpack(path, manifest, copy)
        connections["default"].close()
        with target.stage(copy, stamp) as alias:
            migrated, shipments = _make_ready(alias, manifest)
            return Restored(manifest, target.swap(stamp), shipments, migrated)


def _may_come_here(manifest: Manifest, target: Engine, *, replace: bool, without_keys: bool) -> None:
    if manifest.content != target.content:
        raise Unusable(_("备份来自 %(engine)s，DATABASE_URL 是另一种数据库。") % {"engine": manifest.engine})
    if unknown := _unknown_migrations(manifest):
        told = {"version": manifest.version, "names": ", ".join(unknown[:3])}
        raise Unusable(_("备份是更新的版本（%(version)s）做的，这里没有 %(names)s；请先更新程序。") % told)
    missing = set(manifest.keys) - {fingerprint(key) for key in settings.CREDENTIAL_KEYS}
    if missing and not without_keys:
        raise Unusable(
            _(
                "CREDENTIAL_KEYS 里缺少指纹为 %(names)s 的密钥，备份里的密钥和 token 打不开；请补上，"
                "或者加 --without-keys，恢复后重新填写。"
            )
            % {"names": ", ".join(sorted(missing))}
        )
    if not replace and target.holds_a_desk():
        raise Unusable(_("这个数据库不是空的；确定要换掉，就加 --replace，原来的会改名留着。"))


def _unknown_migrations(manifest: Manifest) -> list[str]:
    """Migrations of the backup that this program does not have: it was made by a newer one."""
    known = set(MigrationLoader(None).disk_migrations)
    replaced = {name for one in MigrationLoader(None).disk_migrations.values() for name in one.replaces}
    applied = {(app, name) for app, name in manifest.migrations}
    return [f"{app}.{name}" for app, name in sorted(applied - known - replaced)]


def _make_ready(alias: str, manifest: Manifest) -> tuple[list[str], int]:
    """Counted, migrated and calmed while nobody else can see it."""
    found = row_counts(connections[alias])
    if wrong := [name for name, count in manifest.rows.items() if found.get(name) != count]:
        raise Unusable(_("恢复出来的行数和清单不一致：%(names)s") % {"names": ", ".join(wrong[:3])})
    call_command("migrate", database=alias, verbosity=0, interactive=False)
    calm(alias, at=timezone.now(), made_at=manifest.moment, version=manifest.version)
    return _new(alias, manifest), RestoredShipment.objects.using(alias).count()


def _new(alias: str, manifest: Manifest) -> list[str]:
    before = {tuple(one) for one in manifest.migrations}
    return [f"{app}.{name}" for app, name in _applied(alias) if (app, name) not in before]


def _applied(alias: str) -> Iterable[tuple[str, str]]:
    return sorted(MigrationLoader(connections[alias]).applied_migrations)
