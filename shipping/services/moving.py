"""`move`, the only door to a package's status."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.utils import timezone

from merchants.models import User

from .. import states
from ..entered import move_status_on
from ..models import (
    Attempt,
    Package,
    StatusChange,
)
from ..serials import follow_move


def move(
    package: Package,
    target: str,
    *,
    who: str,
    by: User | None = None,
    packer: User | None = None,
    attempt: Attempt | None = None,
    reason: str = "",
    **columns: Any,
) -> None:
    """Move a package along the table of states, with its StatusChange row, in the caller's transaction.

    The update hits one row only if nobody moved the package first. The ledger of devices follows. Raises
    states.IllegalMove.
    """
    source = package.status
    if not states.is_allowed(source, target, who):
        raise states.IllegalMove(f"{source} -> {target} by {who}")
    values = {"status": target, "status_at": timezone.now(), **columns}
    if attempt is not None:
        values["attempt"] = attempt
    # A run that was taken for dead moves nothing that another has claimed again.
    held = {"attempt": attempt} if attempt is not None and source != states.QUEUED else {}
    if not Package.objects.filter(pk=package.pk, status=source, **held).update(**values):
        raise states.IllegalMove(f"package {package.pk} is no longer {source}")
    for name, value in values.items():
        setattr(package, name, value)
    StatusChange.objects.create(
        package=package, source=source, target=target, who=who, by=by, packer=packer, attempt=attempt,
        reason=reason[:300],
    )  # fmt: skip
    follow_move([package], source, target)
    if target == states.SHIPPED:
        move_status_on(attempt.order if attempt else package.order)


def move_all(packages: Collection[Package], target: str, *, who: str, by: User | None = None) -> None:
    """`move` for many that nobody has moved meanwhile; raises states.IllegalMove if one of them was."""
    now, sources = timezone.now(), {package.status for package in packages}
    for source in sources:
        if not states.is_allowed(source, target, who):
            raise states.IllegalMove(f"{source} -> {target} by {who}")
        keys = [package.pk for package in packages if package.status == source]
        rows = Package.objects.filter(pk__in=keys, status=source)
        if rows.update(status=target, status_at=now) != len(keys):
            raise states.IllegalMove(f"some of {len(keys)} packages are no longer {source}")
        follow_move([package for package in packages if package.status == source], source, target)
    StatusChange.objects.bulk_create(
        StatusChange(package=p, source=p.status, target=target, at=now, who=who, by=by) for p in packages
    )
    for package in packages:
        package.status, package.status_at = target, now


def is_unsettled(attempt: Attempt) -> bool:
    """Whether one of its packages is sending, unknown or in conflict."""
    return attempt.packages.filter(status__in=states.OPEN).exists()


def close_attempt_if_settled(attempt: Attempt | None, now: datetime) -> None:
    """An attempt is closed when none of its packages is unsettled any more."""
    if attempt is None:
        return
    if not is_unsettled(attempt):
        Attempt.objects.filter(pk=attempt.pk, closed_at=None).update(closed_at=now, next_read_at=None)
