"""Rows about who sells, who works there, and which credential speaks for them."""

from .audit import Audit
from .calling import Credential, Errand, Mode, Platform, PushedEvent, TokenRow
from .people import Role, Theme, User
from .stores import Membership, Merchant, OneTimeLink, Pause, platform_host
from .telling import Channel, Message

__all__ = [
    "Audit",
    "Channel",
    "Credential",
    "Errand",
    "Membership",
    "Merchant",
    "Message",
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
