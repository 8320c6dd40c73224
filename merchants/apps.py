"""Who sells, who works there, which credential speaks for them."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import pgettext_lazy


class MerchantsConfig(AppConfig):
    name = "merchants"
    verbose_name = pgettext_lazy("plural", "店铺")
    default = True

    def ready(self) -> None:
        """Logins are heard from the first one on, not from the first request on."""
        from . import sessions  # noqa: F401


class StoreAdminConfig(admin_apps.AdminConfig):
    """Django admin behind the desk's own login, so that no second factor is missed."""

    default = False
    default_site = "merchants.site.StoreAdmin"
