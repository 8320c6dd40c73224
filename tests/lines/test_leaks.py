"""Canaries of every kind, through everything that writes: logs, pages, mails, the database file."""

import logging
import os
import socket
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import path
from django.utils import timezone

from config.urls import urlpatterns as real
from merchants import errands, lines
from merchants.credentials import state_of
from merchants.kept import kept
from merchants.models import Credential, Errand, User
from shipping.models import Shipment
from tests.conftest import SECRET
from tests.faults.test_leaks import database
from tests.flows.test_dispatch import ship
from tests.lines.conftest import DOOR, PLATFORM, Provider
from tests.pages.test_admin import admin
from tests.pages.test_desk import page, run_tasks
from wechat.endpoints import COURIERS_OLD
from wechat.secrets import RedactionFilter, Token, guard_handlers

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin"]  # the fixture
TYPED = "CANARY-typed-into-a-form-0123456789"
CODE = "CANARY-auth-code-in-the-query-0123"
REFRESH = "CANARY-refresh-token-0123456789abc"


def breaks(request: Any) -> None:
    """A page that fails with everything in its hands."""
    row = Credential.objects.get()
    token, secret, line = row.access_token, row.app_secret, lines.current(row.merchant)
    raise RuntimeError(f"{token} {secret} {row.refresh_token} {line} https://x/?access_token={token}")


urlpatterns = [path("breaks/", breaks), *real]


@pytest.fixture
def canaries(world: Any) -> set[str]:
    Credential.objects.update(refresh_token=REFRESH)
    row = Credential.objects.get()
    return {row.access_token, row.app_secret, REFRESH, TYPED, CODE}


@pytest.fixture
def broken(settings: Any, canaries: set[str], admin: Client) -> Client:
    settings.ROOT_URLCONF = "tests.lines.test_leaks"
    settings.ADMINS = [("", "ops@example.com")]
    admin.raise_request_exception = False
    return admin


def test_the_500_mail_holds_none(broken: Client, canaries: set[str], capfd: Any) -> None:
    answer = broken.post(f"/breaks/?auth_code={CODE}&page=1", {"new_secret": TYPED})
    assert answer.status_code == 500
    sent: Any
    [sent] = mail.outbox
    told = str(sent.message()) + sent.subject + sent.body + "".join(str(a) for a, _ in sent.alternatives)
    assert "RuntimeError" in told, "a report that says what broke"
    seen = told + page(answer) + capfd.readouterr().err
    assert not [canary for canary in canaries if canary in seen]


def test_the_debug_page_holds_none(broken: Client, canaries: set[str], settings: Any) -> None:
    settings.DEBUG = True
    answer = broken.post(f"/breaks/?auth_code={CODE}&page=1", {"new_secret": TYPED})
    shown = page(answer)
    assert "RuntimeError" in shown
    assert "new_secret" in shown
    assert not [canary for canary in canaries if canary in shown]


