"""Rows about who sells, who works there, and which credential speaks for them."""

from .audit import Audit
from .calling import Credential, Errand, Mode, Platform, PushedEvent, TokenRow
from .people import Role, Theme, User
from .stores import Membership, Merchant, OneTimeLink, Pause, platform_host

__all__ = [
    "Audit",
    "Credential",
    "Errand",
    "Membership",
    "Merchant",
    "Mode",
    "OneTimeLink",
    "Pause",
    "Platform",
    "PushedEvent",
    "Role",
    "Theme",
    "TokenRow",
    "User",
    "platform_host",
]
