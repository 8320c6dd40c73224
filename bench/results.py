"""Results kept as JSON in var/bench, and docs/PERFORMANCE.md written from them."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bench import machine
from bench.figures import Figure, Size
from bench.place import HOME, ROOT

REPORT = ROOT / "docs" / "PERFORMANCE.md"
BEGIN, END = "<!-- figures of {name} -->", "<!-- end of {name} -->"
HEAD = "| what | ours | peer | ratio | goal | met |\n|---|---|---|---|---|---|"


def keep(name: str, size: Size, figures: list[Figure]) -> None:
    folder = HOME / "results" / size
    folder.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine.described(), "figures": [asdict(figure) for figure in figures]}
    (folder / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))


def _read(name: str, size: Size) -> tuple[dict[str, str], list[Figure]] | None:
    path = HOME / "results" / size / f"{name}.json"
    if not path.exists():
        return None
    told: dict[str, Any] = json.loads(path.read_text())
    return told["machine"], [Figure(**figure) for figure in told["figures"]]


def show(name: str, size: Size) -> None:
    """The figures of one race, for whoever watches."""
    found = _read(name, size)
    for figure in found[1] if found else ():
        goal = f"  goal {figure.goal}: {_met(figure)}" if figure.goal else ""
        beside = (
            f"  peer {_number(figure.peer)}  ratio {_number(figure.ratio)}" if figure.peer is not None else ""
        )
        print(f"{figure.name}: {_number(figure.ours)} {figure.unit}{beside}{goal}  {figure.note}", flush=True)


def write_report() -> None:
    """Put the long figures between their markers; a race that was not run keeps its old ones."""
    text = REPORT.read_text()
    for path in sorted((HOME / "results" / Size.LONG).glob("*.json")):
        if found := _read(path.stem, Size.LONG):
            text = _between(text, path.stem, "\n".join(_section(*found)))
    REPORT.write_text(text)


def _between(text: str, name: str, figures: str) -> str:
    begin, end = BEGIN.format(name=name), END.format(name=name)
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{figures}\n{end}{rest.partition(end)[2]}"


def _section(described: dict[str, str], figures: list[Figure]) -> Iterator[str]:
    yield f"{described['date']}, commit {described['commit']}. {machine.sentence(described)}\n"
    yield HEAD
    for figure in figures:
        unit = f" {figure.unit}"
        peer = f"{_number(figure.peer)}{unit}" if figure.peer is not None else ""
        ratio = f"{_number(figure.ratio)} ×" if figure.ratio is not None else ""
        name = f"{figure.name}<br>{figure.note}" if figure.note else figure.name
        yield f"| {name} | {_number(figure.ours)}{unit} | {peer} | {ratio} | {figure.goal} | {_met(figure)} |"


def _met(figure: Figure) -> str:
    return {True: "yes", False: "**no**", None: ""}[figure.met]


def _number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
