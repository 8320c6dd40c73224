"""Django admin: secrets go in and never come out."""

from typing import Any

import pytest
from django.test import Client

from merchants.models import Credential, User
from merchants.services import pause_merchant, set_membership
from tests.conftest import SECRET

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(world: Any) -> Client:
    user = User.objects.create_user("boss", password="x")
    set_membership(user=user, merchant=world.merchant, role="admin")
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def test_the_secret_is_write_only_and_an_empty_field_keeps_it(world: Any, admin: Client) -> None:
    row = Credential.objects.get()
    url = f"/admin/merchants/credential/{row.pk}/change/"
    shown = admin.get(url).content.decode()
    assert SECRET not in shown
    assert SECRET[-4:] in shown
    admin.post(url, {"merchant": world.merchant.pk, "mode": "own", "new_secret": ""})
    assert Credential.objects.get().app_secret == SECRET
    admin.post(url, {"merchant": world.merchant.pk, "mode": "own", "new_secret": "another-secret-9999"})
    row.refresh_from_db()
    assert (row.app_secret, row.secret_last4, str(row.secret_set_by)) == (
        "another-secret-9999",
        "9999",
        "boss",
    )
    assert "another-secret-9999" not in admin.get(url).content.decode()


def test_an_admin_resumes_a_paused_store(world: Any, admin: Client) -> None:
    pause_merchant(merchant=world.merchant, errcode=48001)
    admin.post("/admin/merchants/merchant/", {"action": "resume", "_selected_action": [world.merchant.pk]})
    assert not world.merchant.pauses.filter(ended_at=None).exists()


def test_every_list_of_the_admin_opens(admin: Client) -> None:
    root = User.objects.create_superuser("root")
    admin.force_login(root)
    for name in ("merchants/merchant", "merchants/membership", "merchants/credential", "merchants/pause",
                 "merchants/user", "merchants/errand", "merchants/platform", "merchants/pushedevent", "merchants/channel", "merchants/message", "shipping/shipment", "shipping/package", "shipping/attempt",
                 "shipping/statuschange"):  # fmt: skip
        assert admin.get(f"/admin/{name}/").status_code == 200, name
