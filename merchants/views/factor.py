"""The second factor: an app on the person's phone that shows a code every half minute."""

import base64
import io
import time
from typing import NamedTuple

import qrcode
import qrcode.image.svg
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from merchants import people
from merchants.kept import kept
from merchants.models import User
from merchants.queries import factor_of, needs_second_factor
from merchants.views import MemberRequest
from merchants.views.signin import go_on

SALT = "merchants.views.factor"
OFFERED_FOR = 1800


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: MemberRequest) -> HttpResponse:
    """Set it up with a code as proof, or give it up with one."""
    if factor_of(request.user) is not None:
        return _give_up(request) if request.method == "POST" else _page(request)
    return _set_up(request) if request.method == "POST" else _page(request)


def factor_with(request: HttpRequest, text: str) -> HttpResponse:
    """The set-up in place of the page that a form was sent to; the form goes on after it."""
    return _page(request, text=text)


def _set_up(request: MemberRequest) -> HttpResponse:
    key = _offered(request.POST.get("offer", ""), request.user)
    proof = _proof(key, request.POST.get("code", "")) if key else None
    if key is None or proof is None:
        return _page(
            request, key, _("验证码不对，请输入手机上现在显示的那一个。"), request.POST.get("kept", "")
        )
    people.add_factor(user=request.user, key=key, drift=proof.drift, last_t=proof.last_t)
    request.user.refresh_from_db()
    update_session_auth_hash(request, request.user)
    messages.info(request, _("两步验证已开启。下次登录时除了密码还要输入手机上的验证码。"))
    held = kept(request.POST.get("kept", ""))
    return go_on(request, held) if held else redirect("person")


class Proof(NamedTuple):
    """Where the phone's clock stands, and the code that must not be used again."""

    drift: int
    last_t: int


def _proof(key: str, code: str) -> Proof | None:
    totp = TOTP(bytes.fromhex(key))
    totp.time = time.time()
    typed = code.strip()
    if not (typed.isascii() and typed.isdigit() and totp.verify(int(typed), tolerance=1)):
        return None
    return Proof(totp.drift, totp.t())


def _give_up(request: MemberRequest) -> HttpResponse:
    device = factor_of(request.user)
    if device is None or not device.verify_token(request.POST.get("code", "").strip()):
        return _page(request, error=_("验证码不对，请等几秒，输入手机上现在显示的那一个。"))
    people.remove_factor(user=request.user, by=request.user)
    request.user.refresh_from_db()
    update_session_auth_hash(request, request.user)
    messages.info(request, _("两步验证已关闭。"))
    return redirect("person")


def _page(request: HttpRequest, key: str | None = None, error: str = "", text: str = "") -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    context = {"error": error, "kept": text, "is_required": needs_second_factor(request.user)}
    if factor_of(request.user) is None:
        context |= _offer(request.user, key or default_key())
    else:
        context |= {
            "has_factor": True,
            "is_admin_rule": settings.REQUIRE_ADMIN_TOTP and request.user.is_staff,
        }
    return render(request, "merchants/second_factor.html", context)


def _offer(user: User, key: str) -> dict[str, str]:
    """A key to scan; it is stored when a code proves that the phone has it, until then it is in the form."""
    device = TOTPDevice(user=user, key=key)
    plain = base64.b32encode(device.bin_key).decode()
    spaced = " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))
    return {"offer": signing.dumps([user.pk, key], salt=SALT), "picture": _picture(device), "key": spaced}


def _offered(text: str, user: User) -> str | None:
    try:
        owner, key = signing.loads(text, salt=SALT, max_age=OFFERED_FOR)
    except signing.BadSignature:
        return None
    return str(key) if owner == user.pk else None


def _picture(device: TOTPDevice) -> str:
    """The QR code as a data: picture; it is made here and goes nowhere else."""
    drawn = io.BytesIO()
    qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathFillImage, box_size=14).save(drawn)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
