"""Orders, packages, courses, shipments; rules, worker, pages."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ShippingConfig(AppConfig):
    name = "shipping"
    verbose_name = pgettext_lazy("app", "发货")