def unreachable() -> str:
    with socket.create_server(("127.0.0.1", 0)) as once:
        return f"http://127.0.0.1:{once.getsockname()[1]}"


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in (None, "urllib3", "urllib3.connectionpool", "urllib3.util.retry", "http.client"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


FAULTS = {
    "refused": "",
    "time-out": "timeout_not_accepted",
    "reset": "reset_before",
    "HTTP error": "http500_before",
    "bad JSON": "truncated_json",
    "redirect": "redirect_307",
    "drip": "drip",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_way_to_fail_leaves_one_behind(
    world: Any,
    pump: Any,
    settings: Any,
    loud: Any,
    capfd: Any,
    canaries: set[str],
    monkeypatch: Any,
    fault: str,
) -> None:
    monkeypatch.setattr("shipping.dispatch.readiness.BETWEEN_CALLS", timedelta(0))
    settings.WECHAT_TIMEOUT, settings.SETTLE_GRACE = (0.3, 0.3, 0.5), 0.3
    shipment = ship(world.order())
    Credential.objects.update(token_expires_at=None)
    if FAULTS[fault]:
        for call in ("delivery/send", "stable_token"):
            world.remote.fault(FAULTS[fault], call=call)
    else:
        settings.WECHAT_API_URL = unreachable()
    pump(0.1)
    # A new token could not be fetched. With the old one and without the wait, the send fails, too.
    Credential.objects.update(token_expires_at=timezone.now() + timedelta(hours=1))
    Shipment.objects.update(due_at=timezone.now())
    pump(1)
    assert (fault == "refused") == (not world.sends(shipment.order))
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    pages = "".join(
        page(client.get(url)) for url in ("/", f"/orders/{shipment.order.order_id}/", "/history/")
    )
    out = capfd.readouterr()
    seen, raw = loud.text + out.out + out.err + pages, database()
    canaries.add(Credential.objects.get().access_token)
    assert not [canary for canary in canaries if canary in seen or canary.encode() in raw]
    assert SECRET in canaries


def test_every_handler_has_the_filter() -> None:
    late = logging.getLogger("a.server.of.its.own")
    late.addHandler(handler := logging.StreamHandler())
    guard_handlers()
    assert any(isinstance(one, RedactionFilter) for one in handler.filters)
    guard_handlers()
    assert len(handler.filters) == 1
    late.removeHandler(handler)


def test_the_process_logs_through_the_filter_from_the_start(capfd: Any, world: Any) -> None:
    code = (
        "import logging, config.wsgi\n"
        "from wechat.secrets import Token\n"
        f"token = Token('{REFRESH}')\n"
        "for name in ('', 'gunicorn.error', 'django.request', 'urllib3'):\n"
        "    logging.getLogger(name).error('seen: %s', token.reveal())\n"
        "    logging.getLogger(name).error('/?auth_code=abcdef')\n"
    )
    before = (
        "import logging; log = logging.getLogger('gunicorn.error'); log.addHandler(logging.StreamHandler())\n"
    )
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", before + code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stderr.count("seen: ***") >= 3
    assert REFRESH not in done.stderr
    assert "abcdef" not in done.stderr


def test_a_form_with_secrets_is_not_written_into_the_login_page(world: Any, admin: Client) -> None:
    url = f"/admin/merchants/credential/{Credential.objects.get().pk}/change/"
    asked = Client().post(url, {"mode": "own", "new_secret": TYPED, "new_token": TYPED})
    text = page(asked).split('name="kept" value="')[1].split('"')[0]
    held = kept(text)
    assert held is not None
    assert held == (url, [("mode", "own")], True)


def test_what_a_worker_stumbles_over_is_not_stored_with_its_secret(world: Any) -> None:
    errand = Errand.objects.create(kind="query_auth", merchant=world.merchant, given=CODE)
    errands.run(errand.pk)
    errand.refresh_from_db()
    assert errand.given == "", "used up"
    assert CODE.encode() not in database()


def test_a_redirect_is_never_followed_with_the_token(world: Any) -> None:
    line = lines.ensure(world.merchant)
    assert line is not None
    world.remote.ask("DELETE", "/_sandbox/ledger")
    world.remote.fault("redirect_307", call="deliverycompanylist/get")
    assert line.call(COURIERS_OLD, {}).slug == "redirected"
    assert len(world.remote.ledger()) == 1
    assert isinstance(line.held and line.held.token, Token)
    assert str(line.held and line.held.token) in repr(line)


def test_a_third_partys_day_leaves_none_behind(
    authorized: Provider, admin: Client, pump: Any, loud: Any, capfd: Any
) -> None:
    """Link, return, shipping, a failed refresh, a bent push, every page an admin and a superuser can open."""
    url = f"/admin/merchants/credential/{authorized.row.pk}/change/"
    link = admin.post(url, {"mode": "component", "_link": "1"})
    run_tasks()
    code = authorized.world.remote.authorize(PLATFORM, authorized.world.merchant.appid)
    landed = admin.get(f"/wechat/authorized/{state_of(Errand.objects.get(kind='link'))}/?auth_code={code}")
    run_tasks()
    shipment = ship(authorized.world.order())
    authorized.world.remote.fault("truncated_json", call="api_authorizer_token")
    Credential.objects.update(token_expires_at=timezone.now())
    pump(3)
    Client().post(f"{DOOR}?msg_signature=x&timestamp=1&nonce=2", "<xml/>", content_type="text/xml")
    root = Client()
    root.force_login(User.objects.get(username="root"))
    order = f"/orders/{shipment.order.order_id}/"
    pages = "".join(page(admin.get(one)) for one in (url, landed.url, "/", order, "/admin/merchants/errand/"))
    lists = ("platform", "platform/1/change", "pushedevent", "credential", "errand", "pause")
    pages += "".join(page(root.get(f"/admin/merchants/{one}/")) for one in lists)
    row, platform = authorized.row, authorized.platform
    canaries = {
        *(row.access_token, row.refresh_token, code),
        *(platform.access_token, platform.verify_ticket, platform.app_secret),
        *(platform.push_token, platform.aes_key),
    }
    dump = StringIO()
    call_command("dumpdata", stdout=dump)
    out = capfd.readouterr()
    seen, raw = loud.text + out.out + out.err + pages + dump.getvalue(), database()
    assert len(canaries) == 8
    assert not [canary for canary in canaries if canary in seen or canary.encode() in raw]
    pre_auth_code = page(admin.get(link.url)).split("pre_auth_code=")[1].split("&")[0]
    assert pre_auth_code not in seen, "shown on the one page that is for it, and nowhere else"
    assert pre_auth_code.encode() not in raw
