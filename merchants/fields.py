"""A text column that is encrypted at rest.

The value is a MultiFernet token under `CREDENTIAL_KEYS` (newest first) with a version prefix. A wrong key
is an error, never ciphertext handed out as if it were the secret: the field package measured for this job
did that, and the next save encrypted the ciphertext again.
"""

import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models

from wechat.secrets import remember

PREFIX = "fernet1:"


class SecretUnreadable(Exception):
    """No key in CREDENTIAL_KEYS opens a stored secret."""


@lru_cache(maxsize=16)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(value: str) -> str:
    remember(value)
    return PREFIX + _box(tuple(settings.CREDENTIAL_KEYS)).encrypt(value.encode()).decode()


def decrypt(stored: str) -> str:
    """Open a stored secret. Raises SecretUnreadable when no key fits or the column was tampered with."""
    if not stored.startswith(PREFIX):
        raise SecretUnreadable("a stored secret is not encrypted")
    try:
        value = _box(tuple(settings.CREDENTIAL_KEYS)).decrypt(stored.removeprefix(PREFIX).encode()).decode()
    except InvalidToken:
        raise SecretUnreadable("no key in CREDENTIAL_KEYS opens a stored secret") from None
    remember(value)
    return value


def is_newest(stored: str) -> bool:
    """Whether a stored secret is already under the first of CREDENTIAL_KEYS."""
    try:
        _box((settings.CREDENTIAL_KEYS[0],)).decrypt(stored.removeprefix(PREFIX).encode())
    except InvalidToken:
        return False
    return True


def fingerprint(key: str) -> str:
    """Names a key and tells nothing of it: nobody guesses 256 random bits from their digest."""
    return hashlib.sha256(b"fahuo " + key.encode()).hexdigest()[:12]


def opening_key(stored: str) -> str:
    """The fingerprint of the key that a stored secret is under; "" when it is none of CREDENTIAL_KEYS."""
    token = stored.removeprefix(PREFIX).encode()
    for key in settings.CREDENTIAL_KEYS:
        try:
            _box((key,)).decrypt(token)
        except InvalidToken:
            continue
        return fingerprint(key)
    return ""


class EncryptedText(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """Holds "" as "" (nothing stored) and every other text encrypted; can only be filtered by emptiness."""

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return encrypt(text) if text else text

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value) if value else value

    def to_python(self, value: Any) -> Any:
        """A fixture holds what `value_to_string` wrote."""
        text = super().to_python(value)
        return decrypt(text) if text and text.startswith(PREFIX) else text

    def value_to_string(self, obj: models.Model) -> str:
        """What `dumpdata` writes: an export is as closed as the database."""
        text = str(self.value_from_object(obj) or "")
        return encrypt(text) if text else text

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"an encrypted column cannot be looked up by {lookup_name}")
        return super().get_lookup(lookup_name)
