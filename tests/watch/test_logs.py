"""Log lines for machines: ids on each, a request's own id, and no secret whichever way it came."""

import json
import logging
import os
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.test import Client, RequestFactory

from merchants.logs import about, formatter
from merchants.models import Credential, Errand, User
from merchants.services import set_membership
from tests.conftest import SECRET
from tests.flows.test_dispatch import ship
from tests.pages.test_desk import run_tasks
from wechat.secrets import RedactionFilter, Token

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "CANARY-of-the-log-lines-0123456789"


class Lines(StringIO):
    def read_all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def of(self, event: str) -> dict[str, Any]:
        found = [line for line in self.read_all() if line["event"] == event]
        assert found, self.getvalue()
        return found[-1]


@pytest.fixture
def lines() -> Any:
    """What stderr would show with LOG_FORMAT=json."""
    handler = logging.StreamHandler(written := Lines())
    handler.setFormatter(formatter("json"))
    handler.addFilter(RedactionFilter())
    requests = logging.getLogger("fahuo.request")
    before, requests.level = requests.level, logging.INFO
    # Django's own lines do not reach the root's handlers.
    for name in ("", "django"):
        logging.getLogger(name).addHandler(handler)
    yield written
    for name in ("", "django"):
        logging.getLogger(name).removeHandler(handler)
    requests.setLevel(before)


def test_a_call_names_store_shipment_and_attempt(world: Any, pump: Any, lines: Lines) -> None:
    shipment = ship(world.order())
    pump()
    line, attempt = lines.of("answered"), shipment.attempts.get()
    assert (line["merchant"], line["shipment"], line["attempt"]) == (
        world.merchant.pk,
        shipment.pk,
        attempt.pk,
    )
    assert (line["then"], line["errcode"], line["level"]) == ("accepted", 0, "info")
    assert line["logger"] == "shipping.dispatch.pump"
    assert line["timestamp"].endswith("Z")


def test_a_request_has_an_id_its_person_and_its_order_but_no_address(world: Any, lines: Lines) -> None:
    person = User.objects.create_user("li")
    set_membership(user=person, merchant=world.merchant, role="staff")
    client, order = Client(), world.order()
    client.force_login(person)
    answer = client.get(f"/orders/{order.order_id}/?q={CANARY}")
    line = lines.of("request")
    assert line["request"] == answer.headers["X-Request-ID"]
    assert (line["actor"], line["order"], line["view"]) == (person.pk, order.order_id, "order_detail")
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["ms"] >= 0
    Client().get(f"/join/{CANARY}/")
    line = lines.of("request")
    assert (line["view"], line["status"]) == ("invitation_accept", 404)
    assert "actor" not in line
    assert "order" not in line, "nothing of the request before"
    for path in (f"/password/{CANARY}/", f"/wechat/events/{CANARY}/"):
        assert Client().get(path).status_code in (403, 404)
    Client(enforce_csrf_checks=True).post(f"/join/{CANARY}/")
    assert lines.of("Forbidden (CSRF cookie not set.): /join/***/")
    assert lines.of("Forbidden: /wechat/events/***/")
    assert CANARY not in lines.getvalue()


def test_who_signs_in_fails_and_leaves_is_told_by_number(world: Any, lines: Lines) -> None:
    person = User.objects.create_user("li", password="parcels-all-day")
    client = Client()
    for name, password in (("li", CANARY), ("nobody", CANARY), ("li", "parcels-all-day")):
        client.post("/login/", {"username": name, "password": password})
    client.post("/logout/")
    told = [line["event"] for line in lines.read_all() if line["logger"] == "fahuo.signin"]
    assert told == [
        f"a login failed, person {person.pk}, from 127.0.0.1",
        "a login failed, person unknown, from 127.0.0.1",
        f"person {person.pk} signed in from 127.0.0.1",
        f"person {person.pk} signed out",
    ]
    assert CANARY not in lines.getvalue()
    assert "nobody" not in lines.getvalue()


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("0af7651916cd43dd8448eb211c80319c", True), ("short", False), ("a b\\n" * 9, False)],
)
def test_a_proxys_request_id_is_kept_if_it_is_one(given: str, is_kept: bool, lines: Lines) -> None:
    answer = Client(headers={"x-request-id": given}).get("/login/")
    assert (answer.headers["X-Request-ID"] == given) is is_kept
    assert lines.of("request")["request"] == answer.headers["X-Request-ID"]


def test_a_task_says_that_a_worker_did_it(world: Any, lines: Lines) -> None:
    errand = Errand.objects.create(kind="query_auth", merchant=None, given="x")
    from merchants.tasks import run_errand

    Errand.objects.filter(pk=errand.pk).update(kind="tell", given="not a number")
    run_errand.enqueue(str(errand.pk))
    run_tasks()
    line = lines.of(f"errand={errand.pk}: fault of our own")
    assert (line["task"], line["actor"]) == ("run_errand", "worker")
    assert "Traceback" in line["exception"]
    logging.getLogger("after").warning("later")
    assert "task" not in lines.of("later")


def test_no_line_holds_a_secret_whichever_way_it_came(world: Any, lines: Lines) -> None:
    token, row = Token(CANARY), Credential.objects.get()
    log = logging.getLogger("leaks")
    request = RequestFactory().get(f"/?auth_code={CANARY}")
    try:
        raise RuntimeError(f"https://x/?access_token={token.reveal()} {row.app_secret}")
    except RuntimeError:
        log.exception("failed with %s", token.reveal(), extra={"request": request, "errcode": CANARY})
    with about(merchant=row.app_secret):
        log.warning('{"app_secret": "%s"}', SECRET, stack_info=True)
    for style in ("text", "json"):
        record = log.makeRecord("leaks", 40, "f", 1, "x %s", (CANARY,), None, extra={"then": CANARY})
        assert CANARY not in formatter(style).format(record)
    seen = lines.getvalue()
    assert "RuntimeError" in seen
    assert not [told for told in (CANARY, SECRET, row.access_token) if told in seen]


def test_the_process_writes_json_where_it_is_told(world: Any) -> None:
    code = (
        "import config.wsgi, logging\n"
        f"from wechat.secrets import Token; token = Token('{CANARY}')\n"
        "try: raise ValueError(token.reveal())\n"
        "except ValueError: logging.getLogger('gunicorn.error').exception('seen: %s', token.reveal())\n"
        "logging.getLogger('shipping').info('two\\nlines')\n"
    )
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_FORMAT": "json",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    first, second = (json.loads(line) for line in done.stderr.splitlines())
    assert (first["event"], first["level"], second["event"]) == ("seen: ***", "error", "two\nlines")
    assert "ValueError: ***" in first["exception"]
    wrong = subprocess.run(
        [sys.executable, "-c", code], env=env | {"LOG_FORMAT": "xml"}, capture_output=True, text=True
    )
    assert "LOG_FORMAT is how log lines are written" in wrong.stderr


def test_text_shows_no_variables_of_an_exception() -> None:
    held = CANARY
    try:
        raise RuntimeError(len(held))
    except RuntimeError:
        record = logging.getLogger("t").makeRecord("t", 40, "f", 1, "broke", (), sys.exc_info())
    shown = formatter("text").format(record)
    assert "RuntimeError" in shown
    assert CANARY not in shown
