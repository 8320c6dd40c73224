"""kill -9 of a real worker process between "the platform accepted" and "we recorded"."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from shipping.drafts import Draft, PackageDraft
from shipping.models import Package
from shipping.services import queue_shipment
from tests import services

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def worker_env(url: str) -> dict[str, str]:
    """What a process needs to work on the test's database and sandbox."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": services.database_url(),
        "WECHAT_API_URL": url,
    }


def start_worker(url: str, *command: str, **more: str) -> "subprocess.Popen[bytes]":
    """A process of its own on the test's database; without a command, one that works until it is idle."""
    env = os.environ | worker_env(url) | {"WECHAT_TIMEOUT": "1,20,20", **more}
    return subprocess.Popen([sys.executable, "manage.py", *(command or ("work", "--until-idle"))], env=env)


def test_a_worker_killed_after_acceptance_ends_shipped_once(world: Any, pump: Any, wait_for: Any) -> None:
    order = world.order()
    world.remote.fault("timeout_accepted", seconds=10)
    shipment = queue_shipment(
        order=order, draft=Draft(order.order_id, (PackageDraft(1, "SF", "SF3100000000001"),)), user=None
    )
    worker = start_worker(world.url)
    wait_for(lambda: bool(world.sends(order)))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert Package.objects.get().status == "sending"
    pump()
    assert shipment.packages.get().status == "shipped"
    assert len(world.sends(order)) == 1
