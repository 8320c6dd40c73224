"""The environment as people leave it: names present but empty mean their default."""

import os
import subprocess
import sys

import pytest


def setting(expression: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"from django.conf import settings as s; print({expression})"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "expression", "default"),
    [
        ("WECHAT_API_URL", "s.WECHAT_API_URL", "https://api.weixin.qq.com"),
        ("DATABASE_URL", "s.DATABASES['default']['ENGINE']", "config.sqlite3"),
        ("EMAIL_URL", "s.EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend"),
    ],
)
def test_an_empty_name_means_its_default(name: str, expression: str, default: str) -> None:
    assert setting(expression, **{name: ""}) == default
