"""Orders, packages, courses, shipments; rules, worker, pages."""

import gc
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string
from django.utils.translation import pgettext_lazy

from wechat.wording import lend

# New objects between two looks for garbage, and looks of one generation before one of the next.
ROOM = (50_000, 10, 10)


class ShippingConfig(AppConfig):
    name = "shipping"
    verbose_name = pgettext_lazy("app", "发货")

    def ready(self) -> None:
        """The database guards its history from the first migrate on; codes say what the operator wrote.

        What is loaded by now lives as long as the process, and rows come by the thousand: with Python's own
        measures a fifth of the time of a large file goes into looking for garbage that is not there.
        """
        gc.freeze()
        gc.set_threshold(*ROOM)
        post_migrate.connect(_guard_history, sender=self)
        lend(import_string("shipping.wording.book"))


def _guard_history(using: str, **more: Any) -> None:
    import_string("shipping.history.install_triggers")(using)
