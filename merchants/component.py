"""The third-party platform's way: its own token from the pushed ticket, a store's from the refresh token.

store-api 3.2. Each fetch is a step; `lines` asks again after each until the store's token is there.
"""

from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from wechat.endpoints import AUTHORIZER_INFO, AUTHORIZER_LIST, AUTHORIZER_TOKEN, COMPONENT_TOKEN
from wechat.errcodes import meaning
from wechat.outcomes import read_outcome
from wechat.payload import (
    authorizer_info_body,
    authorizer_list_body,
    authorizer_token_body,
    component_token_body,
)
from wechat.replies import Reply, ReplyKind

from . import tokens
from .audit import note
from .models import Audit, Credential, Merchant, Pause, Platform, TokenRow, User, platform_host
from .once import forget
from .queries import SHIPPING_SET, the_platform
from .services import pause_merchant
from .tokens import Held, Kept, Wanted

TICKET_LIFE = timedelta(hours=12)
# A platform's token refused twice within this time is not cured by another fetch.
AGAIN = timedelta(seconds=60)
# The list is asked for a lost refresh token once in a while, not in a loop.
LOOK_AGAIN = timedelta(minutes=10)
REFRESH_TOKEN_LOST = 61023
PAGE = 500
CURED_SLUGS = ("authorization_cancelled", "not_authorized", "permission_set_missing")
CURED_CODES = (REFRESH_TOKEN_LOST, 61007)


def third_party(row: Credential) -> Wanted | None:
    """The next fetch on the way to a store's authorizer_access_token."""
    platform = the_platform()
    if platform is None or row.cancelled_at:
        return None
    if wanted := platform_token(platform):
        return wanted
    held = tokens.held(platform)
    if held is None or _looked_lately(row) or not tokens.take_lease(row):
        return None
    return _refresh(row, platform, held) if row.refresh_token else _recover(row, platform, held)


def missing(row: Credential) -> TokenRow:
    """Whose token is fetched first: the platform's while it has none, then the store's."""
    platform = the_platform()
    return row if platform is None or tokens.held(platform) else platform


def last_failure() -> Platform | None:
    """The platform's row when its last fetch failed; its secrets stay shut."""
    secrets = ("app_secret", "push_token", "aes_key", "verify_ticket", "access_token")
    rows = Platform.objects.defer(*secrets).filter(api_host=platform_host(), failed_at__isnull=False)
    return rows.first()


def _looked_lately(row: Credential) -> bool:
    looked = row.recovered_at
    return not row.refresh_token and looked is not None and looked > timezone.now() - LOOK_AGAIN


# --- the platform's own token ---------------------------------------------------------------------------


def platform_token(platform: Platform) -> Wanted | None:
    """The component_access_token if it is time to fetch it and a ticket is there."""
    if not tokens.needs_renewal(platform) or not has_ticket(platform) or not platform.app_secret:
        return None
    if not tokens.take_lease(platform):
        return None
    body = component_token_body(platform.appid, platform.app_secret, platform.verify_ticket)
    fetch = partial(tokens.client().call, COMPONENT_TOKEN, body)
    return Wanted(fetch, partial(_keep_platform_token, platform))


def has_ticket(platform: Platform) -> bool:
    """Whether a ticket came within its twelve hours."""
    came = platform.ticket_at
    return bool(platform.verify_ticket) and came is not None and came > timezone.now() - TICKET_LIFE


def _keep_platform_token(platform: Platform, reply: Reply) -> Kept:
    kept = tokens.keep(platform, reply, "component_access_token")
    return Kept.STEP if kept is Kept.TOKEN else kept


# --- a store's token ------------------------------------------------------------------------------------


def _refresh(row: Credential, platform: Platform, held: Held) -> Wanted:
    body = authorizer_token_body(platform.appid, row.merchant.appid, row.refresh_token)
    fetch = partial(tokens.client().call, AUTHORIZER_TOKEN, body, token=held.token)
    return Wanted(fetch, partial(_keep_refreshed, row, platform, held))


def _keep_refreshed(row: Credential, platform: Platform, held: Held, reply: Reply) -> Kept:
    if reply.ok and reply.data.get("authorizer_access_token"):
        # Both in one commit: a refresh token lost between two would be gone.
        fresh = str(reply.data.get("authorizer_refresh_token") or row.refresh_token)
        return tokens.keep(row, reply, "authorizer_access_token", refresh_token=fresh)
    if reply.errcode == REFRESH_TOKEN_LOST and not _recovered_lately(row):
        tokens.same(row).update(refresh_token="", recovered_at=None, lease_until=timezone.now())
        return Kept.STEP
    return _failed(row, platform, held, reply)


def _recovered_lately(row: Credential) -> bool:
    return row.recovered_at is not None and row.recovered_at > timezone.now() - LOOK_AGAIN


def _failed(row: Credential, platform: Platform, held: Held, reply: Reply) -> Kept:
    """A platform's token that was refused is renewed once; everything else is the store's failure."""
    if read_outcome(reply).then != "renew_token" or _was_refused_before(row):
        tokens.save_failure(row, reply)
        return Kept.NOTHING
    tokens.discard(Platform.objects.filter(pk=platform.pk), held.version)
    now = timezone.now()
    tokens.same(row).update(failed_at=now, failed_errcode=reply.errcode, lease_until=now)
    return Kept.STEP


