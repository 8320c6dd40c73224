"""Who sells, who works there, which credential speaks for them."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import pgettext_lazy

from wechat.secrets import guard_handlers


class MerchantsConfig(AppConfig):
    name = "merchants"
    verbose_name = pgettext_lazy("plural", "店铺")
    default = True

    def ready(self) -> None:
        """No log handler lets a secret through; logins and tasks are heard from the first one on."""
        from django_tasks.signals import task_finished, task_started

        from . import checks, logs, sessions  # noqa: F401

        task_started.connect(logs.task_begins)
        task_finished.connect(logs.task_ends)
        guard_handlers()


class StoreAdminConfig(admin_apps.AdminConfig):
    """Django admin behind the desk's own login, so that no second factor is missed."""

    default = False
    default_site = "merchants.site.StoreAdmin"
