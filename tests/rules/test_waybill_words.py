"""wechat/waybills.py, which the waybill rules lean on; the patterns are the samples', letter for letter."""

import json
from pathlib import Path

import pytest

from wechat.waybills import PATTERNS, fits, guess, is_clean, normalise, same_courier

GUESSES = Path("sandbox/waybill_patterns.json")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (" sf 1234 ", "SF1234"),
        ("ＳＦ１２", "SF12"),
        ("SF\u200b12\ufeff\t\n", "SF12"),
        ("a-b", "A-B"),
        ("　", ""),
        ("straße1", "STRAßE1"),
    ],
)
def test_normalise(typed, number):
    assert normalise(typed) == number


@pytest.mark.parametrize(
    ("number", "is_so"),
    [
        ("SF-12", True),
        ("", False),
        ("sf", False),
        ("SF 1", False),
        ("SF1\n", False),
        ("٣", False),
        ("-", False),
        ("--1", True),
    ],
)
def test_is_clean(number, is_so):
    assert is_clean(number) is is_so


@pytest.mark.parametrize(
    ("courier", "number", "answer"),
    [("SF", "sf1234567890123", True), ("SF", "1", False), ("OTHER", "1", None), ("YD", "5123456789012", True),
     ("JDL", "JDVA12345678901", True), ("DBL", "DPK123456789012", True), ("ANE", "1", None)],
)  # fmt: skip
def test_fits(courier, number, answer):
    assert fits(courier, number) is answer


@pytest.mark.parametrize(
    ("number", "couriers"),
    [
        ("SF1234567890123", ("SF",)),
        ("431234567890123", ("STO", "YUNDA")),
        ("621123456789012", ("CNSD",)),
        ("x", ()),
    ],
)
def test_guess_names_the_most_telling_first(number, couriers):
    assert guess(number) == couriers


@pytest.mark.parametrize(
    ("a", "b", "is_so"),
    [
        ("YD", "YUNDA", True),
        ("DB", "DBL", True),
        ("JDL", "JD", True),
        ("ANE", "ANEKY", True),
        ("SF", "YTO", False),
    ],
)
def test_same_courier(a, b, is_so):
    assert same_courier(a, b) is is_so


def test_the_stand_in_judges_by_the_same_public_guesses():
    theirs = json.loads(GUESSES.read_text(encoding="utf-8"))["patterns"]
    ours = {courier: pattern.pattern for courier, pattern in PATTERNS.items()}
    assert {c: p.replace("^", "").replace("$", "") for c, p in theirs.items()} == ours
