"""Child processes of the commands: they never outlive their parent, and stop in order."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Collection

Child = subprocess.Popen[bytes]
PR_SET_PDEATHSIG = 1


def start(command: list[str]) -> Child:
    """Start one of our own commands. Its own session: Ctrl-C reaches the parent only, which stops it."""
    return subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent)  # noqa: S603


def _die_with_parent() -> None:
    """A parent killed with -9 cannot stop anybody: the kernel sends SIGTERM for it (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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
