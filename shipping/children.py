"""Child processes of the commands: they never outlive their parent, and stop in order."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from functools import partial

Child = subprocess.Popen[bytes]
PR_SET_PDEATHSIG = 1


def start(command: list[str]) -> Child:
    """Start one of our own commands. Its own session: Ctrl-C reaches the parent only, which stops it."""
    die_too = partial(_die_with, os.getpid())
    return subprocess.Popen(command, start_new_session=True, preexec_fn=die_too)  # noqa: S603


def _die_with(parent: int) -> None:
    """A parent killed with -9 cannot stop anybody: the kernel sends SIGTERM for it (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)  # it died before the kernel knew


def stop(children: Collection[Child], seconds: float) -> None:
    """Ask all to finish what they do, wait so long for each, then kill."""
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
