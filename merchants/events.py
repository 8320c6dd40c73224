"""Events that WeChat pushes, to the third-party platform and to a store: stored at once, worked off later
(store-api 3.2, 4).

Nothing here speaks to WeChat: what has to be asked becomes an Errand. What tells of an order is a hint that
it is to be read, and is over when it was read; orders are above us, so they are told by name (`wake.tell`).
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from wechat.envelope import Forged, read_message

from .audit import note
from .credentials import take_code
from .models import Audit, Credential, Merchant, Mode, Platform, PushedEvent
from .services import pause_merchant
from .wake import tell, wake

log = logging.getLogger(__name__)
KEPT_FOR = timedelta(days=30)
# The event's clock counts whole seconds and is WeChat's.
SAME_MOMENT = timedelta(seconds=2)


@transaction.atomic
def store(message: bytes, merchant: Merchant | None = None) -> None:
    """Keep one decrypted event and have it worked off, once however often and however late it is pushed.

    `merchant`: the store whose door it came through. Raises Forged for what has no name or no time: it cannot
    be told from a repetition.
    """
    values = read_message(message)
    source = values.get("AppId") or values.get("ToUserName") or ""
    name, moment = values.get("InfoType") or values.get("Event") or "", values.get("CreateTime", "")
    if not name or _number(moment) is None:
        raise Forged("event")
    event, is_new = PushedEvent.objects.get_or_create(
        source=source[:64],
        name=name[:64],
        create_time=int(moment),
        order_id=_order_id(values) if merchant else "",
        body_hash=hashlib.sha256(message).hexdigest(),
        defaults={
            "body": message.decode(errors="replace"),
            "merchant": merchant,
            "detail": _number(values.get("order_info.type", "")),
        },
    )
    if is_new:
        _hand_on(event)


def _hand_on(event: PushedEvent) -> None:
    if event.merchant is not None and event.order_id:
        tell(event.merchant, event.order_id, event.name, event.detail, _moment(event))
    else:
        wake("handle_event", str(event.pk))


def _order_id(values: dict[str, str]) -> str:
    """The order an event is about, in whichever object it stands (store-api 4.1); "" if it names none."""
    named = (text for path, text in values.items() if path.rpartition(".")[2] == "order_id")
    return next((text for text in named if text.isascii() and text.isdigit() and len(text) <= 32), "")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def handled(merchant: Merchant, order_id: str, until: datetime) -> None:
    """The order was read by a call begun at `until`, or cannot be read: what came before is over."""
    told = PushedEvent.objects.filter(merchant=merchant, order_id=order_id, handled_at=None)
    told.filter(received_at__lte=until).update(handled_at=timezone.now())


@transaction.atomic
def handle(pk: int) -> None:
    """Work off one event, once."""
    if not PushedEvent.objects.filter(pk=pk, handled_at=None).update(handled_at=timezone.now()):
        return
    event = PushedEvent.objects.get(pk=pk)
    if handler := HANDLERS.get(event.name):
        handler(read_message(event.body.encode()), _moment(event))


def catch_up() -> None:
    """Work off what was stored but not handed out, oldest first; what tells of an order waits for a read."""
    waiting = PushedEvent.objects.filter(handled_at=None, order_id="").order_by("id")
    for pk in waiting.values_list("pk", flat=True):
        try:
            handle(pk)
        except Exception:
            log.exception("event=%s: fault of our own", pk)


def forget_old() -> None:
    """Events go after a month; WeChat repeats a push for some hours only."""
    PushedEvent.objects.filter(received_at__lt=timezone.now() - KEPT_FOR).delete()


def _moment(event: PushedEvent) -> datetime:
    return datetime.fromtimestamp(event.create_time, tz=UTC)


def _take_ticket(values: dict[str, str], when: datetime) -> None:
    """The newest ticket wins, whatever order they arrive in."""
    newer = Q(ticket_at=None) | Q(ticket_at__lt=when)
    rows = Platform.objects.filter(newer, appid=values.get("AppId", ""))
    rows.update(verify_ticket=values.get("ComponentVerifyTicket", ""), ticket_at=when)


def _authorized(values: dict[str, str], when: datetime) -> None:
    """Bought in the service market, or changed: the code in the event is all there is to it."""
    merchant = _merchant(values)
    if merchant is not None and (code := values.get("AuthorizationCode")):
        take_code(merchant=merchant, code=code, by=None)


def _unauthorized(values: dict[str, str], when: datetime) -> None:
    """The owner took it back: nothing of theirs is kept, the store stops."""
    merchant = _merchant(values)
    if merchant is None:
        return
    is_current = Q(authorized_at=None) | Q(authorized_at__lt=when + SAME_MOMENT)
    stopped = Credential.objects.filter(is_current, merchant=merchant).update(
        access_token="",
        refresh_token="",
        token_expires_at=None,
        token_version=F("token_version") + 1,
        permission_sets=[],
        cancelled_at=timezone.now(),
    )
    if stopped:
        _note_cancelled(merchant)
        pause_merchant(merchant=merchant, slug="authorization_cancelled")


def _note_cancelled(merchant: Merchant) -> None:
    row = Credential.objects.only("pk").get(merchant=merchant)
    note(
        row, kind=Audit.Kind.CREDENTIAL, action=Audit.Action.REMOVED, by=None, fields=["authorization"],
        merchant=merchant,
    )  # fmt: skip


def _merchant(values: dict[str, str]) -> Merchant | None:
    """The store an event is about, if it is called through the platform at all."""
    appid = values.get("AuthorizerAppid", "")
    return Merchant.objects.filter(appid=appid, credential__mode=Mode.COMPONENT).first()


HANDLERS: dict[str, Callable[[dict[str, str], datetime], None]] = {
    "component_verify_ticket": _take_ticket,
    "authorized": _authorized,
    "updateauthorized": _authorized,
    "unauthorized": _unauthorized,
}
