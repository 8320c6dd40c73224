"""The history as a file: gathered by a worker in slices, kept some days for the one who asked."""

import json
import logging
import math
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from merchants.models import Role, User
from merchants.queries import merchants_for

from .exportrows import HEADS, loaded, row_of
from .models import Export, ExportPart
from .past import rows_of, stores_of, walk
from .tables.writing import csv_stream, write_xlsx
from .wake import wake

log = logging.getLogger(__name__)
Status, Kind = Export.Status, Export.Kind
Row = Sequence[str]

OPEN = (Status.WAITING, Status.WRITING)
# Of one person at a time; more would keep others waiting.
OPEN_AT_MOST = 3
SLICE, LEASE = 10.0, timedelta(minutes=10)
CHUNK = 500
# A sheet holds 1,048,576 rows.
SHEET_ROWS = 1_000_000
PIECE = 1_000_000


class TooMany(Exception):
    """This person has several exports under way already."""


def kept_since() -> datetime:
    return timezone.now() - timedelta(days=settings.EXPORT_DAYS)


def exports_for(user: User) -> list[Export]:
    """One's own, the newest first, of stores that one still manages."""
    stores = set(merchants_for(user, Role.MANAGER).values_list("pk", flat=True))
    rows = Export.objects.filter(asked_by=user, asked_at__gte=kept_since()).order_by("-pk")
    return [export for export in rows[:100] if stores.issuperset(export.stores)]


def export_for(user: User, pk: int) -> Export:
    """One's own export, or 404: for colleagues, and for who no longer manages its stores."""
    found = next((export for export in exports_for(user) if export.pk == pk), None)
    if found is None:
        raise Http404
    return found


@transaction.atomic
def ask_export(*, user: User, what: str, asked: dict[str, str], kind: str) -> Export:
    """Have all rows that these filters let through written; raises TooMany."""
    if Export.objects.filter(asked_by=user, status__in=OPEN).count() >= OPEN_AT_MOST:
        raise TooMany
    export = Export.objects.create(
        asked_by=user,
        what=what,
        asked=asked,
        kind=kind,
        language=translation.get_language() or "zh-hans",
        stores=stores_of(user, asked),
    )
    wake("write_export", str(export.pk))
    return export


# --- by the worker ------------------------------------------------------------------------------------


def work(pk: int) -> bool:
    """Go on with an export for a slice; True if something is left. Doing a slice twice harms nobody."""
    now = timezone.now()
    free = Export.objects.filter(pk=pk, status__in=OPEN, lease_until__lte=now)
    if not free.update(status=Status.WRITING, lease_until=now + LEASE):
        return False
    export = Export.objects.select_related("asked_by").get(pk=pk)
    try:
        with translation.override(export.language):
            is_left = _work(export, time.monotonic() + SLICE)
    except Exception:
        log.exception("export=%s: fault of our own", pk)
        Export.objects.filter(pk=pk).update(status=Status.FAILED, ended_at=timezone.now())
        return False
    Export.objects.filter(pk=pk).update(lease_until=timezone.now())
    return is_left


def unfinished() -> list[int]:
    """Exports that no worker has: asked for and not handed out, or left by one that was killed."""
    rows = Export.objects.filter(status__in=OPEN, lease_until__lte=timezone.now() - timedelta(seconds=30))
    return list(rows.values_list("pk", flat=True))


def remove_old() -> None:
    """Remove what was asked for more than EXPORT_DAYS ago; that it was asked for stays known."""
    ExportPart.objects.filter(export__asked_at__lt=kept_since()).delete()


def _work(export: Export, end: float) -> bool:
    if export.total is None:
        export.total = sum(rows_of(export.what, s, export.asked, is_led=False).count() for s in export.stores)
        export.save(update_fields=["total"])
    while chunk := _chunk(export):
        _keep(export, chunk)
        if time.monotonic() > end:
            return True
    _finish(export)
    return False


def _chunk(export: Export) -> list[Any]:
    """The next rows; moves on from store to store. Who lost a store meanwhile gets no more of it."""
    managed = set(merchants_for(export.asked_by, Role.MANAGER).values_list("pk", flat=True))
    while export.at_store < len(export.stores):
        store = export.stores[export.at_store]
        if store in managed:
            rows = walk(export.what, store, export.asked, export.at_row)
            if found := list(loaded(export.what, rows)[:CHUNK]):
                return found
        export.at_store, export.at_row = export.at_store + 1, None
    return []


@transaction.atomic
def _keep(export: Export, chunk: list[Any]) -> None:
    content = json.dumps([row_of(export.what, row) for row in chunk], ensure_ascii=False).encode()
    number = ExportPart.objects.filter(export=export, is_file=False).count()
    ExportPart.objects.create(export=export, number=number, content=content)
    export.at_row, export.rows = chunk[-1].pk, export.rows + len(chunk)
    export.save(update_fields=["at_store", "at_row", "rows"])


def _finish(export: Export) -> None:
    if export.kind == Kind.XLSX:
        _as_xlsx(export)
    export.status, export.ended_at = Status.DONE, timezone.now()
    export.save(update_fields=["status", "ended_at"])


def _as_xlsx(export: Export) -> None:
    """The rows as one file on disk, and that in pieces into the database: never in memory as a whole."""
    rows = _rows(export)
    sheets: dict[str, Iterable[Row]] = {
        _("第 %d 页") % (number + 1): _with_head(export, islice(rows, SHEET_ROWS))
        for number in range(max(1, math.ceil(export.rows / SHEET_ROWS)))
    }
    with tempfile.TemporaryFile() as made:
        write_xlsx(made, sheets)
        made.seek(0)
        ExportPart.objects.filter(export=export, is_file=True).delete()
        for number, piece in enumerate(iter(lambda: made.read(PIECE), b"")):
            ExportPart.objects.create(export=export, is_file=True, number=number, content=piece)
    _parts(export, is_file=False).delete()


# --- for the one who asked ----------------------------------------------------------------------------


def content_of(export: Export) -> Iterator[bytes]:
    """The finished file, piece by piece."""
    if export.kind == Kind.XLSX:
        yield from _pieces(_parts(export, is_file=True))
        return
    with translation.override(export.language):
        head = _head(export)
    yield from csv_stream(chain([head], _rows(export)))


def _parts(export: Export, *, is_file: bool) -> QuerySet[ExportPart]:
    return ExportPart.objects.filter(export=export, is_file=is_file)


def _pieces(parts: QuerySet[ExportPart]) -> Iterator[bytes]:
    """One at a time: a million rows are a hundred megabytes."""
    for key in list(parts.order_by("number").values_list("pk", flat=True)):
        yield bytes(parts.get(pk=key).content)


def _rows(export: Export) -> Iterator[Row]:
    for content in _pieces(_parts(export, is_file=False)):
        yield from json.loads(content)


def _head(export: Export) -> Row:
    return [str(word) for word in HEADS[export.what]]


def _with_head(export: Export, rows: Iterable[Row]) -> Iterator[Row]:
    yield _head(export)
    yield from rows
