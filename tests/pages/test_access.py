"""Every route by every role, method and store, with and without htmx.

Nothing foreign is read, written or hinted at.
"""

import copy
import os
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from merchants.models import User
from merchants.services import set_membership
from shipping.models import Shipment
from tests.pages.access import (
    ADMIN,
    ANYONE,
    LEVELS,
    MANAGER,
    OWNER,
    PUBLIC,
    ROUTES,
    STAFF,
    Route,
    Store,
    make_store,
)
from tests.pages.every import ADMIN_ROUTES, ALL, NOBODYS, is_open, model_of, path_of, rows_of
from tests.pages.test_desk import page

pytestmark = pytest.mark.django_db
HTMX: tuple[dict[str, str], ...] = ({}, {"HX-Request": "true"})
METHODS = ("GET", "POST")
REFUSED = (403, 404, 405)


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Store, Store, "Desk"]]:
    """Two stores and a person of each role, made once: every test is undone down to them."""
    with django_db_blocker.unblock(), transaction.atomic():
        own, foreign = make_store(1), make_store(2)
        yield own, foreign, Desk(own)
        transaction.set_rollback(True)


@pytest.fixture
def own(made: Any, db: None) -> Store:
    return copy.deepcopy(made[0])


@pytest.fixture
def foreign(made: Any, db: None) -> Store:
    return copy.deepcopy(made[1])


@pytest.fixture
def desk(made: Any, db: None) -> "Desk":
    return copy.deepcopy(made[2])


def test_every_route_is_listed() -> None:
    assert set(ALL) - set(ADMIN_ROUTES) == set(ROUTES)


# --- doing it -----------------------------------------------------------------------------------------


class Desk:
    """Signs in once for each actor; each request is undone."""

    def __init__(self, own: Store) -> None:
        self.cookies: dict[str, SimpleCookie] = {}
        for level in (ANYONE, STAFF, MANAGER, ADMIN):
            user = User.objects.create_user(level, password="x")
            if level != ANYONE:
                set_membership(user=user, merchant=own.merchant, role=level)
            self.sign_in(level, user)
        self.sign_in(OWNER, own.owner)

    def sign_in(self, actor: str, user: User) -> None:
        client = Client()
        client.force_login(user)
        self.cookies[actor] = client.cookies

    def ask(self, actor: str, method: str, path: str, data: dict[str, Any], headers: dict[str, str]) -> Any:
        """The answer, and whether a row of ours was written."""
        client = Client()
        client.cookies = copy.deepcopy(self.cookies.get(actor, SimpleCookie()))
        writes = Writes()
        with transaction.atomic(), connection.execute_wrapper(writes):
            answer = (client.get if method == "GET" else client.post)(path, data, headers=headers)
            transaction.set_rollback(True)
        return answer, bool(writes.seen)


class Writes:
    """What a stranger must not be able to write: every table of ours, which leaves sessions and the like."""

    OURS = re.compile(r'^(INSERT|UPDATE|DELETE|REPLACE)\b[^"]*"(merchants|shipping)_')

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if self.OURS.match(sql) and context["cursor"].rowcount:
            self.seen.append(sql)
        return result


def may(level: str, route: Route) -> bool:
    return LEVELS.index(level) >= LEVELS.index(route.who)


def askers(needed: str) -> tuple[str, ...]:
    """Who asks: everyday those at both sides of the door's border, everybody by LONG=1."""
    if os.environ.get("LONG"):
        return LEVELS
    border = LEVELS.index(needed)
    return tuple(dict.fromkeys((PUBLIC, *LEVELS[max(0, border - 1) : border + 1])))


def is_login(answer: Any) -> bool:
    return answer.status_code == 401 or getattr(answer, "url", "").startswith("/login/")


def check_anonymous(answer: Any, changed: bool, method: str, headers: dict[str, str]) -> None:
    assert not changed
    if headers:
        assert (answer.status_code, answer.content) == (401, b"")
    elif method == "POST":
        assert 'name="kept"' in page(answer)
    else:
        assert answer.url.startswith(("/login/", "/admin/login/"))


# --- the desk -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_route_of_the_desk(name: str, own: Store, foreign: Store, desk: "Desk") -> None:
    route = ROUTES[name]
    for method in METHODS:
        for headers in HTMX:
            here = (reverse(name, args=route.args(own)), route.data(own))
            there = (reverse(name, args=route.args(foreign)), route.data(foreign))
            for actor in askers(route.who):
                answer, changed = desk.ask(actor, method, *here, headers)
                said = f"{actor} {method} {headers} -> {answer.status_code}"
                if actor == PUBLIC and route.who != PUBLIC:
                    check_anonymous(answer, changed, method, headers)
                elif may(actor, route):
                    wrong = set(REFUSED) - {route.unsigned} if method == route.method else ()
                    assert answer.status_code not in (500, *wrong), said
                    assert not is_login(answer) or name == "logout", said
                else:
                    assert (answer.status_code in (404, 405), changed) == (True, False), said
                if actor == PUBLIC or route.who == PUBLIC or here == there:
                    continue
                answer, changed = desk.ask(actor, method, *there, headers)
                said = f"foreign: {actor} {method} {headers} -> {answer.status_code}"
                assert answer.status_code in (route.foreign, 405), said
                assert not changed, said


