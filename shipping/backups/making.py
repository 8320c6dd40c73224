"""Makes a backup while the desk works."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from merchants.rotation import keys_in_use
from shipping.models import Attempt
from shipping.support import version

from .databases import LEFT_OUT, engine
from .files import Manifest, digest_of, write


def back_up(path: Path) -> Manifest:
    """Write a backup to `path`, whole or not at all. Raises files.Unusable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
        # Before the copy: what is done from now on may or may not be in it.
        made_at = timezone.now().isoformat()
        with engine().copy(Path(folder)) as (content, database):
            manifest = Manifest(made_at=made_at, **_described(database), **_file(content))
        write(path, manifest, content)
    return manifest


def _file(content: Path) -> dict[str, Any]:
    return {"content": content.name, "size": content.stat().st_size, "sha256": digest_of(content)}


def _described(database: BaseDatabaseWrapper) -> dict[str, Any]:
    keys = keys_in_use(database)
    return {
        "version": version(),
        "engine": database.vendor,
        "server": ".".join(map(str, database.get_database_version())),
        "migrations": sorted(MigrationRecorder(database).applied_migrations()),
        "rows": row_counts(database),
        "left_out": LEFT_OUT,
        "newest_attempt": _newest_attempt(database.alias),
        "unreadable": keys.pop("", 0),
        "keys": dict(keys),
    }


def row_counts(database: BaseDatabaseWrapper) -> dict[str, int]:
    """How many rows each table of the backup has."""
    quote, found = database.ops.quote_name, Counter[str]()
    with database.cursor() as cursor:
        for name in sorted(set(database.introspection.table_names(cursor)) - set(LEFT_OUT)):
            cursor.execute(f"SELECT count(*) FROM {quote(name)}")  # noqa: S608 - names from the database  # nosec B608
            found[name] = cursor.fetchone()[0]
    return dict(found)


def _newest_attempt(alias: str) -> dict[str, Any] | None:
    newest = Attempt.objects.using(alias).order_by("-pk").values("pk", "started_at").first()
    return newest and {"id": newest["pk"], "started_at": newest["started_at"].isoformat()}


def default_path(folder: Path) -> Path:
    """The name of a backup made now, by UTC so that names sort as they were made."""
    engine_name = connections[DEFAULT_DB_ALIAS].vendor
    return folder / f"fahuo-{timezone.now():%Y%m%dT%H%M%SZ}-{engine_name}.zip"


def prune(path: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups beside one that was just made; returns which."""
    made = sorted(path.parent.glob("fahuo-*.zip"), reverse=True)
    old = [each for each in made[max(1, keep) :] if each != path]
    for each in old:
        each.unlink()
    return old
