"""The state file: it outlives a restart and kill -9, and the process obeys SIGTERM."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.remote import Remote
from sandbox.server import Sandbox

from .conftest import Shop, open_shop

ROOT = Path(__file__).resolve().parents[2]


def serve(state: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert found
    return process, found[0]


def end(process: subprocess.Popen[str], number: int) -> int:
    process.send_signal(number)
    assert process.stdout
    process.stdout.close()
    return process.wait(5)


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    state = str(tmp_path / "deep" / "state.sqlite3")
    first = Sandbox(state).start()
    shop = open_shop(first)
    order = shop.order()
    shop.send(order)
    shop.remote.switch(accept_yd=False)
    shop.remote.fault("empty")
    shop.remote.fault("late_accept", order_id="1", times=3)
    kept = [
        shop.remote.ask("GET", f"/_sandbox/{name}") for name in ("ledger", "faults", "switches", "orders")
    ]
    first.stop()
    second = Sandbox(state).start()
    remote = Remote(second.url)
    assert [
        remote.ask("GET", f"/_sandbox/{name}") for name in ("ledger", "faults", "switches", "orders")
    ] == kept
    again = Shop(remote, second.url, shop.appid, shop.token)
    assert again.call("order/get", {"order_id": order["order_id"]})["order"]["status"] == 30
    second.stop()


def test_kill_9_loses_nothing_that_was_answered_or_accepted(tmp_path: Path) -> None:
    process, url = serve(tmp_path / "state.sqlite3", "--seed", "empty")
    remote = Remote(url)
    remote.merchant("wxkill")
    shop = Shop(remote, url, "wxkill", remote.token("wxkill"))
    answered, hidden, late = (shop.order() for _ in range(3))
    assert shop.send(answered)["errcode"] == 0
    remote.fault("reset_after", order_id=hidden["order_id"])
    remote.fault("late_accept", order_id=late["order_id"], seconds=0.05)
    for order in (hidden, late):
        with pytest.raises(OSError):
            shop.send(order)
    assert end(process, signal.SIGKILL) == -signal.SIGKILL
    time.sleep(0.06)
    sandbox = Sandbox(str(tmp_path / "state.sqlite3")).start()
    remote = Remote(sandbox.url)
    assert [remote.truth(order["order_id"])["status"] for order in (answered, hidden, late)] == [30, 30, 30]
    assert len(remote.ledger(path="delivery/send")) == 3
    assert remote.call("order/get", {"order_id": late["order_id"]}, shop.token)["errcode"] == 0
    sandbox.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_even_with_somebody_waiting(tmp_path: Path, number: int) -> None:
    process, url = serve(tmp_path / "state.sqlite3")
    assert len(Remote(url).ask("GET", "/_sandbox/merchants")) == 6
    assert end(process, number) == 0
    assert os.path.getsize(tmp_path / "state.sqlite3") > 0


def test_a_seeded_state_is_not_seeded_again(tmp_path: Path) -> None:
    state = str(tmp_path / "state.sqlite3")
    first = Sandbox(state, seed="demo").start()
    remote = Remote(first.url)
    order_id = remote.ask("GET", "/_sandbox/orders")[0]
    remote.change(order_id, {"status": 250})
    first.stop()
    second = Sandbox(state, seed="demo").start()
    assert Remote(second.url).truth(order_id)["status"] == 250
    second.stop()
