"""Orders, packages, courses, shipments; rules, worker, pages."""

from django.apps import AppConfig


class ShippingConfig(AppConfig):
    name = "shipping"
    verbose_name = "发货"
