"""What is written for a person's spreadsheet: every cell is text, whatever it begins with, and reads back."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipping.tables.reading import open_table
from shipping.tables.writing import csv_stream, harmless, write_xlsx

SIGNS = "=+-@\t\r\n\0＝＋－＠"
ID = "3712721703692901632"


@given(st.characters(), st.text(max_size=20))
def test_no_cell_begins_like_a_formula(first: str, rest: str) -> None:
    cell = harmless(first + rest)
    assert not cell.startswith(tuple(SIGNS))
    assert not cell.lstrip().startswith(tuple(SIGNS))


def test_no_first_character_of_all_unicode_makes_a_formula() -> None:
    cells = (harmless(chr(code) + "1+1") for code in range(0x110000))
    assert [cell for cell in cells if cell.lstrip().startswith(tuple(SIGNS))] == []


def test_a_workbook_holds_no_formula_and_no_number() -> None:
    rows = [["订单号", *SIGNS], [ID, *(f"{sign}1+1" for sign in SIGNS)]]
    target = io.BytesIO()
    write_xlsx(target, {"表": rows, "说明": [["a"]]})
    sheet = zipfile.ZipFile(target).read("xl/worksheets/sheet1.xml")
    assert (b"<f>" in sheet, sheet.count(b"<v>")) == (False, 0)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_ids_read_back_as_they_were(kind: str) -> None:
    rows = [["订单号", "快递单号", "备注"], [ID, "007", "=1+1"], [ID, "SF-1", "-说"]]
    target = io.BytesIO()
    if kind == "xlsx":
        write_xlsx(target, {"表": rows})
    else:
        target.writelines(csv_stream(rows))
    table = open_table(target.getvalue(), f"a.{kind}")
    assert [row.cells for row in table.rows] == rows[1:]


def test_a_long_number_of_a_csv_is_no_number_to_a_spreadsheet() -> None:
    assert (harmless(ID), harmless("007"), harmless("2"), harmless("SF1")) == (f"{ID}\t", "007\t", "2", "SF1")
