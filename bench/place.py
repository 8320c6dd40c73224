"""Where a race is run: a folder of its own, a migrated database, a sandbox process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "bench"
# Invented, and never sent anywhere but to the sandbox.
SETTINGS = {
    "READ_DOTENV": "0",
    "DEBUG": "0",
    "SECRET_KEY": "bench-only-" + "x" * 50,
    "CREDENTIAL_KEYS": "A" * 43 + "=",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "WECHAT_API_URL": "http://127.0.0.1:9",
    "SYNC_EVERY": "0",
    # The sandbox names the pace of the older shops, 800 calls in 30 s, which is not to be raced against.
    "QUOTA_EVERY": "1000000",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}


def folder(name: str, *, is_kept: bool = False) -> Path:
    """A race's own folder below var/bench, emptied unless it is to be kept."""
    path = HOME / name
    if not is_kept:
        shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True, exist_ok=True)
    return path


def set_up(home: Path, *, database: str = "", **more: str) -> None:
    """Make this process, and those it starts, the product on a migrated database of its own."""
    url = database or f"sqlite:///{home}/bench.sqlite3"
    os.environ |= SETTINGS | {"VAR_DIR": str(home), "DATABASE_URL": url} | more
    manage("migrate", "--verbosity", "0")
    import django

    django.setup()


def static_files() -> Path:
    """The product's static files as production serves them: hashed and compressed, gathered once."""
    gathered = ROOT / "staticfiles"
    if not (gathered / "staticfiles.json").exists():
        words = ("collectstatic", "--no-input", "--verbosity", "0")
        manage(*words, **(SETTINGS | {"DATABASE_URL": "sqlite://:memory:"} | dict(os.environ)))
    return gathered


def manage(*words: str, **env: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=os.environ | env, check=True)  # noqa: S603


@contextmanager
def process(*words: str, **env: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process of this virtual environment, ended with the block; it may be talked to."""
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, *words], cwd=ROOT, env=os.environ | env, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=(HOME / "stderr.log").open("a"),
    )  # fmt: skip
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=40)
        except subprocess.TimeoutExpired:
            child.kill()


@contextmanager
def sandbox() -> Iterator[str]:
    """A sandbox process with nothing in it; yields its address, which the product is told, too."""
    with process("-m", "sandbox", "--port", "0", "--state", ":memory:", "--seed", "empty") as child:
        url = read_line(child).split(" at ")[1].split()[0]
        tell_product(url)
        yield url


def tell_product(url: str) -> None:
    from django.conf import settings

    os.environ["WECHAT_API_URL"] = settings.WECHAT_API_URL = url
    settings.WECHAT_API_HOST = "127.0.0.1"


def read_line(child: "subprocess.Popen[str]") -> str:
    """The next line a process prints; raises RuntimeError when it ended instead."""
    line = child.stdout.readline() if child.stdout else ""
    if not line:
        raise RuntimeError(f"{child.args!r} ended; see {HOME / 'stderr.log'}")
    return line


def ask(child: "subprocess.Popen[str]", line: str) -> str:
    """One line in, one line out."""
    if child.stdin is None:
        raise RuntimeError("this process cannot be asked")
    child.stdin.write(line + "\n")
    child.stdin.flush()
    return read_line(child)
