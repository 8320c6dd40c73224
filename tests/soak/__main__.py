"""`make soak`: kill and stop workers for a long time; the figures of G1 and G4.

    python -m tests.soak --packages 10000 --kills 1000 --stops 60 --seeds 1,2

Runs on a fresh SQLite file, with DB=postgres on a PostgreSQL that it starts; DATABASE_URL names another database, one
that may be emptied.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests import services


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--stops", type=int, default=60)
    parser.add_argument("--seeds", default="1,2", help="the amount is shared among them")
    parser.add_argument("--planted", default="", help="a bug to find, by its name in planted.py")
    return parser.parse_args(arguments)


def _set_up() -> tuple[Path, str]:
    """A folder for this run, its database migrated; returns the folder and the database's URL."""
    from cryptography.fernet import Fernet

    # In memory where there is a place for it: a killed process loses nothing there that it had committed.
    folder = Path(tempfile.mkdtemp(prefix="fahuo-soak-", dir=services.MEMORY))
    fresh = services.postgres_url() if services.is_postgres() else f"sqlite:///{folder}/soak.sqlite3"
    url = os.environ.setdefault("DATABASE_URL", fresh)
    os.environ |= {
        "READ_DOTENV": "0", "SECRET_KEY": "soak-only-" + "x" * 50, "VAR_DIR": str(folder), "SYNC_EVERY": "0",
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(), "DJANGO_SETTINGS_MODULE": "config.settings",
        "WECHAT_API_URL": "http://127.0.0.1:9",
    }  # fmt: skip
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True)
    return folder, url


def _sandbox(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", ":memory:", "--seed", "empty"]
    log = (folder / "sandbox.log").open("w")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().split(" at ")[1].split()[0]


def _one(seed: int, options: argparse.Namespace, shares: int) -> Any:
    from django.conf import settings

    from sandbox.remote import Remote
    from tests.soak.loop import Plan, Soak

    process, url = _sandbox(Path(os.environ["VAR_DIR"]))
    os.environ["WECHAT_API_URL"] = settings.WECHAT_API_URL = url
    settings.WECHAT_API_HOST = "127.0.0.1"
    plan = Plan(
        options.packages // shares, options.kills // shares, options.stops // shares,
        seed=seed, planted=options.planted,
    )  # fmt: skip
    try:
        return Soak(Remote(url), {"WECHAT_API_URL": url}, plan).run()
    finally:
        process.terminate()
        process.wait()


def _tell(seed: int, result: Any) -> None:
    print(
        f"seed {seed}: {result.packages} packages, {result.kills} kills ({result.in_call} in a call), "
        f"{result.stops} stops, {result.calls} calls of which {result.faulty} faulty, "
        f"{result.seconds:.0f} s; {result.statuses}"
    )
    for status, (median, most, longest) in result.stayed.items():
        print(f"  {status}: median {median:.1f} s, 99 % within {most:.1f} s, longest {longest:.1f} s")
    for sentence in result.wrong[:20]:
        print(f"  WRONG {sentence}")
    print(f"  violations of I1 to I10: {len(result.wrong)}", flush=True)


def main(arguments: list[str]) -> int:
    """Run every seed; 1 if anything was twice, lost or false."""
    options = _options(arguments)
    _, database = _set_up()
    import django

    django.setup()
    from tests.database import empty

    print(f"database: {database.split(':')[0]}", flush=True)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    wrong = 0
    for seed in seeds:
        empty("default")
        result = _one(seed, options, len(seeds))
        _tell(seed, result)
        wrong += len(result.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
