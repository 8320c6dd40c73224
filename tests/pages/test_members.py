"""Members: who may invite, change and remove whom, links that work once, and the audit of it."""

import re
import time
from typing import Any

import pytest
import time_machine
from django.test import Client

from merchants.models import Audit, Membership, OneTimeLink, User
from merchants.services import add_merchant, set_membership, set_secret
from tests.pages.test_desk import member, page
from tests.pages.test_signin import PASSWORD, device, is_in, person, try_login

pytestmark = pytest.mark.django_db(transaction=True)
ACCOUNT = {"username": "xiaoli", "password1": PASSWORD, "password2": PASSWORD}


def link_in(html: str) -> str:
    found = re.search(r'id="one-time-link"[^>]*value="http://testserver([^"]+)"', html)
    assert found, html
    return found[1]


def invite(client: Client, world: Any, role: str = "staff") -> str:
    typed = {"merchant": world.merchant.appid, "name": "小李", "role": role}
    return link_in(page(client.post("/members/invite/", typed)))


def held(name: str) -> Membership:
    return Membership.objects.get(user__username=name)


def test_an_invited_person_joins_once_with_an_account_of_the_own(world: Any) -> None:
    link, client = invite(member(world, "manager"), world), Client()
    assert "小李" in page(client.get(link))
    assert client.post(link, ACCOUNT).url == "/"
    assert is_in(client)
    assert (held("xiaoli").role, str(held("xiaoli").user)) == ("staff", "小李")
    again = Client().post(link, ACCOUNT | {"username": "other"})
    assert (again.status_code, "链接已失效" in page(again)) == (404, True)
    assert not User.objects.filter(username="other").exists()


def test_a_wrong_account_is_explained_and_the_link_goes_on_working(world: Any) -> None:
    link = invite(member(world, "manager"), world)
    shown = page(Client().post(link, {"username": "manager", "password1": "1", "password2": "1"}))
    assert shown.count("field-error") == 2
    assert Client().get(link).status_code == 200


def test_whoever_has_an_account_joins_with_it_and_loses_no_right(world: Any) -> None:
    manager, admin = member(world, "manager"), member(world, "admin")
    link = invite(manager, world)
    assert "您现在登录的账号是 admin" in page(admin.get(link))
    admin.post(link)
    assert held("admin").role == "admin"


def test_a_link_ends_with_its_week_its_withdrawal_and_its_maker(world: Any) -> None:
    manager = member(world, "manager")
    old, withdrawn, orphan = (invite(manager, world) for _ in range(3))
    with time_machine.travel(time.time() + 7 * 86400 + 1):
        assert Client().get(old).status_code == 404
    pk = OneTimeLink.objects.order_by("pk")[1].pk
    manager.post(f"/invitations/{pk}/withdraw/")
    assert Client().get(withdrawn).status_code == 404
    assert Client().get(orphan).status_code == 200
    membership = held("manager")
    set_membership(user=membership.user, merchant=membership.merchant, role="staff")
    assert Client().get(orphan).status_code == 404
    assert Client().get("/join/made-up:x/").status_code == 404


def test_rows_hold_no_link_that_opens_anything(world: Any) -> None:
    link = invite(member(world, "manager"), world)
    token = link.split("/")[2]
    row = OneTimeLink.objects.get()
    assert token not in str(vars(row))
    assert Client().get(f"/join/{row.digest}/").status_code == 404


def test_only_an_admin_gives_admin(world: Any) -> None:
    manager, admin = member(world, "manager"), member(world, "admin")
    typed = {"merchant": world.merchant.appid, "name": "小李", "role": "admin"}
    assert "field-error" in page(manager.post("/members/invite/", typed))
    assert not OneTimeLink.objects.exists()
    member(world, "staff")
    assert manager.post(f"/members/{held('staff').pk}/role/", {"role": "admin"}).status_code == 404
    assert admin.post(f"/members/{held('staff').pk}/role/", {"role": "admin"}).status_code == 302
    assert User.objects.get(username="staff").is_staff


