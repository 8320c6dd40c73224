"""A worker without its calls, for so many seconds: `python -m bench.peers.writer SECONDS`."""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

ACCEPTED = {"errcode": 0, "errmsg": "ok"}


def work(seconds: float) -> dict[str, Any]:
    from django.db import OperationalError

    from shipping.dispatch.backlog import Backlog
    from shipping.dispatch.claiming import claim_some
    from shipping.dispatch.recording import record
    from shipping.dispatch.sending import prepare
    from wechat.outcomes import read_outcome
    from wechat.replies import Reply, ReplyKind

    done: dict[str, Any] = {"outcomes": 0, "writes": [], "locked": 0}
    outcome = read_outcome(Reply(ReplyKind.ANSWERED, errcode=0, errmsg="ok", data=ACCEPTED))
    backlog, run = Backlog(), f"{os.getpid()}-bench"

    def timed(write: Callable[..., Any], *given: Any) -> Any:
        began = time.perf_counter()
        try:
            return write(*given)
        except OperationalError as error:
            done["locked"] += "locked" in str(error)
            return None
        finally:
            done["writes"].append(time.perf_counter() - began)

    began = time.monotonic()
    while time.monotonic() < began + seconds:
        for attempt in timed(claim_some, run, 1, None, (), backlog) or ():
            if timed(prepare, attempt) is not None:
                timed(record, attempt, outcome)
                done["outcomes"] += 1
    return done | {"seconds": time.monotonic() - began}


if __name__ == "__main__":
    django.setup()
    logging.disable(logging.INFO)
    print(json.dumps(work(float(sys.argv[1]))), flush=True)
