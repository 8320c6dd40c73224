"""Files that mean harm: refused at once, in little memory (G14)."""

import statistics
from pathlib import Path

from bench import files, place
from bench.figures import Figure, Size, at_most

SECONDS, MEMORY = 1.0, 20.0


def run(size: Size) -> list[Figure]:
    """Each file is read by a process of its own, as the web reads an upload."""
    home = place.folder("hostile")
    made = {
        "300 MB in a file of 1.2 MB": ("bomb.xlsx", files.bomb()),
        "a DTD": ("dtd.xlsx", files.entities()),
    }
    return [
        figure
        for name, (filename, data) in made.items()
        for figure in _figures(name, _told(home / filename, data, size.pick(1, 5)))
    ]


def _told(path: Path, data: bytes, times: int) -> list[dict[str, object]]:
    path.write_bytes(data)
    return [files.alone(path, "web") for _ in range(times)]


def _figures(name: str, told: list[dict[str, object]]) -> list[Figure]:
    reasons = {str(each["refused"]) for each in told}
    if "" in reasons:
        raise RuntimeError(f"{name} was taken")
    seconds, extra = (
        statistics.median(float(str(each[key])) for each in told) for key in ("seconds", "extra")
    )
    note = ", ".join(sorted(reasons))
    return [
        at_most(f"{name}: refused", seconds, SECONDS, "s", note),
        at_most(f"{name}: memory", extra, MEMORY, "MB"),
    ]
