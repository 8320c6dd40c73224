"""Telling people: what is to be said becomes a row for each channel, and a worker says it.

`notify` is the door for everything that wants to tell a store something. Nothing here calls out.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation

from .audit import note
from .credentials import start
from .models import Audit, Channel, Errand, Merchant, Message, User
from .services import take_secrets
from .wake import wake


class Words(NamedTuple):
    """What is said: one line, and the text below it."""

    title: str
    text: str


def notify(*, merchant: Merchant | None, compose: Callable[[], Words], operator_too: bool = False) -> int:
    """Say something on every active channel of a store (None: of the operator); returns on how many.

    `compose` is called once for each channel, with the channel's language active. The rows belong to the
    caller's transaction, the workers are woken when it commits. `operator_too`: also on the operator's own
    channels, which belong to no store.
    """
    whose = Q(merchant=merchant) | Q(merchant=None) if operator_too else Q(merchant=merchant)
    channels = Channel.objects.filter(whose, is_active=True)
    return len([_write(channel, compose) for channel in channels])


def _write(channel: Channel, compose: Callable[[], Words]) -> Message:
    with translation.override(channel.language):
        title, text = compose()
    message = Message.objects.create(channel=channel, title=title[:120], text=text)
    wake("deliver", str(message.pk))
    return message


@transaction.atomic
def save_channel(*, channel: Channel, secrets: dict[str, str], fields: Iterable[str], by: User) -> None:
    """Add or change a channel; an empty secret keeps what is stored. `fields`: what was changed besides."""
    action = Audit.Action.CHANGED if channel.pk else Audit.Action.ADDED
    changed = [*fields, *take_secrets(channel, secrets, by)]
    if secrets.get("webhook"):
        # A failure of the old address says nothing about the new one.
        channel.failed_at, channel.failure = None, ""
    channel.save()
    note(channel, kind=Audit.Kind.CHANNEL, action=action, by=by, fields=changed, merchant=channel.merchant)


def ask_try(*, channel: Channel, by: User) -> Errand:
    """Have a worker send a test message."""
    return start(Errand.Kind.TELL, merchant=channel.merchant, by=by, given=str(channel.pk))


def close_channels(merchant: Merchant) -> int:
    """Forget where a store was told, for good; returns how many channels it had."""
    rows = Channel.objects.filter(merchant=merchant)
    return rows.update(is_active=False, webhook="", sign_secret="", shown={})


def unsaid() -> QuerySet[Message]:
    """Messages that still wait to be said, whenever they are due."""
    return Message.objects.filter(due_at__isnull=False)
