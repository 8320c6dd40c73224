"""Real worker processes by the dozen: a nursery with everything imported forks one whenever a line asks for it.

`python -m tests.soak.workers [--planted NAME]` reads "fork" lines and prints the new process's id for each.
"""

import argparse
import ctypes
import os
import random
import signal
import sys
import time

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Fork until the input ends; every child dies with the nursery."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.workers", description=__doc__)
    parser.add_argument("--planted", default="")
    planted = parser.parse_args(arguments).planted
    _set_up(planted)
    # Nobody waits for the dead.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(os.getppid())
        print(child, flush=True)


def _set_up(planted: str) -> None:
    import django

    django.setup()
    from tests.soak.planted import PLANTED, scale_the_clock

    scale_the_clock()
    if planted:
        PLANTED[planted]()


def _live(nursery: int) -> None:
    """Pump until killed; -9 is the only end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    sys.stdin.close()
    random.seed()
    while os.getppid() == nursery:
        _pump()
    os._exit(0)


def _pump() -> None:
    from shipping.dispatch import Pump

    try:
        Pump().run(5)
    except Exception as error:
        print(f"a pump stopped: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1:])
