"""Writing down who changed what: names of fields, never their values."""

from collections.abc import Iterable

from django.db.models import Model

from .models import Audit, Merchant, User


def note(
    row: Model,
    *,
    kind: Audit.Kind,
    by: User | None,
    fields: Iterable[str],
    action: Audit.Action = Audit.Action.CHANGED,
    merchant: Merchant | None = None,
    person: User | None = None,
) -> Audit:
    """One row of the audit, in the caller's transaction."""
    name = f"{row._meta.model_name} {row.pk}"
    return Audit.objects.create(
        kind=kind, by=by, action=action, row=name, fields=sorted(fields), merchant=merchant, person=person
    )
