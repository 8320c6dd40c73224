"""One-time links: signed, so that a guess is refused unread; kept as a digest, so that rows open nothing."""

import hashlib
import secrets

from django.core.signing import BadSignature, Signer

SIGNER = Signer(salt="merchants.links")


def new_token() -> str:
    return SIGNER.sign(secrets.token_urlsafe(24))


def digest_of(token: str) -> str | None:
    """What is stored of a link; None for one that we did not sign."""
    try:
        SIGNER.unsign(token)
    except BadSignature:
        return None
    return hashlib.sha256(token.encode()).hexdigest()
