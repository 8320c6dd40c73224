"""Eight processes over five expiries: one fetch each, hardly a call refused (RELIABILITY T5)."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from merchants import lines
from merchants.models import Credential, Platform
from tests import services
from tests.conftest import SECRET
from tests.figures import Figure
from tests.lines.conftest import Provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
PROCESSES = 8
FETCHES = {"own": "cgi-bin/stable_token", "component": "component/api_authorizer_token"}
HAMMER = """
import os, sys, time, django
from pathlib import Path
django.setup()
from merchants import lines
from merchants.models import Merchant
from wechat.endpoints import COURIERS_OLD
home, count = Path(sys.argv[1]), int(sys.argv[2])
for number in range(count):
    if os.fork() == 0:
        break
else:
    sys.exit(max(os.wait()[1] for _ in range(count)) and 1)
merchant = Merchant.objects.get()
(home / f"{number}.ready").touch()
refused = calls = 0
while not (home / "stop").exists():
    line = lines.ensure(merchant)
    if line is None:
        time.sleep(0.01)
        continue
    calls += 1
    if line.call(COURIERS_OLD, {}).errcode:
        refused += 1
        line.drop()
(home / f"{number}.told").write_text(f"{calls} {refused}")
"""


@pytest.fixture
def mode(request: Any, authorized: Provider) -> str:
    """The store called one way or the other, with a living token."""
    way = str(request.param)
    if way == "own":
        Credential.objects.update(mode="own", app_secret=SECRET, access_token="", token_expires_at=None)
        assert lines.ensure(authorized.world.merchant) is not None
    return way


@pytest.fixture
def hammers(mode: str, world: Any, tmp_path: Path, wait_for: Callable[..., None]) -> Iterator[Any]:
    """Eight processes that call as fast as they can, each asking for its line before every call."""
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": services.database_url(),
        "WECHAT_API_URL": world.url,
        "WECHAT_TIMEOUT": "5,5,5",
    }
    started = subprocess.Popen([sys.executable, "-c", HAMMER, str(tmp_path), str(PROCESSES)], env=env)
    wait_for(lambda: len(list(tmp_path.iterdir())) == PROCESSES, 30)
    yield started
    (tmp_path / "stop").touch()
    started.wait(20)


def stop(tmp_path: Path, started: Any) -> tuple[int, int]:
    (tmp_path / "stop").touch()
    assert started.wait(20) == 0
    told = [tuple(map(int, path.read_text().split())) for path in tmp_path.glob("*.told")]
    assert len(told) == PROCESSES
    return sum(calls for calls, _ in told), sum(refused for _, refused in told)


def end_token(world: Any, how: int, offset: int) -> None:
    """An expiry of each kind: about to run out, run out, killed by another system."""
    if how == 2:
        world.remote.expire_tokens(world.merchant.appid, dead=True)
        return
    world.remote.switch(clock_offset=float(offset))
    # The platform's own token runs out with it, as it would.
    Platform.objects.update(token_expires_at=timezone.now())
    left = timedelta(seconds=100 if how == 0 else -1)
    Credential.objects.update(token_expires_at=timezone.now() + left)


@pytest.mark.parametrize("mode", ["own", pytest.param("component", marks=pytest.mark.long)], indirect=True)
def test_eight_processes_fetch_once_per_expiry(
    mode: str, world: Any, hammers: Any, tmp_path: Path, wait_for: Callable[..., None], figure: Figure
) -> None:
    world.remote.ask("DELETE", "/_sandbox/ledger")
    offsets = (6950, 13900, 0, 20850, 0)  # two hours less a little from fetch to fetch
    for number, (how, offset) in enumerate(zip((0, 1, 2, 0, 2), offsets, strict=True)):
        version = Credential.objects.get().token_version
        end_token(world, how, offset)
        wait_for(lambda seen=version: Credential.objects.get().token_version > seen, 20)
        wait_for(lambda: Credential.objects.get().token_expires_at is not None, 20)
        time.sleep(0.4)
        fetched = len(world.remote.ledger(path=FETCHES[mode]))
        assert fetched == number + 1, f"expiry {number} of kind {how}"
    calls, refused = stop(tmp_path, hammers)
    assert calls > 100
    # Only calls that were on their way when the token was killed: two kills, eight processes.
    assert refused <= 2 * PROCESSES
    assert len(world.remote.ledger(path=FETCHES[mode])) == 5
    figure("G6", f"{mode}: fetches in five expiries of {PROCESSES} processes", 5)
    figure("G6", f"{mode}: calls refused of a hundred", f"{100 * refused / calls:.2f} ({refused} of {calls})")


def test_a_crash_between_answer_and_commit_costs_one_lease(world: Any) -> None:
    """Who died holding the lease keeps others off for its length only, and nobody is left without a line."""
    Credential.objects.update(token_expires_at=None, token_version=F("token_version") + 1)
    wanted = lines.ask(world.merchant)
    assert wanted is not None
    wanted.fetch()
    assert lines.ask(world.merchant) is None
    assert lines.ensure(world.merchant) is None
    Credential.objects.update(lease_until=timezone.now())
    assert lines.ensure(world.merchant) is not None


def test_losers_of_the_lease_keep_the_old_token_while_it_lives(world: Any) -> None:
    Credential.objects.update(token_expires_at=timezone.now() + timedelta(seconds=100))
    assert lines.ask(world.merchant) is not None
    old = lines.ensure(world.merchant)
    assert old is not None
    assert old.held is not None
    assert old.held.token.reveal() == Credential.objects.get().access_token


def test_a_late_answer_never_overwrites_a_newer_token(world: Any) -> None:
    Credential.objects.update(token_expires_at=None)
    wanted = lines.ask(world.merchant)
    assert wanted is not None
    reply = wanted.fetch()
    Credential.objects.update(token_version=F("token_version") + 1, access_token="newer")
    wanted.keep(reply)
    assert Credential.objects.get().access_token == "newer"


def test_web_code_does_not_even_load_the_client() -> None:
    code = "import django; django.setup(); import config.urls, sys; sys.exit('wechat.client' in sys.modules)"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0
