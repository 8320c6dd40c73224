"""Read a file in a process of its own, for its memory: `python -m bench.peers.tables PATH web|command`.

Prints `{seconds, extra, rows, refused}`; `extra`: MB of memory at its highest beyond what imports took.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def peak() -> float:
    """The highest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def read(path: Path, limits: str) -> dict[str, Any]:
    from shipping.tables import hostile
    from shipping.tables.reading import open_table
    from shipping.tables.refusing import Refused

    chosen = {"web": hostile.WEB, "command": hostile.COMMAND}[limits]
    # As an upload arrives, or as the command opens it.
    data = path.read_bytes() if limits == "web" else path
    before, began, refused, rows = peak(), time.perf_counter(), "", 0
    try:
        for _ in open_table(data, path.name, chosen).rows:
            rows += 1
    except Refused as told:
        refused = told.code
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "extra": peak() - before, "rows": rows, "refused": refused}


if __name__ == "__main__":
    print(json.dumps(read(Path(sys.argv[1]), sys.argv[2])), flush=True)
