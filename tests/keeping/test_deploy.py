"""The files of `deploy/` and what the operators' pages say are true: what they name is there."""

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.urls import resolve
from gunicorn.config import Config

from shipping.management.commands import serve, work
from shipping.tables.hostile import WEB

HERE = Path(settings.BASE_DIR)
DEPLOY = HERE / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PAGES = [HERE / "docs/OPERATIONS.md", *(HERE / "docs/operations").glob("*.md")]
FILES = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc"]
# What is read by programs and libraries of others.
OF_OTHERS = {
    "PASSWORD",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD_FILE",
    "PYTHONUNBUFFERED",
    "READ_DOTENV",
    "PROMETHEUS_MULTIPROC_DIR",
}
# How long nginx (60 s) and Caddy (120 s) keep a connection to the desk, by their own defaults.
KEPT_BY_PROXIES = 120
NAMED = re.compile(r"^#?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
READ = re.compile(r"""env(?:\.\w+)?\(\s*"([A-Z][A-Z0-9_]+)\"""")


def unit(path: Path) -> configparser.SectionProxy:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(path)
    return parsed["Service"]


def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def gunicorns() -> Iterator[list[str]]:
    """Each way that gunicorn is started in, after its name."""
    yield serve.commands()["web"][3:]
    yield shlex.split(unit(DEPLOY / "systemd/fahuo-web.service")["ExecStart"])[3:]
    told = re.search(r"CMD \[(.*?)\]\s*$", (DEPLOY / "Dockerfile").read_text(), re.DOTALL)
    assert told
    yield [word.strip('", \\\n') for word in told[1].replace("\\\n", "").split(",")][1:]


def test_every_command_that_is_named_exists() -> None:
    known = get_commands()
    for path in (*PAGES, *FILES):
        named = set(re.findall(r"manage\.py(?:\"?,)? \"?([a-z_]+)", path.read_text()))
        assert named <= set(known), path


def test_every_name_of_an_environment_is_read_and_explained() -> None:
    read = set(READ.findall((HERE / "config/settings.py").read_text()))
    explained = set(NAMED.findall((HERE / ".env.example").read_text()))
    assert read - {"READ_DOTENV"} == explained
    assert set(NAMED.findall((DEPLOY / "fahuo.env.example").read_text())) <= read
    for path in PAGES:
        told = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`", path.read_text()))
        assert told <= read | OF_OTHERS | {"SETTLE_GRACE"}, path


def test_the_compose_file_hangs_together() -> None:
    told = compose()
    services = told["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[needed], name
            assert needed in services
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in told["volumes"]
        assert set(service.get("secrets", [])) <= set(told["secrets"])
        for word in service.get("healthcheck", {}).get("test", []):
            assert not word.startswith("deploy/") or (HERE / word).is_file()
    assert services["web"]["build"]["dockerfile"] == "deploy/Dockerfile"
    assert (DEPLOY / f"{services['web']['env_file']}.example").is_file()


def test_pg_dump_of_the_image_is_not_older_than_the_server() -> None:
    server = int(re.findall(r"postgres:(\d+)", compose()["services"]["db"]["image"])[0])
    [client] = re.findall(r"postgresql-client-(\d+)", (DEPLOY / "Dockerfile").read_text())
    assert int(client) >= server


def test_gunicorn_knows_its_options_and_is_started_alike_everywhere() -> None:
    alike = []
    for words in gunicorns():
        told = vars(Config().parser().parse_args(words))
        kept = (
            "worker_class",
            "threads",
            "limit_request_line",
            "control_socket_disable",
            "loglevel",
            "keepalive",
        )
        alike.append({name: told.get(name) for name in kept} | {"args": told["args"]})
    assert alike[0] == alike[1] == alike[2]
    assert alike[0]["keepalive"] > KEPT_BY_PROXIES


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_is_there_and_writes_only_where_it_may(path: Path) -> None:
    told = unit(path)
    words = shlex.split(told["ExecStart"])
    assert words[0] == "/srv/fahuo/.venv/bin/python"
    assert words[1] == "manage.py" or words[1:3] == ["-m", "gunicorn"]
    assert told["ProtectSystem"] == "strict"
    assert told["NoNewPrivileges"] == "yes"
    assert told["ReadWritePaths"] == f"/var/lib/{told['StateDirectory']}"


def test_a_worker_has_the_time_it_takes_to_stop() -> None:
    told = unit(DEPLOY / "systemd/fahuo-worker.service")
    longest = len(settings.QUEUES) * work.PATIENCE
    assert told["KillMode"] == "mixed", "the supervisor asks its workers itself"
    assert float(told["TimeoutStopSec"]) > longest
    assert float(compose()["services"]["worker"]["stop_grace_period"].rstrip("s")) > longest


def test_proxies_let_a_whole_upload_through() -> None:
    assert "client_max_body_size 6m;" in (DEPLOY / "nginx.conf").read_text()
    assert "max_size 6MB" in (DEPLOY / "Caddyfile").read_text()
    assert WEB.size < 6_000_000


def test_pages_lead_to_pages_that_are_there() -> None:
    for path in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), (path, target)


def test_what_is_asked_how_the_desk_is_is_answered() -> None:
    asked = {path for file in FILES for path in re.findall(r"/(?:healthz|readyz)\b", file.read_text())}
    assert {resolve(path).func.__name__ for path in asked} == {"healthz", "readyz"}
