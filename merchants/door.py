"""The door WeChat pushes to: no login, no form token; the signature is the key (store-api 4.3, 4.4)."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from wechat.envelope import Forged, is_signed, open_sealed, read_xml

from . import events
from .models import Platform
from .queries import the_platform

log = logging.getLogger(__name__)
LARGEST = 64 * 1024


@csrf_exempt
@login_not_required
@require_POST
def component_events(request: HttpRequest) -> HttpResponse:
    """Verify, store, answer; the work is done later. What is not from WeChat leaves no row."""
    try:
        events.store(_opened(request, the_platform()))
    except Forged as told:
        log.warning("a push to the component's door was refused: %s", told)
        return HttpResponse(status=403)
    return HttpResponse("success", content_type="text/plain")


def _opened(request: HttpRequest, platform: Platform | None) -> bytes:
    if platform is None or not platform.push_token or not platform.aes_key:
        raise Forged("no platform is set up")
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        raise Forged("size")
    encrypted = read_xml(request.body).get("Encrypt", "")
    asked = request.GET
    stamp, nonce = asked.get("timestamp", ""), asked.get("nonce", "")
    if not is_signed(asked.get("msg_signature", ""), platform.push_token, stamp, nonce, encrypted):
        raise Forged("signature")
    return open_sealed(encrypted, platform.aes_key, platform.appid)