def test_a_manager_touches_neither_an_admin_nor_oneself(world: Any) -> None:
    manager = member(world, "manager")
    member(world, "admin")
    for name in ("manager", "admin"):
        for verb in ("role", "remove", "reset", "forget-factor"):
            answer = manager.post(f"/members/{held(name).pk}/{verb}/", {"role": "staff"})
            assert answer.status_code == 404, (name, verb)
    assert (held("manager").role, held("admin").role) == ("manager", "admin")


def test_a_removed_member_is_out_at_the_next_click(world: Any) -> None:
    manager, staff = member(world, "manager"), member(world)
    manager.post(f"/members/{held('staff').pk}/remove/")
    assert not is_in(staff)
    assert not held("staff").is_active
    assert "移除" in page(manager.get("/members/"))


def test_a_new_password_is_set_by_a_link_once(world: Any) -> None:
    manager, user = member(world, "manager"), person(world)
    client = Client()
    try_login(client, "staff")
    first = link_in(page(manager.post(f"/members/{held('staff').pk}/reset/")))
    link = link_in(page(manager.post(f"/members/{held('staff').pk}/reset/")))
    assert Client().get(first).status_code == 404
    for _ in range(5):
        try_login(Client(), "staff", "wrong")
    typed = {"new_password1": "boxes-and-tape-9", "new_password2": "boxes-and-tape-9"}
    assert Client().post(link, typed).url == "/login/"
    assert Client().post(link, typed).status_code == 404
    assert not is_in(client)
    assert try_login(Client(), "staff", "boxes-and-tape-9").status_code == 302
    assert Audit.objects.filter(person=user, fields=["password"]).count() == 3


def test_nobody_sets_the_password_of_who_also_works_elsewhere(world: Any) -> None:
    admin = member(world, "admin")
    user = person(world)
    elsewhere = add_merchant(appid="wx00000000000000bb", name="别家店")
    set_membership(user=user, merchant=elsewhere, role="staff")
    pk = held_at(user, world.merchant).pk
    assert admin.post(f"/members/{pk}/reset/").status_code == 404
    assert "生成重设密码的链接" not in page(admin.get("/members/"))
    assert admin.post(f"/members/{pk}/remove/").status_code == 302
    assert held_at(user, elsewhere).is_active


def held_at(user: User, merchant: Any) -> Membership:
    return Membership.objects.get(user=user, merchant=merchant)


def test_an_admin_helps_who_lost_the_phone(world: Any) -> None:
    admin, manager, user = member(world, "admin"), member(world, "manager"), person(world)
    device(user)
    (lost := Client()).force_login(user)
    path = f"/members/{held('staff').pk}/forget-factor/"
    assert manager.post(path).status_code == 404
    assert is_in(lost)
    assert admin.post(path).status_code == 302
    assert not is_in(lost)
    assert try_login(Client(), "staff").status_code == 302


def test_the_audit_names_fields_and_no_values_and_stays_as_it_is(world: Any) -> None:
    user = person(world, "admin")
    set_secret(merchant=world.merchant, secret="a-new-secret-0000", by=user)
    row = Audit.objects.get(kind="credential", by=user)
    assert (row.fields, row.merchant) == (["app_secret"], world.merchant)
    assert not [text for text in Audit.objects.values_list("fields", "row") if "secret-0000" in str(text)]
    for forbidden in (
        row.save,
        row.delete,
        Audit.objects.all().delete,
        lambda: Audit.objects.update(row="x"),
    ):
        with pytest.raises(TypeError):
            forbidden()


def test_the_admin_shows_the_audit_of_the_own_stores_to_read_only(world: Any) -> None:
    admin = member(world, "admin")
    add_merchant(appid="wx00000000000000bb", name="别家店")
    shown = page(admin.get("/admin/merchants/audit/"))
    assert "测试店" in shown
    assert "别家店" not in shown
    pk = Audit.objects.first().pk
    assert admin.post(f"/admin/merchants/audit/{pk}/change/", {"row": "x"}).status_code in (403, 404)
    assert admin.get("/admin/merchants/audit/add/").status_code == 403