def _was_refused_before(row: Credential) -> bool:
    """Only a token that comes clears the note, so it tells the second refusal in a row from the first."""
    is_fresh = row.failed_at is not None and row.failed_at > timezone.now() - AGAIN
    return is_fresh and meaning(row.failed_errcode).then == "renew_token"


# --- a refresh token that was lost ----------------------------------------------------------------------


def _recover(row: Credential, platform: Platform, held: Held) -> Wanted:
    # Several calls in one fetch: each is to know until when this thread has promised an answer.
    fetch = partial(copy_context().run, _look_up, platform.appid, row.merchant.appid, held)
    return Wanted(fetch, partial(_keep_found, row, platform, held))


def _look_up(component: str, appid: str, held: Held) -> Reply:
    """The store's place in the list of authorised stores as `data`, with its rights if they could be read."""
    reply = _listed(component, appid, held)
    if not reply.ok or not reply.data:
        return reply
    body = authorizer_info_body(component, appid)
    info = tokens.client().call(AUTHORIZER_INFO, body, token=held.token)
    rights = info.data.get("authorization_info") if info.ok else None
    return replace(reply, data=reply.data | {"rights": rights}) if isinstance(rights, dict) else reply


def _listed(component: str, appid: str, held: Held) -> Reply:
    """Page through the authorised stores until this one; its entry is all that `data` keeps."""
    offset, total = 0, 1
    reply = Reply(ReplyKind.NOT_SENT)
    while offset < total:
        body = authorizer_list_body(component, offset, PAGE)
        reply = tokens.client().call(AUTHORIZER_LIST, body, token=held.token)
        listed = reply.data.get("list") or []
        mine = [one for one in listed if reply.ok and one.get("authorizer_appid") == appid]
        if mine or not reply.ok or not listed:
            return replace(reply, data=mine[0] if mine else {})
        offset, total = offset + len(listed), int(reply.data.get("total_count") or 0)
    return replace(reply, data={})


def _keep_found(row: Credential, platform: Platform, held: Held, reply: Reply) -> Kept:
    if not reply.ok:
        return _failed(row, platform, held, reply)
    now, found = timezone.now(), str(reply.data.get("refresh_token") or "")
    columns = {"refresh_token": found, "recovered_at": now, "lease_until": now}
    if not tokens.same(row).update(**columns, **_rights_found(row, reply)):
        return Kept.STEP
    if found and "rights" in reply.data:
        _heed_rights(row.merchant, permission_sets(reply.data["rights"]))
    return Kept.STEP if found else Kept.NOTHING


def _rights_found(row: Credential, reply: Reply) -> dict[str, Any]:
    """What the store allows may have changed while its refresh token was lost."""
    if "rights" not in reply.data:
        return {}
    when = row.authorized_at or timezone.now()
    return {"permission_sets": permission_sets(reply.data["rights"]), "authorized_at": when}


# --- what a store's owner agreed to ---------------------------------------------------------------------


@transaction.atomic
def accept(merchant: Merchant, info: dict[str, Any], *, by: User | None) -> bool:
    """Store an authorization_info; whether it covers shipping. Without set 131 the store is paused."""
    sets = permission_sets(info)
    row = Credential.objects.only("pk").get(merchant=merchant)
    Credential.objects.filter(merchant=merchant).update(
        **tokens.fresh(str(info.get("authorizer_access_token") or ""), info.get("expires_in")),
        refresh_token=str(info.get("authorizer_refresh_token") or ""),
        permission_sets=sets,
        authorized_at=timezone.now(),
        cancelled_at=None,
        recovered_at=None,
    )
    pauses = Pause.objects.filter(merchant=merchant, ended_at=None)
    pauses.filter(Q(slug__in=CURED_SLUGS) | Q(errcode__in=CURED_CODES)).update(ended_at=timezone.now())
    forget()
    note(
        row, kind=Audit.Kind.CREDENTIAL, action=Audit.Action.ADDED, by=by, fields=["authorization"],
        merchant=merchant,
    )  # fmt: skip
    return _heed_rights(merchant, sets)


def _heed_rights(merchant: Merchant, sets: list[int]) -> bool:
    """Whether the store may be shipped for; it is paused while set 131 is missing, and no longer."""
    slug = "permission_set_missing"
    if SHIPPING_SET not in sets:
        pause_merchant(merchant=merchant, slug=slug)
        return False
    Pause.objects.filter(merchant=merchant, ended_at=None, slug=slug).update(ended_at=timezone.now())
    forget()
    return True


def permission_sets(info: dict[str, Any]) -> list[int]:
    """The ids of func_info, as far as they are what the document promises."""
    listed = info.get("func_info")
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    ids = (kind.get("id") for one in rows if isinstance(kind := one.get("funcscope_category"), dict))
    return sorted(int(each) for each in map(str, ids) if each.isdecimal())


def login_url(component: str, appid: str, code: str, back: str) -> str:
    """The page where the store's owner scans; it sends back to `back` with an auth_code."""
    asked = {"component_appid": component, "pre_auth_code": code, "redirect_uri": back, "biz_appid": appid}
    return f"{settings.WECHAT_LOGIN_URL}/cgi-bin/componentloginpage?{urlencode(asked)}"
