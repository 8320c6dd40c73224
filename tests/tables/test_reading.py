"""Files and pasted rows as tables: encodings, separators, headers, the number each row has in its file."""

import pytest

from shipping.tables.columns import Mapping, recognise, to_remember
from shipping.tables.reading import Table, open_table, pasted_table

TEXT = "订单号{0}快递公司{0}快递单号\n3712721703692901632{0}顺丰{0}SF3100000000001\n"


def read(text: str, encoding: str = "utf-8") -> Table:
    return open_table(text.encode(encoding), "parcels.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t", "，"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_a_text_file_reads_alike_in_every_encoding(encoding: str, separator: str) -> None:
    table = read(TEXT.format(separator), encoding)
    assert table.columns == ["订单号", "快递公司", "快递单号"]
    assert [(row.number, row.cells) for row in table.rows] == [
        (2, ["3712721703692901632", "顺丰", "SF3100000000001"])
    ]


def test_pasted_rows_are_a_table() -> None:
    table = pasted_table("订单号\t快递单号\n37\tSF1\n\n38\tSF2\n")
    assert [(row.number, row.cells) for row in table.rows] == [(2, ["37", "SF1"]), (4, ["38", "SF2"])]


def test_a_mapping_survives_being_stored_and_answered() -> None:
    columns = ["订单号", "运单", "颜色"]
    mapping = recognise(columns)
    assert mapping.unrecognised == (1, 2)
    answers = {1: "waybill_id", 2: "ignored"}
    answered = mapping.answered(answers)
    assert (answered.fields, answered.unused, answered.unrecognised) == (
        {"order_id": 0, "waybill_id": 1},
        (2,),
        (),
    )
    assert Mapping.from_json(answered.as_json()) == answered
    assert recognise(columns, to_remember(columns, answers)) == answered
