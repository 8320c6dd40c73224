"""`python -m bench [NAME…] [--short]`: run the races, each in a process of its own; write what came of them.

Without names all of RACES but those of `BY_NAME` are run. Only long figures go to docs/PERFORMANCE.md.
"""

import argparse
import importlib
import subprocess
import sys
import time

from bench import results
from bench.figures import Size
from bench.place import HOME, ROOT

RACES = ("sending", "workers", "lists", "importing", "hostile", "outcomes", "weight", "load", "fairness")
# Ten minutes of its own: asked for by name only.
BY_NAME = ("fairness",)


def main(arguments: list[str]) -> int:
    """1 when a race broke down; a goal that is missed is a figure like any other."""
    options = _options(arguments)
    size = Size.SHORT if options.short else Size.LONG
    if options.one:
        results.keep(options.one, size, importlib.import_module(f"bench.{options.one}").run(size))
        return 0
    names = options.names or [name for name in RACES if name not in BY_NAME]
    broken = [name for name in names if not _run(name, size)]
    if size is Size.LONG:
        results.write_report()
    if broken:
        print(f"broke down: {', '.join(broken)}")
    return 1 if broken else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *RACES], help=", ".join(RACES))
    parser.add_argument("--short", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--one", choices=RACES, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _run(name: str, size: Size) -> bool:
    HOME.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    command = [sys.executable, "-m", "bench", "--one", name, *(["--short"] if size is Size.SHORT else [])]
    done = subprocess.run(command, cwd=ROOT, check=False).returncode == 0  # noqa: S603
    print(f"--- {name}: {time.monotonic() - began:.0f} s", flush=True)
    if done:
        results.show(name, size)
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
