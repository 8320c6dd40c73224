"""Credentials never show: not in text forms, not in logs, not in tracebacks, not in pickles."""

import copy
import json
import logging
import pickle
import time

import pytest

from wechat.secrets import RedactionFilter, Token, redact

CANARY = "CANARY0123456789ab12"


def test_a_token_is_masked_in_every_text_form() -> None:
    token = Token(CANARY)
    assert f"{token} {token!r} {token!s} {[token]}".count("Token(…ab12)") == 4
    assert token.reveal() == CANARY
    assert "abcd" not in repr(Token("abcd"))


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_token_is_not_copied_out(way: object) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        way(Token(CANARY))  # type: ignore[operator]


def test_a_token_is_not_written_as_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"token": Token(CANARY)})
    assert CANARY not in json.dumps({"token": Token(CANARY)}, default=str)


@pytest.mark.parametrize(
    "text",
    [
        f"POST /send?access_token={CANARY}&x=1",
        f"?component_access_token={CANARY} ",
        f"cloudbase_access_token={CANARY}",
        f"authorizer_access_token={CANARY}",
        f"access_token%3D{CANARY}",
        f"?appid=1&secret={CANARY}",
        f"appsecret={CANARY}",
        f"body(secret='{CANARY}')",
        f'{{"access_token": "{CANARY}", "expires_in": 7200}}',
        f'{{"authorizer_refresh_token":"{CANARY}"}}',
        f"{{'secret': '{CANARY}'}}",
        f'"{{\\"access_token\\": \\"{CANARY}\\"}}"',
        f"{{'appsecret': b'{CANARY}'}}",
        f'cut short: {{"access_token":"{CANARY}',
    ],
)
def test_redact(text: str) -> None:
    assert CANARY not in redact(text)
    assert "***" in redact(text)


def test_redact_keeps_the_rest_and_is_quick_on_long_words() -> None:
    assert redact("?access_token=abc&order=1") == "?access_token=***&order=1"
    assert redact('{"access_token":"abc","expires_in":1}') == '{"access_token":"***","expires_in":1}'
    began = time.monotonic()
    assert redact("x" * 200_000) == "x" * 200_000
    assert time.monotonic() - began < 0.5


def test_the_filter_cleans_message_arguments_and_traceback(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tests.wechat.redaction")
    log.addFilter(RedactionFilter())
    try:
        raise RuntimeError(f"https://x/?access_token={CANARY}")
    except RuntimeError:
        log.exception("url %s", f"?secret={CANARY}", stack_info=True)
    log.warning("100%% of %s", f"access_token={CANARY}")
    assert CANARY not in caplog.text
    assert "RuntimeError" in caplog.text
    assert "100% of access_token=***" in caplog.text


def test_arguments_that_do_not_fit_break_nothing(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "one %s %s", ("a",), None)
    assert RedactionFilter().filter(record)
    assert "one" in record.getMessage()


def test_an_argument_that_cannot_be_shown_does_not_break_its_caller() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("the database is gone")

    record = logging.LogRecord("x", logging.INFO, "f", 1, "one %s", (Broken(),), None)
    assert RedactionFilter().filter(record)
    assert "one" in record.getMessage()
