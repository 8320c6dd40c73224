"""`make run`: the sandbox, the product's web and worker, and the demo's data, on this machine only.

Runs the product by its own commands and imports nothing of it. Data lives in var/demo and is kept.
"""

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from sandbox.remote import Remote
from sandbox.seed import ways

HOME = Path(os.environ.get("DEMO_HOME", "var/demo"))
ENV_FILE = HOME / "env"
LOGINS = (("staff", "员工 / staff"), ("manager", "主管 / manager"), ("admin", "管理员 / admin"))
PASSWORD = "fahuo-demo"  # noqa: S105 - printed on the demo's own login page
TICKET_EVERY = 600  # seconds, as WeChat does


def main(arguments: list[str]) -> int:
    """Run until stopped; with `--anew` on an empty desk."""
    make_home(anew="--anew" in arguments)
    env = environment()
    children: list[subprocess.Popen[bytes]] = []
    # Also where a shell that started us in the background has told us to ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        step("database", lambda: manage(env, "migrate", "--verbosity", "0"))
        step("static files", lambda: collect(env))
        step("sandbox", lambda: children.append(start_sandbox(env)))
        step("demo data", lambda: manage(env, "load_demo"))
        step("web and worker", lambda: children.append(start_product(env)))
        step("push addresses", lambda: tell_push_addresses(env))
        step("third party", lambda: authorize(env))
        greet(env)
        return wait(children, env)
    except KeyboardInterrupt:
        return 0
    finally:
        stop(children)


def make_home(*, anew: bool) -> None:
    """Only what a demo has made is thrown away, whatever DEMO_HOME says."""
    if anew and ENV_FILE.exists():
        shutil.rmtree(HOME)
    HOME.mkdir(parents=True, exist_ok=True)


def _interrupt(*args: object) -> None:
    raise KeyboardInterrupt


def step(name: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    work()
    print(f"  {name:<16}{time.monotonic() - began:6.1f} s", flush=True)


def environment() -> dict[str, str]:
    """The demo's own settings; secrets are made once and kept, ports move if they are taken."""
    if not ENV_FILE.exists():
        ENV_FILE.touch(mode=0o600)
        ENV_FILE.write_text(
            f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
            f"CREDENTIAL_KEYS={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n"
        )
    kept = dict(line.split("=", 1) for line in ENV_FILE.read_text().splitlines())
    port, sandbox_port = free_port("PORT", 8000), free_port("SANDBOX_PORT", 8900)
    home = HOME.resolve()
    return {**os.environ, **kept,
        "READ_DOTENV": "0",
        "VAR_DIR": str(home),
        "DATABASE_URL": f"sqlite:///{home / 'demo.sqlite3'}",
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WECHAT_API_URL": f"http://127.0.0.1:{sandbox_port}",
        "WECHAT_LOGIN_URL": f"http://127.0.0.1:{sandbox_port}",
        "WECHAT_CLOUD_API_URL": f"http://127.0.0.1:{sandbox_port}/_cloud/{ways.CLOUD.appid}",
        # The demo should not keep anybody waiting two minutes for a lost answer.
        "SETTLE_GRACE": os.environ.get("SETTLE_GRACE", "20"),
    }  # fmt: skip


def free_port(name: str, default: int) -> int:
    wanted = int(os.environ.get(name, default))
    port = next(port for port in range(wanted, wanted + 200) if is_free(port))
    if port != wanted:
        print(f"  port {wanted} is taken, {name} moves to {port}", flush=True)
    return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def manage(env: dict[str, str], *command: str) -> None:
    done = subprocess.run([sys.executable, "manage.py", *command], env=env, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"manage.py {command[0]} failed; the words above say why")


def collect(env: dict[str, str]) -> None:
    """Compressing takes seconds, so it is done again only when a file or a package has changed."""
    stamp, sources = HOME / "static.stamp", [Path("requirements.txt"), *Path("static").rglob("*")]
    newest = str(max(path.stat().st_mtime_ns for path in sources))
    if not Path("staticfiles").is_dir() or not stamp.exists() or stamp.read_text() != newest:
        manage(env, "collectstatic", "--no-input", "--verbosity", "0")
        stamp.write_text(newest)


def start_sandbox(env: dict[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "sandbox", "--port", env["SANDBOX_PORT"]]
    command += ["--state", str(HOME / "sandbox.sqlite3")]
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    await_answer(env["WECHAT_API_URL"])
    return child


def start_product(env: dict[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "manage.py", "serve"]
    child = subprocess.Popen(command, env=env, start_new_session=True)  # noqa: S603
    await_answer(env["PUBLIC_URL"] + "/login/")
    return child


def tell_push_addresses(env: dict[str, str]) -> None:
    """What a store's admin does in the back office: copy each store's URL, with its Token and key."""
    command = [sys.executable, "manage.py", "push_urls"]
    listed = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout  # noqa: S603
    remote = Remote(env["WECHAT_API_URL"])
    for appid, url in (line.split() for line in listed.splitlines()):
        digit = appid[-1]
        # As public as the demo's stores are invented; load_demo types the same into the desk.
        remote.push_address(appid, url, f"push-{digit * 10}", digit * 43)


def authorize(env: dict[str, str]) -> None:
    """What WeChat pushes to a third-party platform: its ticket, and once that a store has authorised it."""
    push(env, "component_verify_ticket")
    stamp = HOME / "authorized.stamp"
    if not stamp.exists():
        push(env, "authorized", ways.AUTHORIZED.appid)
        stamp.touch()


def push(env: dict[str, str], event: str, appid: str = "") -> None:
    door = env["PUBLIC_URL"] + "/wechat/events/component/"
    Remote(env["WECHAT_API_URL"]).push(ways.PLATFORM["appid"], event, url=door, appid=appid)


def await_answer(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own loopback address  # nosec B310
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def greet(env: dict[str, str]) -> None:
    print(f"\n发货台 Fahuo: {env['PUBLIC_URL']}   (nothing is sent to WeChat)")
    for name, role in LOGINS:
        print(f"  {role:<18} {name} / {PASSWORD}")
    print("\nTour: log in as staff, open the first order, type a tracking number, press 发货;")
    print("      then try an order of 错误码演示店: each one is answered with the code in its name;")
    print(f"      what the stand-in received: {env['WECHAT_API_URL']}   Ctrl-C stops everything.", flush=True)


def wait(children: "list[subprocess.Popen[bytes]]", env: dict[str, str]) -> int:
    ticket_at = time.monotonic() + TICKET_EVERY
    while all(child.poll() is None for child in children):
        time.sleep(0.5)
        if time.monotonic() > ticket_at:
            ticket_at += TICKET_EVERY
            push(env, "component_verify_ticket")
    return 1


def stop(children: "list[subprocess.Popen[bytes]]") -> None:
    for child in reversed(children):
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
