"""The doors WeChat pushes to: no login, no form token; the signature is the key (store-api 4.3, 4.4)."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from wechat.envelope import Forged, is_signed, open_sealed, read_message

from . import events
from .fields import SecretUnreadable
from .models import Merchant
from .queries import authorized_merchant, push_credential, the_platform

log = logging.getLogger(__name__)
LARGEST = 64 * 1024


class Lock(NamedTuple):
    """What a push must fit: whose it is, and the two secrets agreed on with WeChat."""

    appid: str
    token: str
    aes_key: str


@csrf_exempt
@login_not_required
@require_POST
def component_events(request: HttpRequest) -> HttpResponse:
    """What is pushed to our third-party platform itself: tickets, authorisations."""
    try:
        events.store(_opened(request, _platform_lock()))
    except Forged as told:
        return _refused(told, "the component's door")
    return _said("success")


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
def store_events(request: HttpRequest, key: str) -> HttpResponse:
    """One store's own door, named by an unguessable key. GET: WeChat checks the address before saving it.

    Verify, store, answer; the work is done later. What is not from WeChat leaves no row. Age is no reason to
    refuse: WeChat repeats a push for hours.
    """
    return _through(request, lambda: _store_lock(key))


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
def authorized_store_events(request: HttpRequest, appid: str) -> HttpResponse:
    """A store called through our third-party platform: pushed under the platform's lock (store-api 4.2).

    The address says whose it is and is not signed; a bent one has an order read that is not there.
    """
    return _through(request, lambda: (_authorized(appid), _platform_lock()))


def _through(request: HttpRequest, unlock: Callable[[], tuple[Merchant, Lock]]) -> HttpResponse:
    try:
        merchant, lock = unlock()
        if request.method == "GET":
            return _said(_echo(request.GET, lock))
        events.store(_opened(request, lock), merchant)
    except Forged as told:
        return _refused(told, "a store's door")
    except SecretUnreadable:
        log.error("no key in CREDENTIAL_KEYS opens the secrets of a store's door")
        # WeChat repeats the push; by then the key may be back.
        return HttpResponse(status=503)
    return _said("success")


def _platform_lock() -> Lock:
    platform = the_platform()
    if platform is None:
        raise Forged("no platform is set up")
    return Lock(platform.appid, platform.push_token, platform.aes_key)


def _authorized(appid: str) -> Merchant:
    merchant = authorized_merchant(appid)
    if merchant is None:
        raise Forged("no such store")
    return merchant


def _store_lock(key: str) -> tuple[Merchant, Lock]:
    row = push_credential(key)
    if row is None:
        raise Forged("no such store")
    return row.merchant, Lock(row.merchant.appid, row.push_token, row.aes_key)


def _echo(asked: QueryDict, lock: Lock) -> str:
    """The echostr as it came or, where the check is encrypted like a push, what was in it."""
    echo = asked.get("echostr", "")
    if not lock.token or not echo:
        raise Forged("no address is being checked")
    if _is_signed(asked, "signature", lock):
        return echo
    if not _is_signed(asked, "msg_signature", lock, echo):
        raise Forged("signature")
    return _unsealed(echo, lock).decode(errors="replace")


def _opened(request: HttpRequest, lock: Lock) -> bytes:
    if not lock.token or int(request.headers.get("Content-Length") or 0) > LARGEST:
        raise Forged("size, or no Token")
    # Nothing but the envelope is read before the signature; a message in clear is in none (store-api 4.2).
    encrypted = read_message(request.body).get("Encrypt", "")
    if not encrypted or not _is_signed(request.GET, "msg_signature", lock, encrypted):
        raise Forged("signature")
    return _unsealed(encrypted, lock)


def _is_signed(asked: QueryDict, name: str, lock: Lock, encrypted: str = "") -> bool:
    stamp, nonce = asked.get("timestamp", ""), asked.get("nonce", "")
    return is_signed(asked.get(name, ""), lock.token, stamp, nonce, encrypted)


def _unsealed(encrypted: str, lock: Lock) -> bytes:
    if not lock.aes_key:
        raise Forged("no EncodingAESKey")
    return open_sealed(encrypted, lock.aes_key, lock.appid)


def _refused(told: Forged, door: str) -> HttpResponse:
    log.warning("a push to %s was refused: %s", door, told)
    return HttpResponse(status=403)


def _said(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
