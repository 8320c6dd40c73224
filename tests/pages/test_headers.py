"""What browsers are told: nothing inline runs, pictures of others learn nothing, production settings are clean."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.pages.test_desk import member

TEMPLATES = sorted(Path("templates").rglob("*.html"))
INLINE = re.compile(
    r"""\sstyle=|\son[a-z]+=|hx-on|javascript:|\|\s*safe\b|mark_safe|<style|<script(?![^>]*\ssrc=)""", re.I
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path", ["/", "/login/", "/members/", "/me/second-factor/", "/todo/", "/admin/", "/nowhere/"]
)
def test_every_answer_carries_a_policy_without_exceptions(world: Any, path: str) -> None:
    client = Client() if path == "/login/" else member(world, "admin")
    headers = client.get(path).headers
    rules = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert rules["default-src"] == "'self'"
    assert "https:" in rules["img-src"]
    assert (rules["object-src"], rules["base-uri"], rules["frame-ancestors"]) == ("'none'",) * 3
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/healthz", "testserver", 200), ("/nul%00", "testserver", 404), ("/login/", "elsewhere", 400),
     ("/login/", "testserver", 301)],
)  # fmt: skip
def test_what_is_answered_before_any_page_carries_it_too(
    settings: Any, path: str, host: str, status: int
) -> None:
    settings.SECURE_SSL_REDIRECT = status == 301
    answer = Client().get(path, headers={"host": host})
    assert answer.status_code == status
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_no_template_asks_for_an_exception() -> None:
    found = {str(path): INLINE.findall(path.read_text(encoding="utf-8")) for path in TEMPLATES}
    assert not {path: words for path, words in found.items() if words}


def in_production(*command: str) -> str:
    """What a command of Python's says where the desk is reached by https."""
    # The browser tests set the last one, which production never has.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "PUBLIC_URL": "https://desk.example.com"}
    done = subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_production_settings_are_clean() -> None:
    in_production("manage.py", "check", "--deploy", "--fail-level", "WARNING")


ASKED = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
answer = Client().get("/?language=en", secure=True, headers={"host": "desk.example.com"})
names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME")
flags = ("SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_SECURE")
print(json.dumps({
    "headers": dict(answer.headers), "cookies": answer.cookies.output(), "url": answer.url,
    "names": [getattr(settings, name) for name in names], "flags": [getattr(settings, name) for name in flags],
}))
"""


def test_production_headers_and_cookies_keep_to_https() -> None:
    told = json.loads(in_production("-c", ASKED).splitlines()[-1])
    assert told["url"].startswith("/login/")
    headers = told["headers"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert all(name.startswith("__Host-") for name in told["names"])
    assert all(told["flags"])
    sent = told["cookies"].partition("__Host-language=en;")[2]
    assert all(word in sent for word in ("HttpOnly", "Path=/", "SameSite=Lax", "Secure"))
    assert "Domain" not in sent
