"""A form whose token went stale, for its person signed in again elsewhere: it goes on, typed as it was."""

from typing import Any

import pytest
from django.test import Client

from merchants.models import User
from shipping.models import Package
from tests.pages.test_desk import fields, member, page
from tests.pages.test_expired import hidden

pytestmark = pytest.mark.django_db(transaction=True)
OURS = "http://testserver"


def strict(world: Any) -> Client:
    member(world)
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get())
    return client


def test_a_stale_form_of_ours_goes_on_with_every_field(world: Any) -> None:
    client, order = strict(world), world.order()
    url = f"/orders/{order.order_id}/ship/?fix=0"
    typed = {**fields(order), "csrfmiddlewaretoken": "x" * 32}
    asked = client.post(url, typed, headers={"Origin": OURS})
    kept = hidden(page(asked))
    assert f'action="{url}"' in page(asked)
    assert kept["p0-waybill_id"] == "SF3100000000001"
    assert client.post(url, kept, headers={"Origin": OURS}).status_code == 302
    assert Package.objects.get().waybill_id == "SF3100000000001"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ""])
def test_a_form_of_another_site_is_refused(world: Any, origin: str) -> None:
    client, order = strict(world), world.order()
    headers = {"Origin": origin} if origin else {}
    answer = client.post(f"/orders/{order.order_id}/ship/", fields(order), headers=headers)
    assert answer.status_code == 403
    assert "SF3100000000001" not in page(answer)


def test_a_login_sent_twice_shows_no_password_again(world: Any) -> None:
    client = strict(world)
    answer = client.post("/login/", {"username": "staff", "password": "secret-9"}, headers={"Origin": OURS})
    assert (answer.status_code, answer.url) == (302, "/")
    anonymous = Client(enforce_csrf_checks=True)
    refused = anonymous.post(
        "/login/", {"username": "staff", "password": "secret-9"}, headers={"Origin": OURS}
    )
    assert refused.status_code == 403