@pytest.mark.parametrize("name", sorted(n for n, r in ROUTES.items() if r.who in (MANAGER, ADMIN)))
def test_a_role_counts_at_its_own_store_only(name: str, own: Store, foreign: Store, desk: "Desk") -> None:
    """Staff here and admin elsewhere is staff here."""
    route = ROUTES[name]
    if reverse(name, args=route.args(own)) == reverse(name, args=route.args(foreign)) and not route.data(own):
        return
    user = User.objects.get(username=STAFF)
    set_membership(user=user, merchant=foreign.merchant, role=ADMIN)
    answer, changed = desk.ask(STAFF, route.method, reverse(name, args=route.args(own)), route.data(own), {})
    assert (answer.status_code, changed) == (404, False)


def test_made_up_links_open_nothing(own: Store) -> None:
    for name in ("invitation_accept", "password_reset"):
        for token in ("x", own.invitation.digest, own.join_token[:-1]):
            assert Client().get(reverse(name, args=[token])).status_code == 404
    assert Client().get(reverse("password_reset", args=[own.join_token])).status_code == 404


# --- naming foreign rows in a form --------------------------------------------------------------------


def test_no_filter_of_a_list_shows_a_foreign_row(own: Store, foreign: Store, desk: "Desk") -> None:
    appid, order_id = foreign.merchant.appid, foreign.order.order_id
    asked = [("order_list", {"merchant": appid, "tab": "all"}), ("history", {"merchant": appid}),
             ("order_counts", {"merchant": appid}), ("search", {"q": foreign.package.waybill_id})]  # fmt: skip
    for name, data in asked:
        answer, _ = desk.ask(MANAGER, "GET", reverse(name), data, {})
        assert order_id not in page(answer), name
        assert foreign.merchant.name not in page(answer), name


def test_the_ship_form_takes_no_foreign_order_or_package(own: Store, foreign: Store, desk: "Desk") -> None:
    typed = {"cards": "1", "form_key": "key-1", "p0-deliver_type": "1", "p0-waybill_id": "SF3100000000777",
             "p0-delivery_id": "SF", "p0-cnt-0": "1", "confirm": "1", "also": foreign.order.order_id,
             "fix": str(foreign.package.pk)}  # fmt: skip
    path = reverse("order_ship", args=[own.order.order_id])
    before = Shipment.objects.filter(order=foreign.order).count()
    client = Client()
    client.cookies = desk.cookies[STAFF]
    client.post(path, typed)
    assert Shipment.objects.filter(order=foreign.order).count() == before
    assert not Shipment.objects.filter(corrects=foreign.package.shipment).exists()


def test_the_admin_s_choices_and_actions_name_own_rows_only(own: Store, foreign: Store, desk: "Desk") -> None:
    listed, _ = desk.ask(ADMIN, "GET", reverse("admin:merchants_membership_add"), {}, {})
    assert foreign.merchant.name not in page(listed)
    stranger = User.objects.create_user("newcomer")
    set_membership(user=stranger, merchant=foreign.merchant, role=STAFF)
    attempts: list[tuple[str, dict[str, Any]]] = [
        (
            "admin:merchants_merchant_changelist",
            {"action": "resume", "_selected_action": [foreign.merchant.pk]},
        ),
        (
            "admin:merchants_membership_add",
            {"username": STAFF, "merchant": foreign.merchant.pk, "role": ADMIN},
        ),
        (
            "admin:merchants_membership_add",
            {"username": "newcomer", "merchant": own.merchant.pk, "role": STAFF},
        ),
    ]
    for name, data in attempts:
        _, changed = desk.ask(ADMIN, "POST", reverse(name), data, {})
        assert not changed, data
    kept = {"username": STAFF, "merchant": own.merchant.pk, "role": MANAGER}
    assert desk.ask(ADMIN, "POST", reverse("admin:merchants_membership_add"), kept, {})[1]


# --- Django admin: a rule for all its routes -------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("name", ADMIN_ROUTES)
def test_a_route_of_the_admin(name: str, own: Store, foreign: Store, desk: "Desk") -> None:
    model = model_of(name)
    mine, theirs = rows_of(model, own, foreign) if model else (1, 1)
    path = path_of(name, mine)
    for method in METHODS:
        for headers in HTMX:
            answer, changed = desk.ask(PUBLIC, method, path, {}, headers)
            if name != "admin:login":
                check_anonymous(answer, changed, method, headers)
            for actor in (actor for actor in askers(ADMIN) if actor in (ANYONE, STAFF, MANAGER)):
                answer, changed = desk.ask(actor, method, path, {}, headers)
                is_out = answer.status_code == 404 or name == "admin:login"
                assert (is_out, changed) == (True, False), f"{actor} {method} -> {answer.status_code}"
            answer, _ = desk.ask(ADMIN, method, path, {}, headers)
            assert answer.status_code != 500
            assert not is_login(answer) or name == "admin:logout"
            if model and method == "GET":
                closed = mine in NOBODYS or not is_open(name)
                assert answer.status_code in ((302, *REFUSED) if closed else (200,)), answer.status_code
            if path != path_of(name, theirs):
                answer, changed = desk.ask(ADMIN, method, path_of(name, theirs), {}, headers)
                refused = (302, 403, 404) if mine in NOBODYS else (403, 404)
                assert (answer.status_code in refused, changed) == (True, False), answer.status_code


def test_a_foreign_row_of_the_admin_reads_like_a_missing_one(
    own: Store, foreign: Store, desk: "Desk"
) -> None:
    for pk in (foreign.merchant.pk, 999_999):
        answer, _ = desk.ask(ADMIN, "GET", reverse("admin:merchants_merchant_change", args=[pk]), {}, {})
        assert answer.status_code == 404
