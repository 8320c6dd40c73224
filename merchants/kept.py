"""A form that was sent after its session ended, signed so that it can go on after the login."""

import re
from typing import NamedTuple

from django.core import signing
from django.http import HttpRequest

SALT = "merchants.sessions.kept"
KEPT_FOR = 12 * 3600
# Typed once more after the login rather than written into a page.
SECRET_FIELDS = re.compile(r"secret|token|aes_key|password|webhook", re.IGNORECASE)
CSRF = "csrfmiddlewaretoken"


class Kept(NamedTuple):
    """Where a form goes and what was typed. `lacks_secret`: one was typed, which is not written down."""

    path: str
    fields: list[tuple[str, str]]
    lacks_secret: bool


def keep(request: HttpRequest) -> str:
    """The form a visitor sent, signed: where it goes and every field as typed, but no secret."""
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    typed = [(name, value) for name, value in fields if not SECRET_FIELDS.search(name)]
    lacks = any(value for name, value in fields if SECRET_FIELDS.search(name) and name != CSRF)
    return signing.dumps((request.get_full_path(), typed, lacks), salt=SALT, compress=True)


def kept(text: str) -> Kept | None:
    """What `keep` signed, or None: a form that we did not keep ourselves is not sent on."""
    try:
        path, fields, lacks = signing.loads(text, salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    return Kept(str(path), [(str(name), str(value)) for name, value in fields], bool(lacks))
