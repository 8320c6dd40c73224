"""A file is read row by row: what is held does not grow with it."""

import tracemalloc
from pathlib import Path

from shipping.tables.hostile import COMMAND
from shipping.tables.reading import open_table, values_of

ROWS = 20_000
# Held at once they would be more than ten times this.
MOST = 1_000_000


def test_a_long_csv_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w", encoding="gb18030") as file:
        file.write("订单号,快递公司,快递单号\n")
        file.writelines(f"37127217036{n:08d},顺丰,SF{3100000000000 + n}\n" for n in range(ROWS))
    tracemalloc.start()
    table = open_table(path, path.name, COMMAND)
    mapping = table.mapping()
    count = sum(1 for row in table.rows if values_of(row, mapping)[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < MOST) == (ROWS, True)
