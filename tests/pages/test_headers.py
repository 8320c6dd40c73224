"""What browsers are told: nothing inline runs, pictures of others learn nothing, production settings are clean."""

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


def test_no_template_asks_for_an_exception() -> None:
    found = {str(path): INLINE.findall(path.read_text(encoding="utf-8")) for path in TEMPLATES}
    assert not {path: words for path, words in found.items() if words}


def test_production_settings_are_clean() -> None:
    # The browser tests set the last one, which production never has.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "PUBLIC_URL": "https://desk.example.com"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
