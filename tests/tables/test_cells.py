"""One cell: what a spreadsheet stored, wrapped or destroyed."""

from datetime import date, datetime
from typing import Any

import pytest

from shipping.tables.cells import Value, fault_of, id_text, text_of
from shipping.tables.reading import Row, open_table

from . import made

ID = "3712721703692901632"


@pytest.mark.parametrize(
    ("stored", "text", "fault"),
    [
        (23424324253.0, "23424324253", ""),
        (123456789012345.0, "123456789012345", ""),
        (-1.0, "-1", ""),
        (1.5, "1.5", ""),
        (1000000000000000.0, "1000000000000000", "digits_lost"),
        (3712721703692901632, "3712721703692901632", "digits_lost"),
        (True, "TRUE", ""),
        (None, "", ""),
        (datetime(2026, 11, 24, 8, 30), "2026-11-24 08:30", ""),
        (date(2026, 11, 24), "2026-11-24 00:00", ""),
        (f'="{ID}"', ID, ""),
        ('="a""b"', 'a"b', ""),
        (f"'{ID}", ID, ""),
        (f"\u200b{ID}\ufeff\t", ID, ""),
        ("=1+1", "=1+1", ""),
        ("a'b", "a'b", ""),
    ],
)
def test_a_cell_reads_as_it_was_meant(stored: Value, text: str, fault: str) -> None:
    assert text_of(stored) == (text, fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("3.71E+18", "digits_lost"), ("7.7e+14", "digits_lost"), ("3E12", ""), ("SF+1", ""), ("E+1", ""),
        ("#N/A", "formula_error"), ("#REF!", "formula_error"), ("Err:502", "formula_error"), ("#1001", ""), ("E100", ""),
    ],
)  # fmt: skip
def test_a_text_gives_away_what_a_spreadsheet_did_to_it(text: str, fault: str) -> None:
    assert fault_of(text) == fault


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("３７１２", "3712"),
        ("37 12", "3712"),
        ("23424324253.0", "23424324253"),
        ("37.5", "37.5"),
        ("SF-1", "SF-1"),
    ],
)
def test_an_id_is_plain(text: str, clean: str) -> None:
    assert id_text(text) == clean


def rows_of(book: bytes, name: str) -> list[Row]:
    return list(open_table(book, name).rows)


HEADER = ["订单号", "快递公司", "快递单号"]
ROWS: list[Any] = [HEADER, [ID, "顺丰", 23424324253.0], ["3712721703692901633", None, 3712721703692901632.0]]
BOOKS = {"xlsx": made.xlsx(ROWS), "ods": made.ods(made.ods_rows(ROWS)), "xls": made.xls(ROWS)}


@pytest.mark.parametrize("kind", BOOKS)
def test_a_long_number_stored_as_a_number_is_refused_where_it_stands(kind: str) -> None:
    first, second = rows_of(BOOKS[kind], f"a.{kind}")
    assert (first.number, first.cells, dict(first.faults)) == (2, [ID, "顺丰", "23424324253"], {})
    assert (second.cells[0], dict(second.faults)) == ("3712721703692901633", {2: "digits_lost"})


def test_a_formula_without_a_value_or_with_an_error_is_no_blank_cell() -> None:
    def write(page: Any) -> None:
        for column, name in enumerate(HEADER):
            page.write(1, column + 1, name)
        page.write_formula(2, 1, "=A9", None, "")
        page.write_formula(2, 2, "=NA()", None, "#N/A")
        page.write_formula(2, 3, '="SF"&1', None, "SF1")

    (row,) = rows_of(made.xlsx([], write), "a.xlsx")
    assert (row.number, row.cells) == (3, ["", "", "", "SF1"])
    assert row.faults == {1: "formula_without_value", 2: "formula_error"}


def test_an_error_of_an_old_workbook_is_seen() -> None:
    (row,) = rows_of(made.xls([HEADER, [ID, "SF"]], made.error_cell(1, 2)), "a.xls")
    assert row.faults == {2: "formula_error"}


def test_repeated_blank_cells_of_ods_keep_their_places() -> None:
    blank = "<table:table-cell table:number-columns-repeated='2'/>"
    rows = made.ods_rows([HEADER]) + "<table:table-row table:number-rows-repeated='3'/>"
    rows += f"<table:table-row>{blank}<table:table-cell office:value-type='string'><text:p>SF1</text:p></table:table-cell>"
    rows += "<table:table-cell table:number-columns-repeated='16381'/></table:table-row>"
    rows += "<table:table-row table:number-rows-repeated='1048570'><table:table-cell table:number-columns-repeated='16384'/></table:table-row>"
    (row,) = rows_of(made.ods(rows), "a.ods")
    assert (row.number, row.cells[:3]) == (5, ["", "", "SF1"])
