"""What machines ask: is it alive, can it work, in numbers; and who is not answered."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from merchants.models import Credential, User
from merchants.services import pause_merchant
from shipping import health, states, tallying, timekeeper
from shipping.models import Attempt, Package, Schedule, Shipment, SyncCursor, Tally
from tests.conftest import APPID, SECRET
from tests.flows.test_dispatch import ship

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a-token-of-the-metrics-0123"


def ask(path: str, **headers: str) -> Any:
    return Client(headers=headers).get(path)


def answer_for_life() -> None:
    """Each queue's worker runs what it was asked."""
    health.ask_for_life()
    for queue in ("send", "rest", "sync"):
        call_command("db_worker", "--batch", "--queue-name", queue, "--no-startup-delay", verbosity=0)


@pytest.fixture
def working(world: Any) -> Any:
    """The schedule was run, and each queue's worker has shown itself."""
    timekeeper.run_if_due("sweep")
    Schedule.objects.update(last_run_at=timezone.now() - timedelta(hours=1))
    timekeeper.run_if_due("sweep")
    answer_for_life()
    return world


def test_alive_asks_no_database_no_login_and_no_host(django_assert_num_queries: Any, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    with django_assert_num_queries(0):
        answer = ask("/healthz", host="10.0.0.7:8000")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert not answer.cookies
    assert Client().post("/healthz").status_code == 405
    assert ask("/login/", host="10.0.0.7:8000").status_code == 400, "anything else keeps to its hosts"


def test_ready_says_a_word_for_each(working: Any, settings: Any, django_assert_max_num_queries: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    ask("/readyz")
    with django_assert_max_num_queries(5):
        answer = ask("/readyz", host="10.0.0.7:8000")
    good = {"status": "ready", "database": "ok", "migrations": "ok", "worker": "ok", "keys": "ok"}
    assert (answer.status_code, answer.json()) == (200, good)


def test_not_ready_without_a_worker(world: Any) -> None:
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()["worker"]) == (503, "never")


@pytest.mark.parametrize("who", ["sweep", "alive send", "alive rest", "alive sync"])
def test_not_ready_when_one_worker_was_not_seen_for_long(working: Any, settings: Any, who: str) -> None:
    long_ago = timezone.now() - timedelta(seconds=settings.WORKER_SEEN_SECONDS + 1)
    Schedule.objects.filter(name=who).update(last_run_at=long_ago)
    answer = ask("/readyz")
    assert (answer.status_code, answer.json()["worker"], answer.json()["status"]) == (
        503,
        "late",
        "not ready",
    )


def test_not_ready_with_a_migration_to_come(working: Any) -> None:
    recorder = MigrationRecorder(connection)
    last = max(name for app, name in recorder.applied_migrations() if app == "shipping")
    recorder.record_unapplied("shipping", last)
    try:
        answer = ask("/readyz")
    finally:
        recorder.record_applied("shipping", last)
    assert (answer.status_code, answer.json()["migrations"]) == (503, "pending")


def test_not_ready_with_other_keys(working: Any, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert ask("/readyz").json()["keys"] == "unreadable"
    settings.CREDENTIAL_KEYS = ["no key at all"]
    assert ask("/readyz").json()["keys"] == "unreadable"


def test_not_ready_without_a_database(working: Any, monkeypatch: Any) -> None:
    from django.db import OperationalError

    def gone() -> None:
        raise OperationalError("the disk is gone")

    monkeypatch.setattr(connection, "ensure_connection", gone)
    connection.close()
    answer = ask("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "database": "failed"} | dict.fromkeys(
        ("migrations", "worker", "keys"), "unknown"
    )
    assert ask("/metrics").status_code == 503
    assert ask("/healthz").status_code == 200


def test_a_worker_that_does_not_answer_is_not_asked_again_and_again(world: Any) -> None:
    from django_tasks_db.models import DBTaskResult

    for _ in range(5):
        health.ask_for_life()
    assert DBTaskResult.objects.count() == 3
    assert set(health.silent(timedelta(0))) == {"send", "rest", "sync"}
    health.ask_again()
    assert DBTaskResult.objects.count() == 6
    answer_for_life()
    assert health.silent(timedelta(0)) == []


# --- metrics ------------------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: Any) -> None:
    """Calls are counted without waiting for late commits."""
    monkeypatch.setattr("shipping.tallying.SETTLED", timedelta(0))


def numbers(answer: Any) -> dict[str, float]:
    lines = answer.content.decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {name: float(number) for name, _, number in pairs}


def key(name: str, **labels: Any) -> str:
    return name + "{" + ",".join(f'{label}="{labels[label]}"' for label in sorted(labels)) + "}"


def test_the_numbers_of_a_store(working: Any, pump: Any, at_once: None) -> None:
    store, now = working.merchant.pk, timezone.now()
    ship(working.order())
    pump()
    waiting, lost = ship(working.order()), ship(working.order())
    Shipment.objects.filter(pk=waiting.pk).update(due_at=now - timedelta(seconds=90))
    Package.objects.filter(shipment=lost).update(status=states.UNKNOWN, status_at=now - timedelta(minutes=31))
    Shipment.objects.filter(pk=lost.pk).update(due_at=None)
    Attempt.objects.create(merchant=working.merchant, order=lost.order, shipment=lost, run="1")
    SyncCursor.objects.create(merchant=working.merchant, succeeded_at=now - timedelta(seconds=200))
    pause_merchant(merchant=working.merchant, call="order/get", errcode=45009)
    tallying.count_up()
    seen = numbers(ask("/metrics"))
    of = {"store": store}
    assert seen[key("fahuo_packages", **of, state="queued")] == 1
    assert 90 <= seen[key("fahuo_oldest_due_seconds", **of, state="queued")] < 120
    assert seen[key("fahuo_oldest_due_seconds", **of, state="unknown")] >= 31 * 60
    assert seen[key("fahuo_unknown_too_long", **of)] == 1
    assert seen[key("fahuo_in_flight", **of)] == 1
    assert seen[key("fahuo_outcomes_total", **of, code="0", then="accepted")] == 1
    assert 0 <= seen[key("fahuo_token_age_seconds", **of, way="own")] < 120
    assert 7000 < seen[key("fahuo_token_left_seconds", **of, way="own")] <= 7200
    assert 200 <= seen[key("fahuo_sync_lag_seconds", **of)] < 300
    assert seen[key("fahuo_paused", **of, call="order/get", code="45009")] == 1
    assert seen[key("fahuo_worker_seen_seconds", worker="send")] < 60
    assert seen["fahuo_messages_waiting"] == 0


def test_no_number_names_a_store_or_a_secret(working: Any) -> None:
    shown = ask("/metrics").content.decode()
    row = Credential.objects.get()
    for told in (APPID, "测试店", SECRET, row.access_token, row.event_key):
        assert told not in shown


def test_a_request_is_measured_by_the_name_of_its_view(working: Any) -> None:
    Client().get("/join/a-secret-of-a-link/")
    shown = ask("/metrics").content.decode()
    assert 'fahuo_request_seconds_count{method="GET",status="4xx",view="invitation_accept"}' in shown
    assert "a-secret-of-a-link" not in shown


def test_who_may_see_the_numbers(world: Any, settings: Any) -> None:
    assert ask("/metrics").status_code == 200, "this machine"
    far = Client(REMOTE_ADDR="10.0.0.7")
    assert far.get("/metrics").status_code == 404
    assert ask("/metrics", x_forwarded_for="127.0.0.1").status_code == 404, (
        "a proxy of this machine for others"
    )
    root = Client(REMOTE_ADDR="10.0.0.7")
    root.force_login(User.objects.create_superuser("root"))
    assert root.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    assert ask("/metrics").status_code == 401
    for wrong in (
        "Bearer ",
        "Bearer wrong",
        TOKEN,
        f"bearer {TOKEN}",
        "Bearer 钥匙".encode().decode("latin-1"),
    ):
        assert ask("/metrics", authorization=wrong).status_code == 401, wrong
    assert far.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_each_call_is_counted_once_and_none_that_has_not_ended(world: Any, pump: Any, at_once: None) -> None:
    first, second = ship(world.order()), ship(world.order())
    pump()
    open_call = ship(world.order())
    Attempt.objects.create(merchant=world.merchant, order=open_call.order, shipment=open_call, run="1")
    for _ in range(3):
        tallying.count_up()
    assert list(Tally.objects.values_list("code", "then", "count")) == [("0", "accepted", 2)]
    assert first.pk != second.pk
    Attempt.objects.filter(shipment=open_call).update(
        ended_at=timezone.now(), then="unclear", slug="read_timeout"
    )
    tallying.count_up()
    assert Tally.objects.get(code="read_timeout").count == 1


# --- settings -----------------------------------------------------------------------------------------


def test_check_refuses_settings_that_do_harm(settings: Any) -> None:
    settings.METRICS_TOKEN = "short"
    with pytest.raises(SystemCheckError, match="METRICS_TOKEN"):
        call_command("check")
    settings.METRICS_TOKEN, settings.WORKER_SEEN_SECONDS = TOKEN, 10
    with pytest.raises(SystemCheckError, match="WORKER_SEEN_SECONDS"):
        call_command("check")
    settings.WORKER_SEEN_SECONDS, settings.ALERT_HOSTS, settings.IS_DEMO = 120, ["10.0.0.1:80"], False
    with pytest.raises(SystemCheckError, match="ALERT_HOSTS"):
        call_command("check", deploy=True, fail_level="WARNING")
