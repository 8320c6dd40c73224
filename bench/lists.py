"""The order list, first and deep page, and the search, beside Django admin and django-oscar."""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import place, rows
from bench.figures import Figure, Size, at_most, faster, told

SIZES = {Size.SHORT: (20_000,), Size.LONG: (100_000, 1_000_000)}
# packages -> how many times faster than admin's changelist the pages are to be
PAGES, SEARCH, DEEP, SQL = {100_000: 2.0, 1_000_000: 10.0}, 100.0, 1.2, 5.0
PAGE = 50
ASKED, WARM = 7, 2


def run(size: Size) -> list[Figure]:
    """Each page is asked of all three in turn; all have the same orders, in SQLite files."""
    return [figure for packages in SIZES[size] for figure in _at(packages)]


def _at(packages: int) -> list[Figure]:
    ours = rows.database(packages)
    oscar = _oscar(ours)
    place.static_files()
    with ExitStack() as stack:
        start = stack.enter_context
        racers = {
            "ours": start(_pages(rows.MANAGER, "config.settings", DATABASE_URL=f"sqlite:///{ours}")),
            "admin": start(_pages("root", "bench.peers.changelist", DATABASE_URL=f"sqlite:///{ours}")),
            "oscar": start(_pages("root", "bench.peers.oscar.settings", OSCAR_DATABASE=str(oscar))),
        }
        found = {name: _in_turn(racers, paths) for name, paths in _paths(ours).items()}
    return list(_figures(found, packages))


def _pages(username: str, settings: str, **env: str) -> Any:
    return place.process("-m", "bench.peers.pages", username, DJANGO_SETTINGS_MODULE=settings, **env)


def _oscar(ours: Path) -> Path:
    """django-oscar's database with the same orders, built once beside ours."""
    path = ours.with_name(f"oscar-{ours.name}")
    if not path.exists():
        making = path.with_suffix(".making")
        making.unlink(missing_ok=True)
        env = {"DJANGO_SETTINGS_MODULE": "bench.peers.oscar.settings", "OSCAR_DATABASE": str(making)}
        command = [sys.executable, "-m", "bench.peers.oscar.rows", str(ours)]
        subprocess.run(command, cwd=place.ROOT, env=os.environ | env, check=True)  # noqa: S603
        making.rename(path)
    return path


def _paths(ours: Path) -> dict[str, dict[str, str]]:
    """What each is asked for: its first page, its page in the middle, one tracking number."""
    database = sqlite3.connect(ours)
    orders, packages = (
        database.execute(f"SELECT COUNT(*) FROM shipping_{name}").fetchone()[0]  # noqa: S608
        for name in ("order", "package")
    )
    waybill = database.execute(
        "SELECT waybill_id FROM shipping_package WHERE id >= ? AND status = 'shipped' LIMIT 1",
        (packages // 2,),
    ).fetchone()[0]
    middle = {"admin": packages // PAGE // 2, "oscar": orders // PAGE // 2}
    admin = "/admin/shipping/package/"
    return {
        "first": {"ours": "/?tab=all&merchant=", "admin": admin, "oscar": "/dashboard/orders/"},
        "deep": {
            "ours": f"/?tab=all&merchant=&after={orders // 2}",
            "admin": f"{admin}?p={middle['admin']}",
            "oscar": f"/dashboard/orders/?page={middle['oscar']}",
        },
        "search": {"ours": f"/search/?q={waybill}", "admin": f"{admin}?q={waybill}"},
    }


def _in_turn(racers: dict[str, Any], paths: dict[str, str]) -> dict[str, dict[str, float]]:
    """Medians of what each took, asked one after the other again and again."""
    asked: dict[str, list[dict[str, float]]] = {name: [] for name in paths}
    for _ in range(WARM + ASKED):
        for name, path in paths.items():
            asked[name].append(json.loads(place.ask(racers[name], path)))
    for name, answers in asked.items():
        if any(answer["status"] >= 400 for answer in answers):
            raise RuntimeError(f"{name} answered {paths[name]} with {answers[-1]['status']}")
    return {
        name: {key: statistics.median(answer[key] for answer in answers[WARM:]) for key in answers[0]}
        for name, answers in asked.items()
    }


def _figures(found: dict[str, dict[str, dict[str, float]]], packages: int) -> Any:
    goal = PAGES.get(packages)
    for name in ("first", "deep"):
        page = {who: answer["seconds"] * 1000 for who, answer in found[name].items()}
        told_of = f"{packages:,} packages, {name} page"
        yield faster(f"{told_of}: Django admin", page["ours"], page["admin"], goal, "ms")
        yield faster(f"{told_of}: django-oscar", page["ours"], page["oscar"], None, "ms")
        asked = found[name]["ours"]
        yield at_most(f"{told_of}: its SQL", asked["sql"], SQL, "ms", f"all {asked['queries']:.0f} queries")
    first, deep = (found[name]["ours"]["seconds"] for name in ("first", "deep"))
    yield at_most(f"{packages:,} packages: deep page to first", deep / first, DEEP, "×")
    ours, admin = (found["search"][who]["seconds"] * 1000 for who in ("ours", "admin"))
    has_goal = SEARCH if packages in PAGES else None
    yield faster(
        f"{packages:,} packages, search by tracking number: Django admin", ours, admin, has_goal, "ms"
    )
    yield told(
        f"{packages:,} packages, weight of the first page", found["first"]["ours"]["bytes"] / 1000, "kB"
    )
