"""The login: guessing is stopped, sessions end, a phone's code is asked for, and nothing typed is lost."""

import re
import time
from base64 import b32decode
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from merchants.models import Audit, User
from merchants.services import end_sessions
from tests.pages.test_desk import fields, member, page
from tests.pages.test_expired import hidden

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "parcels-all-day"
HTMX = {"HX-Request": "true"}


def person(world: Any, role: str = "staff") -> User:
    member(world, role)
    user = User.objects.get(username=role)
    user.set_password(PASSWORD)
    user.save()
    return user


def try_login(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    headers = more.pop("headers", None)
    return client.post("/login/", {**more, "username": name, "password": password}, headers=headers)


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


# --- guessing -----------------------------------------------------------------------------------------


def test_five_wrong_passwords_close_the_name_for_a_quarter_of_an_hour(world: Any) -> None:
    person(world), person(world, "manager")
    with time_machine.travel(time.time(), tick=False) as clock:
        for _ in range(4):
            assert try_login(Client(), "staff", "wrong").status_code == 200
        for password in ("wrong", PASSWORD):
            answer = try_login(Client(), "staff", password)
            assert answer.status_code == 429
            assert "请过 15 分钟再试" in page(answer)
        assert try_login(Client(), "manager").status_code == 302
        clock.shift(15 * 60 + 1)
        assert try_login(Client(), "staff").status_code == 302


def test_the_login_over_a_page_says_it_too(world: Any) -> None:
    person(world)
    answers = [try_login(Client(), "staff", "wrong", headers=HTMX) for _ in range(5)]
    assert (answers[-1].status_code, "请过 15 分钟再试" in page(answers[-1])) == (200, True)


def test_a_stranger_s_address_does_not_close_the_name_for_the_warehouse(world: Any, settings: Any) -> None:
    person(world)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for _ in range(6):
        try_login(Client(), "staff", "wrong", headers={"X-Forwarded-For": "10.0.0.1, 203.0.113.9"})
    answer = try_login(Client(), "staff", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    assert answer.status_code == 302


@pytest.mark.parametrize("header", ["1.2.3.4:5678", "::zz", "unknown", "", "1.2.3.4,"])
def test_an_address_that_is_none_is_counted_as_the_proxy_s(world: Any, settings: Any, header: str) -> None:
    person(world)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert try_login(Client(), "staff", "wrong", headers={"X-Forwarded-For": header}).status_code == 200


# --- the end of a session -----------------------------------------------------------------------------


def test_two_idle_hours_end_a_session_and_polls_are_no_activity(world: Any) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        client = member(world)
        for _ in range(3):
            clock.shift(110 * 60)
            assert is_in(client)
        for _ in range(2):
            clock.shift(59 * 60)
            assert client.get("/trouble/", headers=HTMX).status_code == 200
        clock.shift(3 * 60)
        assert client.get("/trouble/", headers=HTMX).status_code == 401
        assert not is_in(client)


def test_twelve_hours_end_a_session_however_busy(world: Any) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        client = member(world)
        for _ in range(11):
            clock.shift(3600)
            assert is_in(client)
        clock.shift(3601)
        assert not is_in(client)


def test_a_form_sent_after_idle_hours_is_kept(world: Any) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        client, order = member(world), world.order()
        clock.shift(2 * 3600 + 1)
        asked = page(client.post(f"/orders/{order.order_id}/ship/", fields(order)))
    assert "登录已过期" in asked
    assert hidden(asked)["kept"]


def test_a_deactivated_person_is_out_and_an_old_session_does_not_come_back(world: Any) -> None:
    client = member(world)
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    user = User.objects.get(username="staff")
    form = {"username": "staff", "display_name": "", "email": ""}
    root.post(f"/admin/merchants/user/{user.pk}/change/", form)
    assert not User.objects.get(pk=user.pk).is_active
    assert not is_in(client)
    root.post(f"/admin/merchants/user/{user.pk}/change/", form | {"is_active": "on"})
    assert not is_in(client)
    assert Audit.objects.filter(kind="person", person=user, fields=["is_active"]).count() == 2


def test_ended_sessions_leave_other_people_alone(world: Any) -> None:
    client, other = member(world), member(world, "manager")
    end_sessions(user=User.objects.get(username="staff"))
    assert (is_in(client), is_in(other)) == (False, True)


# --- the second factor --------------------------------------------------------------------------------


def code_of(key: str, ahead: int = 0) -> str:
    totp = TOTP(bytes.fromhex(key))
    totp.time = time.time() + ahead * 30
    return f"{totp.token():06d}"


def device(user: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="TOTP", confirmed=True)


def test_a_phone_is_set_up_by_its_code_and_given_up_by_one(world: Any) -> None:
    person(world)
    client, elsewhere = Client(), Client()
    try_login(client, "staff"), try_login(elsewhere, "staff")
    shown = page(client.get("/me/second-factor/"))
    assert 'src="data:image/svg+xml;base64,' in shown
    offer = {"offer": hidden(shown)["offer"]}
    assert "验证码不对" in page(client.post("/me/second-factor/", offer | {"code": "000000"}))
    assert not TOTPDevice.objects.exists()
    plain = re.search(r'<code class="id">([A-Z2-7 ]+)</code>', shown)
    assert plain
    key = b32decode(plain[1].replace(" ", "")).hex()
    client.post("/me/second-factor/", offer | {"code": code_of(key)})
    assert TOTPDevice.objects.get().key == key
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    assert "验证码不对" in page(client.post("/me/second-factor/", {"code": code_of(key)}))
    elsewhere.force_login(User.objects.get(username="staff"))
    with time_machine.travel(time.time() + 60):
        client.post("/me/second-factor/", {"code": code_of(key)})
        assert (is_in(client), is_in(elsewhere)) == (True, False)
    assert not TOTPDevice.objects.exists()
    changes = Audit.objects.filter(kind="person").values_list("action", "fields")
    assert list(changes) == [("removed", ["second_factor"]), ("added", ["second_factor"])]


def test_someone_else_s_offer_sets_nothing_up(world: Any) -> None:
    first, second = member(world), member(world, "manager")
    offer = hidden(page(first.get("/me/second-factor/")))["offer"]
    second.post("/me/second-factor/", {"offer": offer, "code": "123456"})
    assert not TOTPDevice.objects.exists()


def test_the_login_asks_for_the_code_and_takes_it_once(world: Any) -> None:
    key = device(person(world)).key
    client, code = Client(), code_of(key)
    assert "验证码" in page(try_login(client, "staff"))
    assert not is_in(client)
    assert client.post("/login/", {"code": code, "next": "/errors/"}).url == "/errors/"
    assert is_in(client)
    again = Client()
    try_login(again, "staff")
    again.post("/login/", {"code": code})
    assert not is_in(again)


def test_a_code_without_a_password_opens_nothing(world: Any) -> None:
    user = person(world)
    key, client = device(user).key, Client()
    client.post("/login/", {"code": code_of(key)})
    assert not is_in(client)
    try_login(client, "staff")
    end_sessions(user=user)
    client.post("/login/", {"code": code_of(key)})
    assert not is_in(client)


def test_wrong_codes_count_like_wrong_passwords(world: Any) -> None:
    key = device(person(world)).key
    with time_machine.travel(time.time(), tick=False) as clock:
        client = Client()
        try_login(client, "staff")
        for _ in range(5):
            answer = client.post("/login/", {"code": "000000"})
            clock.shift(20)
        assert "请过 15 分钟再试" in page(answer)
        client.post("/login/", {"code": code_of(key)})
        assert not is_in(client)
        assert try_login(client, "staff").status_code == 429


def test_a_kept_form_goes_on_after_password_and_code(world: Any) -> None:
    key, order = device(person(world)).key, world.order()
    asked = page(Client().post(f"/orders/{order.order_id}/ship/", fields(order)))
    client = Client()
    second = page(try_login(client, "staff", kept=hidden(asked)["kept"]))
    typed = hidden(page(client.post("/login/", {**hidden(second), "code": code_of(key)})))
    assert typed["p0-waybill_id"] == "SF3100000000001"


def test_the_login_over_a_page_asks_for_the_code_there(world: Any) -> None:
    key, client = device(person(world)).key, Client()
    asked = page(try_login(client, "staff", headers=HTMX))
    assert "<html" not in asked
    assert 'name="code"' in asked
    answer = client.post("/login/", {"code": code_of(key)}, headers=HTMX)
    assert (answer.status_code, '"token"' in answer.headers["HX-Trigger"]) == (204, True)


def test_where_it_is_required_an_admin_sets_it_up_first(world: Any, settings: Any) -> None:
    settings.REQUIRE_ADMIN_TOTP = True
    staff, admin, order = member(world), member(world, "admin"), world.order()
    assert is_in(staff)
    for path in ("/", "/admin/", "/members/"):
        assert admin.get(path).url == "/me/second-factor/", path
    assert admin.get("/trouble/", headers=HTMX).status_code == 204
    path = f"/orders/{order.order_id}/ship/"
    assert admin.post(path, fields(order), headers=HTMX).headers["HX-Redirect"] == "/me/second-factor/"
    assert hidden(page(admin.post(path, fields(order))))["kept"]
    device(User.objects.get(username="admin"))
    assert is_in(admin)


def test_django_admin_has_no_login_that_misses_the_code(world: Any) -> None:
    assert Client().get("/admin/login/", {"next": "/admin/"}).url == "/login/?next=/admin/"
    person(world, "admin")
    answer = Client().post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert answer.url.startswith("/login/")


# --- one's own password -------------------------------------------------------------------------------


def test_a_person_changes_the_own_password_and_is_out_elsewhere(world: Any) -> None:
    person(world)
    client, elsewhere = Client(), Client()
    try_login(client, "staff"), try_login(elsewhere, "staff")
    typed = {
        "old_password": PASSWORD,
        "new_password1": "boxes-and-tape-9",
        "new_password2": "boxes-and-tape-9",
    }
    wrong = page(client.post("/me/password/", typed | {"new_password2": "other"}))
    assert "field-error" in wrong
    assert "boxes-and-tape-9" not in wrong
    client.post("/me/password/", typed)
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    assert try_login(Client(), "staff", "boxes-and-tape-9").status_code == 302


def test_the_operator_helps_the_last_admin_who_lost_the_phone(world: Any) -> None:
    user = person(world, "admin")
    device(user)
    call_command("forget_second_factor", "admin", verbosity=0)
    assert try_login(Client(), "admin").status_code == 302
    assert Audit.objects.filter(action="removed", person=user, by=None).exists()
    with pytest.raises(CommandError):
        call_command("forget_second_factor", "admin")


def test_after_a_logout_the_back_button_shows_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("packer"))
    answer = client.post("/logout/", secure=True)
    assert answer["Location"] == "/login/"
    assert answer["Clear-Site-Data"] == '"cache"'
