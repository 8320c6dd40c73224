"""Who works with the desk."""

import secrets
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Theme(models.TextChoices):
    LIGHT = "light", _("浅色")
    DARK = "dark", _("深色")


# Without what is easily misread.
BADGE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_badge() -> str:
    return "".join(secrets.choice(BADGE_LETTERS) for _ in range(8))


class User(AbstractUser):
    """A person. Deactivated when they leave, never deleted."""

    display_name = models.CharField(_("姓名"), max_length=60, blank=True)
    # "" follows the browser.
    language = models.CharField(_("语言"), max_length=10, blank=True, choices=settings.LANGUAGES)
    theme = models.CharField(_("外观"), max_length=5, blank=True, choices=Theme.choices)
    # Printed as a barcode; tells a station who packs, and opens nothing.
    badge = models.CharField(max_length=16, unique=True, default=new_badge, editable=False)
    # Part of what a session is checked against: one more, and every session of the person is over.
    session_round = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("用户"), pgettext_lazy("plural", "用户")

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_session_auth_hash(self) -> str:
        return f"{super().get_session_auth_hash()}-{self.session_round}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return (f"{old}-{self.session_round}" for old in super().get_session_auth_fallback_hash())


class Role(models.TextChoices):
    STAFF = "staff", _("员工")
    MANAGER = "manager", _("主管")
    ADMIN = "admin", _("管理员")
