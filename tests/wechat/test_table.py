"""The code table's promises that the worker and the packer lean on, beyond what tests/wechat_codes holds."""

import re

import pytest

from wechat.errcodes import CODES, LOCAL, TABLE, Code, load

ROW = """
title_zh = "题"
title_en = "t"
means_zh = "义"
means_en = "m"
do_zh = "做"
do_en = "d"
fixed_by = "staff"
"""
LATER = f'[1]\nthen = "later"{ROW}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LATER, "[1]: wait is missing: later needs wait or until"),
        (LATER + "tries = 3", "[1]: wait is missing"),
        (LATER + "wait = -1", "[1]: wait is below zero"),
        (LATER + "wait = 1\ntries = -1", "[1]: tries is below zero"),
        ("606005 = 1", "[606005]: row is no table"),
    ],
)
def test_a_row_the_worker_could_spin_on_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        load(text)


@pytest.mark.parametrize("waits", ["wait = 1", 'until = "midnight"'])
def test_a_row_that_waits_is_taken(waits: str) -> None:
    assert load(LATER + waits)[0][1].then == "later"


def test_a_local_row_waits_as_the_engine_says() -> None:
    assert load(f'[local.x]\nthen = "later"{ROW}')[1]["x"].wait == 0


def test_the_courier_the_label_service_refuses_has_a_row() -> None:
    assert (CODES[10025102].field, CODES[10025102].then) == ("packages[].delivery_id", "rejected")


@pytest.mark.parametrize("slug", ["unknown_column", "form_expired"])
def test_what_a_sheet_or_an_old_page_finds_has_a_row(slug: str) -> None:
    assert LOCAL[slug].fixed_by == "staff"


def test_nobody_is_told_a_number_of_sends_the_engine_did_not_make() -> None:
    """It gives up after the third lost call, and the limit is the engine's to change."""
    code = LOCAL["sent_twice_unconfirmed"]
    told = code.title_zh + code.means_zh + code.do_zh + code.title_en + code.means_en + code.do_en
    assert not re.search(r"两次|三次|twice|three", told)


@pytest.mark.parametrize("errcode", [61004, 45035])
def test_only_40164_promises_an_address_in_the_platforms_words(errcode: int) -> None:
    """store-api 3.3: the errmsg of 40164 holds the IP; the other two say only that it is not registered."""
    assert "shown in WeChat's words" in CODES[40164].do_en
    assert "shown in WeChat's words" not in CODES[errcode].do_en


@pytest.mark.parametrize(
    "code", [c for c in CODES.values() if c.then == "pause_merchant"], ids=lambda c: c.errcode
)
def test_a_pause_says_whose_shipping_stands_still(code: Code) -> None:
    assert "发货已经暂停" in code.means_zh
    assert "store's shipping is paused" in code.means_en
    assert code.fixed_by == "admin"


def test_a_login_that_fails_again_is_the_admins() -> None:
    """The first time nobody acts; the second time the store is paused and this row is what is shown."""
    assert {c.fixed_by for c in CODES.values() if c.then == "renew_token"} == {"admin"}


def test_chinese_sentences_use_chinese_stops_and_no_straight_quotes() -> None:
    for code in (*CODES.values(), *LOCAL.values()):
        ours = code.title_zh + code.means_zh + code.do_zh + code.problem_zh
        assert not re.search(r'[一-鿿][,;?!"]|[,;?!"][一-鿿]', ours), ours


def test_nobody_is_sent_to_a_place_that_has_no_such_name() -> None:
    """店铺管理 and 改正后重发 are what the pages call them; a store has no page of its own, a shipment no sheet."""
    told = "".join(code.do_zh + code.problem_zh for code in (*CODES.values(), *LOCAL.values()))
    assert not re.search("店铺页|发货单，", told)


def test_the_table_names_no_machine_and_no_todo() -> None:
    assert not re.search(r"/work|/home|TODO|FIXME|XXX", TABLE.read_text(encoding="utf-8"))
