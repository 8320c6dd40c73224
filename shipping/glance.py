"""The stores of an admin at a glance, for Django admin's home: one line a store, a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Subquery
from django.utils import timezone

from merchants.models import Channel, Credential, Membership, Merchant, Mode, Pause, Role, User
from merchants.queries import merchants_for, open_pauses

from . import states
from .lists import AT_MOST
from .models import Alert, Attempt, Package, SyncCursor
from .strange import unexplained_codes

SHOWN = 50


class Glance(NamedTuple):
    """A store: how it is called and until when, what worked last, what has stopped it, who works there."""

    merchant: Merchant
    credential: Credential | None
    pauses: list[Pause]
    # The last parcel that WeChat registered, the last reading of orders that went through to its end.
    sent_at: datetime | None
    read_at: datetime | None
    read_error: str
    waiting: int
    members: int
    unknown: int
    # Where the store's people are told of trouble.
    channels: list[Channel]
    # What needs a person now, as people are told.
    alerts: int

    @property
    def token_ends(self) -> datetime | None:
        """Until when the token is good; None where there is none, or none is needed."""
        return self.credential.token_expires_at if self.credential else None

    @property
    def failing(self) -> list[Channel]:
        """What was said there last did not get through."""
        return [channel for channel in self.channels if channel.is_failing]

    @property
    def needs_token(self) -> bool:
        return self.credential is None or self.credential.mode != Mode.CLOUD

    @property
    def has_token(self) -> bool:
        return self.token_ends is not None and self.token_ends > timezone.now()


def glances_for(user: User, most: int = SHOWN) -> list[Glance]:
    """The stores where the user is an admin, those that stand still first, then by name."""
    stands = Exists(open_pauses().filter(merchant=OuterRef("pk")))
    sent = Attempt.objects.filter(merchant=OuterRef("pk"), errcode=0).order_by("-started_at")
    stores = merchants_for(user, Role.ADMIN).annotate(
        stands=stands, sent_at=Subquery(sent.values("started_at")[:1])
    )
    rows = list(stores.order_by("-stands", "name", "pk")[:most])
    return _together(rows, [row.pk for row in rows])


def _together(rows: Iterable[Any], keys: list[int]) -> list[Glance]:
    credentials = {row.merchant_id: row for row in _credentials(keys)}
    errors = dict(SyncCursor.objects.filter(merchant__in=keys).values_list("merchant", "error"))
    pauses = _grouped(open_pauses().filter(merchant__in=keys).order_by("call", "-started_at"))
    channels = _grouped(_channels(keys))
    members = _counted(Membership.objects.filter(merchant__in=keys, is_active=True, user__is_active=True))
    alerts = _counted(Alert.objects.filter(merchant__in=keys, ended_at=None))
    unknown = _counted(unexplained_codes().filter(merchant__in=keys))
    return [
        Glance(
            row, credentials.get(row.pk), pauses[row.pk], row.sent_at, row.orders_read_at,
            errors.get(row.pk, ""), _waiting(row) if pauses[row.pk] else 0, members.get(row.pk, 0),
            unknown.get(row.pk, 0), channels[row.pk], alerts.get(row.pk, 0),
        )
        for row in rows
    ]  # fmt: skip


def _channels(keys: list[int]) -> Iterable[Channel]:
    """The address of a group is a secret, and not needed."""
    rows = Channel.objects.filter(merchant__in=keys, is_active=True)
    return rows.only("merchant", "name", "succeeded_at", "failed_at")


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.merchant_id].append(row)
    return found


def _credentials(keys: list[int]) -> Iterable[Credential]:
    """No secret is opened for a page that shows none."""
    known = ("merchant", "mode", "token_expires_at", "failed_at", "failed_reason", "failed_errcode")
    return Credential.objects.filter(merchant__in=keys).only(*known)


def _counted(rows: Any) -> dict[int, int]:
    return dict(rows.order_by().values_list("merchant").annotate(n=Count("pk")))


def _waiting(merchant: Merchant) -> int:
    """Parcels behind a pause, up to a number that is many."""
    rows = Package.objects.filter(merchant=merchant, status=states.QUEUED)
    return rows.order_by()[: AT_MOST + 1].count()
