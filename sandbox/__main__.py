"""``python -m sandbox``: serve until told to stop."""

import argparse
import signal
import sys
import threading

from sandbox.seed import SEEDS
from sandbox.server import Sandbox


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free port")
    parser.add_argument("--state", default="var/sandbox.sqlite3", help="SQLite file, or :memory:")
    parser.add_argument("--seed", choices=sorted(SEEDS), default="demo", help="used on an empty state only")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Serve, and print one line with the address when ready."""
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    sandbox = Sandbox(options.state, options.seed, options.port, options.host).start()
    print(f"sandbox ready at {sandbox.url} (nothing goes to WeChat)", flush=True)
    stop.wait()
    sandbox.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
