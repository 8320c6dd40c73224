"""Who changed how a store is called: names of fields, never what was typed."""

import time
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from merchants.models import Audit, Credential, User
from tests.lines.conftest import PLATFORM, Provider
from tests.pages.test_admin import admin
from tests.pages.test_desk import page

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin"]  # the fixture
TYPED = "CANARY-typed-0123456789"


def noted() -> list[tuple[str, list[str]]]:
    rows = Audit.objects.filter(kind="credential", by__isnull=False).order_by("id")
    return list(rows.values_list("by__username", "fields"))


def save(client: Client, **typed: str) -> None:
    url = f"/admin/merchants/credential/{Credential.objects.get().pk}/change/"
    assert client.post(url, {"new_secret": "", **typed}).status_code == 302


def test_mode_pasted_token_and_secret_are_noted(world: Any, admin: Client) -> None:
    save(admin, mode="own")
    assert noted() == [], "nothing was changed"
    save(admin, mode="pasted", new_token=TYPED, minutes="5")
    save(admin, mode="pasted", new_token=TYPED, minutes="5")
    save(admin, mode="own", new_secret=TYPED)
    fields = [["mode"], ["access_token"], ["access_token"], ["app_secret"], ["mode"]]
    assert noted() == [("boss", each) for each in fields]
    assert TYPED not in str(list(Audit.objects.values()))
    shown = page(admin.get("/admin/merchants/audit/"))
    assert "调用方式" in shown
    assert TYPED[-4:] not in shown


def test_the_platform_is_noted_and_only_superusers_see_it(provider: Provider, admin: Client) -> None:
    root = Client()
    root.force_login(User.objects.get(username="root"))
    typed = {"appid": "wxother", "new_push_token": TYPED}
    assert root.post("/admin/merchants/platform/1/change/", typed).status_code == 302
    assert root.post("/admin/merchants/platform/1/change/", {"appid": "wxother"}).status_code == 302
    assert noted() == [
        ("root", ["aes_key", "app_secret", "appid", "push_token"]),
        ("root", ["appid", "push_token"]),
    ]
    assert [row.action for row in Audit.objects.filter(row="platform 1").order_by("id")] == [
        "added",
        "changed",
    ]
    assert TYPED not in str(list(Audit.objects.values()))
    assert "platform 1" in page(root.get("/admin/merchants/audit/"))
    assert "platform 1" not in page(admin.get("/admin/merchants/audit/"))
    assert PLATFORM not in str(list(Audit.objects.values()))


def test_authorising_cancelling_forcing_and_erasing_are_noted(authorized: Provider, admin: Client) -> None:
    authorized.push("unauthorized", appid=authorized.world.merchant.appid, create_time=int(time.time()) + 5)
    authorized.work()
    Credential.objects.update(mode="own", app_secret=TYPED)
    save(admin, mode="own", _force="1")
    call_command("erase_merchant", authorized.world.merchant.appid)
    rows = Audit.objects.filter(kind="credential", merchant=authorized.world.merchant).order_by("id")
    seen = [(row.action, *row.fields, row.by and row.by.username) for row in rows]
    assert seen[-4:] == [
        ("added", "authorization", None),
        ("removed", "authorization", None),
        ("changed", "force_refresh", "boss"),
        ("removed", "credential", None),
    ]
    assert TYPED not in str(list(Audit.objects.values()))
    root = Client()
    root.force_login(User.objects.get(username="root"))
    shown = page(root.get("/admin/merchants/audit/"))
    assert "强制换新 access_token" in shown
    assert "授权" in shown
