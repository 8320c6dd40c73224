"""A session that ends while someone works: nothing typed is lost, and a poll shows no login."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from merchants.models import Credential, User
from shipping.models import Package
from tests.pages.test_desk import fields, member, page

pytestmark = pytest.mark.django_db(transaction=True)


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of the form in a page's main part."""
    main = html[html.index("<main") :]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', main)
    return {name: unescape(value) for name, value in found}


def test_a_form_sent_after_the_session_ended_goes_on_after_the_login(world: Any) -> None:
    client, order = member(world), world.order()
    User.objects.filter(username="staff").update(password="")
    user = User.objects.get(username="staff")
    user.set_password("parcels-all-day")
    user.save()
    asked = Client().post(f"/orders/{order.order_id}/ship/", fields(order))
    assert "登录已过期" in page(asked)
    client = Client()
    again = client.post(
        "/login/", {**hidden(page(asked)), "username": "staff", "password": "parcels-all-day"}
    )
    typed = hidden(page(again))
    assert typed["p0-waybill_id"] == "SF3100000000001"
    client.post(f"/orders/{order.order_id}/ship/", typed)
    assert Package.objects.get().waybill_id == "SF3100000000001"


def test_a_form_with_a_secret_opens_anew_and_says_that_the_secret_is_not_saved(world: Any) -> None:
    member(world, "admin")
    user = User.objects.get(username="admin")
    user.set_password("parcels-all-day")
    user.save()
    before = Credential.objects.get(merchant=world.merchant)
    path = f"/admin/merchants/credential/{before.pk}/change/"
    asked = Client().post(path, {"mode": "own", "new_secret": "another-secret-of-32-signs-000000"})
    assert "another-secret" not in page(asked)
    client = Client()
    typed = {**hidden(page(asked)), "username": "admin", "password": "parcels-all-day"}
    answer = client.post("/login/", typed, follow=True)
    assert answer.redirect_chain[-1][0] == path
    assert "请再填一次" in page(answer)
    assert Credential.objects.get(pk=before.pk).app_secret == before.app_secret


def test_a_form_that_we_did_not_keep_is_not_sent_on(world: Any) -> None:
    member(world)
    user = User.objects.get(username="staff")
    user.set_password("parcels-all-day")
    user.save()
    answer = Client().post("/login/", {"username": "staff", "password": "parcels-all-day", "kept": "forged"})
    assert answer.status_code == 302


def test_a_poll_without_a_session_shows_no_login(world: Any) -> None:
    answer = Client().get("/counts/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (401, b"")


def test_the_login_over_the_page_hands_back_a_fresh_csrf_token(world: Any) -> None:
    member(world)
    user = User.objects.get(username="staff")
    user.set_password("parcels-all-day")
    user.save()
    htmx = {"HX-Request": "true"}
    assert 'name="username"' in page(Client().get("/login/", headers=htmx))
    typed = {"username": "staff", "password": "parcels-all-day"}
    answer = Client().post("/login/", typed, headers=htmx)
    assert answer.status_code == 204
    assert '"token"' in answer.headers["HX-Trigger"]
    assert "field-error" in page(Client().post("/login/", {**typed, "password": "x"}, headers=htmx))
