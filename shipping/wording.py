"""The installation's own words for codes: written and taken back by the operator, read by Code.text.

Each process reads them at most once in FRESH_FOR seconds: within seconds all say what one has written.
"""

import logging
import time
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from merchants.audit import note
from merchants.models import Audit, User
from wechat.errcodes import Code
from wechat.wording import PARTS, Book, OwnWords

from .models import CodeText

log = logging.getLogger(__name__)
FRESH_FOR = 3.0  # seconds


@dataclass
class _Kept:
    """What this process read last, and when by its own clock."""

    book: Book
    read_at: float | None = None


_kept = _Kept({})


def in_force() -> QuerySet[CodeText]:
    return CodeText.objects.filter(ended_at=None)


def book() -> Book:
    """The words in force; old ones when the database cannot say. Handed to wechat.wording at the start."""
    now = time.monotonic()
    if _kept.read_at is None or now - _kept.read_at >= FRESH_FOR:
        # First, so that other threads go on with what is there.
        _kept.read_at = now
        try:
            _kept.book = _read()
        except DatabaseError:
            log.warning("the installation's own words for codes could not be read")
    return _kept.book


def _read() -> Book:
    rows = in_force().select_related("written_by")
    return {
        (row.code, row.language[:2]): OwnWords(
            row.title, row.means, row.do, str(row.written_by), row.written_at
        )
        for row in rows
    }


def forget() -> None:
    """Read the words anew at the next one that is shown."""
    _kept.read_at = None


@transaction.atomic
def write_words(*, code: str, language: str, words: dict[str, str], by: User) -> CodeText:
    """Put words in force; those before end and stay in the history. `words` has title, means and do."""
    _end(code, language, by)
    row = CodeText.objects.create(code=code, language=language, written_by=by, **words)
    note(row, kind=Audit.Kind.TEXT, action=Audit.Action.CHANGED, by=by, fields=_named(row))
    transaction.on_commit(forget)
    return row


@transaction.atomic
def take_back(*, row: CodeText, by: User) -> bool:
    """Back to the shipped words; False if these were in force no more."""
    if not _end(row.code, row.language, by):
        return False
    note(row, kind=Audit.Kind.TEXT, action=Audit.Action.REMOVED, by=by, fields=_named(row))
    transaction.on_commit(forget)
    return True


def _end(code: str, language: str, by: User) -> int:
    rows = in_force().filter(code=code, language=language)
    return rows.update(ended_at=timezone.now(), ended_by=by)


def _named(row: CodeText) -> list[str]:
    """The audit says which code, in which language and which parts; the words stand in the row."""
    return [row.code, row.language, *(part for part in PARTS if getattr(row, part))]


def written_codes() -> list[Code]:
    """Codes outside the table that the installation wrote words for, smallest number first."""
    rows = {row.code: row.row for row in in_force().order_by("code")}
    return [code for code in rows.values() if not code.listed and code.errcode is not None]
